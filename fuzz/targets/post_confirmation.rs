//! Events of `PostConfirmation`: reading, and the plan for the user.
#![no_main]

#[allow(dead_code, reason = "a part of the function")]
#[path = "../../functions/post-confirmation/src/wire.rs"]
mod wire;

use fuzz::{NOW, RULES, trigger};
use libfuzzer_sys::fuzz_target;
use shared::provisioning::{self, Facts, Request};

fuzz_target!(|data: &[u8]| {
    trigger::<wire::Request>(data, |_, trigger| {
        let request = Request { attributes: &trigger.request.attributes, user_name: trigger.user_name.as_deref() };
        provisioning::facts_needed(&RULES, request);
        provisioning::plan(&RULES, request, Facts { now: NOW, ..Facts::default() });
        wire::Source::parse(&trigger.source);
    });
});
