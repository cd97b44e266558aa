//! Wires the function.

use std::process::ExitCode;

use pre_token_generation::{PreTokenGeneration, Settings, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let people = connect(settings.directory_table)?;
        Ok(PreTokenGeneration::new(settings.rules, people))
    })
    .await
}
