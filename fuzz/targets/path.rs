//! Paths and names of requests: a policy opens nothing that the table closes.
#![no_main]

#[allow(dead_code, unreachable_pub, reason = "a part of the harness")]
#[path = "../../tests/src/simulator.rs"]
mod simulator;

/// What the simulator takes from the harness beside: conditions, which are about
/// the token's end and hold, for everything here is asked before it.
mod iam {
    pub(crate) fn allows<P, C>(_: &[serde_json::Value], _: P, _: &str, _: &str, _: &C) -> Result<bool, ()> {
        Ok(true)
    }
}

mod tokens {
    pub(crate) fn now() -> u64 {
        fuzz::NOW
    }
}

use std::collections::BTreeSet;
use std::sync::LazyLock;

use fuzz::{NOW, RULES};
use libfuzzer_sys::fuzz_target;
use shared::claims::TokenKind;
use shared::names::{RoleName, TenantId};
use shared::policy::{self, MethodArn};
use shared::routes::Caller;
use simulator::{Verdict, evaluate};

static CALLERS: LazyLock<Vec<Caller>> = LazyLock::new(|| {
    let caller = |role: &str| Caller {
        subject: "ann".to_owned(),
        issuer: None,
        kind: TokenKind::Access,
        machine: false,
        tenant: TenantId::parse("acme"),
        roles: RoleName::parse(role).into_iter().collect(),
        groups: BTreeSet::new(),
        scopes: BTreeSet::new(),
    };
    vec![caller("member"), caller("admin")]
});

/// A path as the table takes it. What it refuses (dots, percent signs, …) a
/// policy's star takes, as one segment.
fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~:@+=,".contains(&byte);
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|part| !part.is_empty() && part.bytes().all(plain)))
}

// One line is asked about; a second one is a later request with the same token.
fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let name = |line: &str| format!("arn:aws:execute-api:us-east-1:123456789012:example123/{line}");
    let first = name(lines.next().unwrap_or_default());
    let later = lines.next().map_or_else(|| first.clone(), name);
    let (Some(first), Some(request)) = (MethodArn::parse(&first), MethodArn::parse(&later)) else { return };
    for caller in CALLERS.iter() {
        let document = policy::document(&RULES.routes, caller, &first, NOW + 900);
        assert!(document.allowed().chain(document.denied()).all(|resource| resource.len() <= 512));
        let document = serde_json::to_value(&document).expect("a document can be written");
        assert!(!document.to_string().contains('?') && !document.to_string().contains("${"));
        let decision = RULES.routes.decide(caller, request.method, request.path);
        let opened = evaluate(&document, &later) == Verdict::Allow;
        let same_stage = (first.stage, first.api) == (request.stage, request.api);
        assert!(!opened || same_stage, "another stage");
        assert!(!opened || decision.is_allowed() || !is_plain(request.path), "{later}: {document}");
    }
});
