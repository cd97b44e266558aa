//! Wires the function.

use std::process::ExitCode;

use authorizer::{Authorizer, Revocations, Settings};
use shell::key_set::{Fetcher, Limits};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let revocations = Revocations::connect(&settings, &shell::environment)?;
        Ok(Authorizer::start(settings, Fetcher::new(), Limits::default()).await.minding(revocations))
    })
    .await
}
