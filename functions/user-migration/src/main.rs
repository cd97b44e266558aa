//! Wires the function.

use std::process::ExitCode;

use user_migration::Settings;
use zeroizing_alloc::ZeroAlloc;

/// Wipes what is given back, whoever made the copy of a password.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    shell::start(async || user_migration::connect(Settings::read(&shell::environment)?).await).await
}
