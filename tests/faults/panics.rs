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

/// Built for tests it unwinds, and what ships aborts.
#[test]
fn a_panic_ends_the_process_and_the_next_event_finds_a_new_one() -> Result<()> {
    let manifest = std::fs::read_to_string(workspace_root().join("Cargo.toml"))?;
    let release = manifest.split("[profile.release]").nth(1).context("no release profile")?;
    ensure!(release.contains("panic = \"abort\""), "then this test shows something else");
    for settings in [vec![], vec![("ENDS_AT_A_PANIC", "1")]] {
        let mut kept = Kept::start(&settings)?;
        for round in 1..=3 {
            let answer = Reply::Answer(format!("{{\"n\":{round}}}").into_bytes());
            ensure!(kept.invoke(&json!({"n": round}))? == answer, "{round} {settings:?}");
            ensure!(kept.invoke(&json!("panic"))? == Reply::Exited, "{round}: what Lambda tells as Runtime.ExitError");
            ensure!(kept.invoke(&json!({}))? == Reply::Answer(b"{}".to_vec()), "{round}: served by a new process");
            ensure!(kept.starts == round + 1, "{} starts, {settings:?}", kept.starts);
        }
    }
    Ok(())
}
