//! Wires the function.

use std::process::ExitCode;

use pre_sign_up::{PreSignUp, Settings, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let (invitations, accounts, challenges) = connect(&settings).await?;
        Ok(PreSignUp::new(settings.rules, invitations, accounts, challenges))
    })
    .await
}
