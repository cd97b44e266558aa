//! Events of every front, put to the whole authorizer. `{{access_token}}` is a
//! good token, as in the recorded events.
#![no_main]

use std::sync::LazyLock;

use authorizer::{Authorizer, Settings};
use fuzz::{CLIENT, ISSUER, NOW, RULES, good_token, json, key_set};
use libfuzzer_sys::fuzz_target;
use shell::key_set::{Fetch, FetchError, Limits};
use shell::{Handler as _, Invocation};
use tokio::runtime::{Builder, Runtime};

/// A key set that is always there.
struct Published;

impl Fetch for Published {
    async fn fetch(&self, _: &str) -> Result<Vec<u8>, FetchError> {
        Ok(key_set().into_bytes())
    }
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
static TOKEN: LazyLock<String> = LazyLock::new(good_token);
static FORMS: LazyLock<Vec<Authorizer<Published>>> = LazyLock::new(|| {
    let start = |answer: &str| {
        let lookup = |key: &str| match key {
            "ISSUERS" => Some(ISSUER.to_owned()),
            "CLIENT_IDS" => Some(CLIENT.to_owned()),
            "ANSWER" => Some(answer.to_owned()),
            _ => None,
        };
        let settings = Settings::with_rules(&lookup, RULES.clone()).expect("settings");
        RUNTIME.block_on(Authorizer::start(settings, Published, Limits::default()))
    };
    vec![start("simple"), start("iam")]
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let shows_a_token = text.contains("{{access_token}}");
    let Some(event) = json(text.replace("{{access_token}}", &TOKEN).as_bytes()) else { return };
    for authorizer in FORMS.iter() {
        let invocation = Invocation { request_id: "r".to_owned(), now: NOW };
        match RUNTIME.block_on(authorizer.handle(&event, &invocation)) {
            Ok(answer) => {
                assert!(shows_a_token || answer.subject.is_none(), "nobody was believed: {}", answer.body);
                assert!(shows_a_token || !answer.body.get().contains("Allow\""), "{}", answer.body);
                assert!(!answer.body.get().contains(TOKEN.as_str()), "a token in the answer");
            }
            Err(failure) => assert!(!failure.code().is_empty()),
        }
    }
});
