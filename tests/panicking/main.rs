//! A function that panics when it is told to, for `faults`: the shell's own
//! start, runtime and log around it.

use std::process::ExitCode;

use shell::{Answer, Failure, Handler, Invocation};

struct Panicking;

impl Handler for Panicking {
    const NAME: &'static str = "panicking";

    async fn handle(&self, event: &str, _: &Invocation) -> Result<Answer, Failure> {
        assert!(!event.contains("panic"), "canary-panic: told to");
        Ok(Answer::new(event.to_owned(), "Served"))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if std::env::var_os("ENDS_AT_A_PANIC").is_some() {
        // What `panic = "abort"` of the release profile comes to.
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            print(panic);
            std::process::abort();
        }));
    }
    shell::start(async || Ok(Panicking)).await
}
