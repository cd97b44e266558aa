//! Wires the function.

use std::process::ExitCode;

use guest_keeper::{GuestKeeper, PromotionQueue, Settings};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || {
        let settings = Settings::read(&shell::environment)?;
        let config = shell::aws::config().await;
        let records = Records::connect(&config, settings.records_table, settings.rules.attributes.clone());
        let queue = PromotionQueue::connect(&config, settings.queue_url);
        Ok(GuestKeeper::new(settings.rules, records, queue))
    })
    .await
}
