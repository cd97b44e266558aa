//! What is left out when a token would grow too large.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::Value;

/// A claim that wants a place in a token.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) value: Value,
    pub(super) priority: Option<u32>,
    /// A membership is never left out.
    pub(super) membership: bool,
}

/// What fits and what does not.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) claims: BTreeMap<String, Value>,
    pub(super) dropped: Vec<String>,
}

/// The memberships alone take more than there is.
#[derive(Debug)]
pub(super) struct MembershipsTooLarge;

/// Drops claims one by one until the rest fits: the highest priority number
/// first, those without a number last, and by name where that is alike.
pub(super) fn fit(mut candidates: BTreeMap<String, Candidate>, budget: usize) -> Result<Fitted, MembershipsTooLarge> {
    let mut total: usize = candidates.iter().map(|(name, candidate)| size(name, &candidate.value)).sum();
    let mut order: Vec<(Reverse<Option<u32>>, String)> = candidates
        .iter()
        .filter(|(_, candidate)| !candidate.membership)
        .map(|(name, candidate)| (Reverse(candidate.priority), name.clone()))
        .collect();
    order.sort();
    let mut dropped = Vec::new();
    for (_, name) in order {
        if total <= budget {
            break;
        }
        if let Some(candidate) = candidates.remove(&name) {
            total = total.saturating_sub(size(&name, &candidate.value));
            dropped.push(name);
        }
    }
    if total > budget {
        return Err(MembershipsTooLarge);
    }
    Ok(Fitted { claims: candidates.into_iter().map(|(name, candidate)| (name, candidate.value)).collect(), dropped })
}

/// The bytes of `"name":value,` in a token's JSON.
pub(crate) fn size(name: &str, value: &Value) -> usize {
    Value::from(name).to_string().len() + value.to_string().len() + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str, priority: Option<u32>, membership: bool) -> Candidate {
        Candidate { value: Value::from(text), priority, membership }
    }

    #[test]
    fn the_highest_number_goes_first_then_no_number_then_by_name_and_a_membership_never() {
        // Each of these takes eight bytes: `"a":"x",`.
        let all = || {
            BTreeMap::from([
                ("a".to_owned(), candidate("x", None, false)),
                ("b".to_owned(), candidate("x", Some(1), false)),
                ("c".to_owned(), candidate("x", Some(9), false)),
                ("d".to_owned(), candidate("x", Some(9), false)),
                ("e".to_owned(), candidate("x", None, false)),
                ("t".to_owned(), candidate("x", None, true)),
            ])
        };
        let table: [(usize, Option<&str>); 9] = [
            (48, Some("")),
            (47, Some("c")),
            (40, Some("c")),
            (39, Some("cd")),
            (31, Some("cdb")),
            (23, Some("cdba")),
            (15, Some("cdbae")),
            (8, Some("cdbae")),
            (7, None),
        ];
        for (budget, expected) in table {
            let dropped = fit(all(), budget).ok().map(|fitted| fitted.dropped.concat());
            assert_eq!(dropped.as_deref(), expected, "{budget} bytes");
        }
    }

    #[test]
    fn size_is_that_of_the_json_as_it_is_written() {
        let table = [("a", Value::from("x"), 8), ("a", Value::from("\""), 9), ("\u{e9}", Value::from(10), 8)];
        for (name, value, expected) in table {
            assert_eq!(size(name, &value), expected, "{name} {value}");
        }
        assert_eq!(size("a", &serde_json::json!(["b", "c"])), r#""a":["b","c"],"#.len());
    }
}
