//! Events of `TokenGeneration`: reading, the claims, and the answer.
#![no_main]

#[allow(dead_code, reason = "a part of the function")]
#[path = "../../functions/pre-token-generation/src/wire.rs"]
mod wire;

use fuzz::{RULES, trigger};
use libfuzzer_sys::fuzz_target;
use shared::claims::{self, Decision, EventVersion};
use shared::tenants::{Reason, Tenancy};
use shell::Version;

fuzz_target!(|data: &[u8]| {
    trigger::<wire::Request>(data, |event, trigger| {
        let tenancy = Tenancy::none(Reason::NoMembership);
        let request = claims::Request {
            version: match trigger.version {
                Version::V1 => EventVersion::V1,
                Version::V2 => EventVersion::V2,
                Version::V3 => EventVersion::V3,
            },
            source: &trigger.source,
            client_id: trigger.client_id.as_deref(),
            attributes: &trigger.request.attributes,
            groups: trigger.request.groups(),
            joined: &[],
            iam_roles: trigger.request.iam_roles(),
            preferred_role: trigger.request.preferred_role(),
            scopes: trigger.request.scopes(),
            machine: trigger.source == "TokenGeneration_ClientCredentials",
            tenancy: &tenancy,
        };
        let Decision::Issue(overrides) = claims::decide(&RULES.claims, &RULES.roles, request) else { return };
        for name in overrides.id.add.keys().chain(overrides.access.add.keys()) {
            assert!(!name.starts_with("cognito:") && name != "sub" && name != "iss", "a reserved claim: {name}");
        }
        let answers = [event.with_response(&wire::V1::of(&overrides)), event.with_response(&wire::V2::of(&overrides))];
        assert!(answers.iter().all(Result::is_ok), "an answer can be written");
    });
});
