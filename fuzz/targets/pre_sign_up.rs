//! Events of `PreSignUp`: reading, and all that is decided before anybody is asked.
#![no_main]

#[allow(dead_code, reason = "a part of the function")]
#[path = "../../functions/pre-sign-up/src/wire.rs"]
mod wire;

use fuzz::{RULES, trigger};
use libfuzzer_sys::fuzz_target;
use shared::sign_up::{self, ChallengeToken, Decision, Facts, Request, Source};
use shared::linking;

fuzz_target!(|data: &[u8]| {
    trigger::<wire::Request>(data, |event, trigger| {
        let token = trigger.request.validation.text("captcha").map(ChallengeToken::new);
        let attributes = &trigger.request.attributes;
        let user_name = trigger.user_name.as_deref();
        let source = Source::parse(&trigger.source);
        let request = Request { source, attributes, user_name, challenge: token.as_ref() };
        let needed = sign_up::facts_needed(&RULES, request);
        let decision = sign_up::decide(&RULES, request, &Facts::default());
        assert!(decision != Decision::Accept || needed.invitation.is_none(), "nobody is invited");
        let link = linking::Request { source: &trigger.source, user_name, attributes };
        linking::facts_needed(&RULES, link);
        let link = linking::decide(&RULES, link, &linking::Found::default());
        assert!(!matches!(link, linking::Decision::Link(_)), "linked to nobody");
        event.with_response(&wire::GoOn::REPLY).expect("an answer can be written");
    });
});
