//! A panic ends one invocation and no other.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::{Function, Reply, workspace_root};

/// A function as Lambda keeps it: started again when its process has ended.
struct Kept {
    function: Function,
    settings: Vec<(&'static str, &'static str)>,
    starts: usize,
}

impl Kept {
    fn start(settings: &[(&'static str, &'static str)]) -> Result<Self> {
        let function = Function::start("panicking", settings.to_vec())?;
        Ok(Self { function, settings: settings.to_vec(), starts: 1 })
    }

    fn invoke(&mut self, event: &serde_json::Value) -> Result<Reply> {
        if self.function.has_exited() {
            self.function = Function::start("panicking", self.settings.clone())?;
            self.starts += 1;
        }
        Ok(self.function.invoke_json(event).reply)
    }
}

#[test]
fn what_ships_ends_at_a_panic_and_the_next_event_finds_a_new_process() -> Result<()> {
    let manifest = std::fs::read_to_string(workspace_root().join("Cargo.toml"))?;
    let release = manifest.split("[profile.release]").nth(1).context("no release profile")?;
    ensure!(release.contains("panic = \"abort\""), "then this test shows something else");
    let mut kept = Kept::start(&[("ENDS_AT_A_PANIC", "1")])?;
    for round in 1..=3 {
        ensure!(
            kept.invoke(&json!({"n": round}))? == Reply::Answer(format!("{{\"n\":{round}}}").into_bytes()),
            "{round}"
        );
        ensure!(kept.invoke(&json!("panic"))? == Reply::Exited, "{round}: what Lambda tells as Runtime.ExitError");
        ensure!(kept.invoke(&json!({}))? == Reply::Answer(b"{}".to_vec()), "{round}: served by a new process");
        ensure!(kept.starts == round + 1, "{} starts", kept.starts);
    }
    Ok(())
}

#[test]
fn what_is_built_for_tests_catches_it_and_goes_on() -> Result<()> {
    let mut kept = Kept::start(&[])?;
    for _ in 0..3 {
        let reply = kept.invoke(&json!("panic"))?;
        ensure!(matches!(reply, Reply::Error { .. }), "{reply:?}");
        ensure!(kept.invoke(&json!({}))? == Reply::Answer(b"{}".to_vec()));
    }
    ensure!(kept.starts == 1);
    Ok(())
}
