//! Wires the function.

use std::process::ExitCode;

use guest_keeper::{GuestKeeper, PromotionQueue, Settings};
use records::Records;
use shell::aws::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let client = Client::from_environment(&shell::environment)?;
        let records = Records::connect(&client, settings.records_table, settings.rules.attributes.clone());
        let queue = PromotionQueue::new(client, settings.queue_url);
        Ok(GuestKeeper::new(settings.rules, records, queue))
    })
    .await
}
