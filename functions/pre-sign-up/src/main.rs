//! Wires the function.

use std::process::ExitCode;

use pre_sign_up::{InvitationTable, PreSignUp, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let invitations = InvitationTable::connect(settings.invitation_table).await;
        Ok(PreSignUp::new(settings.rules, invitations))
    })
    .await
}
