//! Wires the function.

use std::process::ExitCode;

use guest_promotion::{GuestPromotion, Settings};
use shell::aws::Client;
use shell::key_set::Fetcher;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let client = Client::from_environment(&shell::environment)?;
        Ok(GuestPromotion::start(client, settings, Fetcher::new().of_any_type()).await)
    })
    .await
}
