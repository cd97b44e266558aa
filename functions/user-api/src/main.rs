//! Wires the function.

use std::process::ExitCode;

use back_end::aws::one_http_client;
use user_api::{Settings, UserApi};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let config = one_http_client(shell::aws::config().await);
        Ok(UserApi::connect(&config, settings))
    })
    .await
}
