//! Events of `UserMigration`: reading, and all that is decided before the old
//! system is asked.
#![no_main]

#[allow(dead_code, reason = "a part of the function")]
#[path = "../../functions/user-migration/src/wire.rs"]
mod wire;

use fuzz::{RULES, trigger};
use libfuzzer_sys::fuzz_target;
use shared::migration::{self, Decision, Facts, Request, Source};

fuzz_target!(|data: &[u8]| {
    trigger::<wire::Request>(data, |_, trigger| {
        let request = Request {
            source: Source::parse(&trigger.source),
            user_name: trigger.user_name.as_deref().unwrap_or_default(),
            password: trigger.request.password.offered(),
        };
        migration::facts_needed(request);
        if let Some(rules) = RULES.migration.as_ref() {
            let decision = migration::decide(rules, request, Facts::NONE);
            assert!(!matches!(decision, Decision::Admit(_)), "nobody is moved in");
        }
    });
});
