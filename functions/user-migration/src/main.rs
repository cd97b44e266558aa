//! Wires the function.

use std::process::ExitCode;

use user_migration::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || user_migration::connect(Settings::read(&shell::environment)?).await).await
}
