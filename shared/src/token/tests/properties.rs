//! What holds for every token, whatever it says.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::support::{KEY_A, NOW, access, check, header, id, signed};
use crate::token::{Refusal, Verified};

/// Claims that some rows take, others refuse.
fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let changes = prop::sample::select(vec![
        ("exp", json!(NOW)),
        ("iat", json!(NOW + 61)),
        ("iss", json!("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_CCCCCCCCC")),
        ("client_id", json!("2example23456789")),
        ("token_use", json!("refresh")),
        ("tenant", json!("globex")),
        ("tenant", json!("*")),
        ("roles", json!("admin member")),
        ("roles", json!([1])),
        ("cognito:groups", json!(["b", "a"])),
        ("scope", json!("a b  c")),
        ("sub", json!("")),
        ("aud", json!(["x"])),
        ("nbf", json!(NOW)),
    ]);
    let base = prop_oneof![Just(access()), Just(id())];
    (base, prop::option::of(changes)).prop_map(|(base, change)| {
        let mut claims = base.as_object().unwrap().clone();
        claims.extend(change.map(|(name, value)| (name.to_owned(), value)));
        claims
    })
}

/// Anything that JSON can hold.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,6}", inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// One object with its members in this order.
fn written(members: &[(String, Value)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn answer(header: &str, payload: &str) -> Result<Verified, Refusal> {
    check(&KEY_A.token(header.as_bytes(), payload.as_bytes()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn neither_order_nor_unknown_claims_change_an_answer(
        claims in claims(),
        // No name of a claim that is looked at begins like this.
        unknown in prop::collection::btree_map("x-.{0,8}", values(), 0..6),
        shuffle in any::<prop::sample::Index>(),
        turned in any::<bool>(),
    ) {
        let plain = answer(&header().to_string(), &Value::Object(claims.clone()).to_string());
        let mut members: Vec<(String, Value)> = claims.into_iter().chain(unknown).collect();
        let middle = shuffle.index(members.len());
        members.rotate_left(middle);
        // From both ends in turn: no two neighbours stay together.
        let half = members.split_off(members.len() / 2);
        let mut mixed: Vec<(String, Value)> = Vec::new();
        let (mut one, mut two) = (members.into_iter(), half.into_iter().rev());
        while mixed.len() < one.len() + two.len() + mixed.len() {
            mixed.extend(one.next());
            mixed.extend(two.next());
        }
        let mut head: Vec<(String, Value)> = header().as_object().unwrap().clone().into_iter().collect();
        head.push(("x-h".to_owned(), json!({"y": [1]})));
        if turned {
            head.reverse();
        }
        prop_assert_eq!(answer(&written(&head), &written(&mixed)), plain, "{}", written(&mixed));
    }

    #[test]
    fn one_changed_bit_of_any_good_token_is_refused(
        tenant in "[a-z0-9][a-z0-9-]{0,62}",
        more in values(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut claims = access();
        claims["tenant"] = json!(tenant);
        claims["x-more"] = more;
        let good = signed(&claims);
        prop_assume!(good.len() <= crate::token::MAX_TOKEN_BYTES);
        prop_assert!(check(&good).is_ok(), "{claims}");
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // What is not UTF-8 any more never gets as far as the verifier.
        if let Ok(flipped) = String::from_utf8(bytes) {
            prop_assert!(check(&flipped).is_err(), "bit {bit} of byte {at}");
        }
    }
}
