//! Wires the function.

use std::process::ExitCode;

use pool_attachment::{PoolAttachment, Settings, answer_when_panicking};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    answer_when_panicking();
    shell::start(async || {
        let config = shell::sdk::config().await;
        Ok(PoolAttachment::new(Settings::read(&shell::environment), &config))
    })
    .await
}
