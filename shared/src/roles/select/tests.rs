//! Tables of the identity pool's choice.

use serde_json::json;

use super::*;

fn rules(text: &str) -> RoleRules {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn claims(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(claims) => claims,
        other => panic!("{other} is not an object"),
    }
}

fn role(arn: &str) -> Outcome {
    Outcome::Role(arn.to_owned())
}

/// I09: an unknown or missing role never ends in more than the stated fallback.
#[test]
fn by_token_a_custom_role_must_be_in_the_token_and_is_not_replaced() {
    let both = json!({"cognito:roles": ["a", "b"], "cognito:preferred_role": "a"});
    let as_text = json!({"cognito:roles": "a, b", "cognito:preferred_role": "a"});
    let tie = json!({"cognito:roles": ["a", "b"]});
    let empty = json!({"cognito:roles": [], "cognito:preferred_role": ""});
    let table = [
        (both.clone(), None, role("a"), Reason::PreferredRole),
        (both.clone(), Some("b"), role("b"), Reason::CustomRole),
        (both.clone(), Some("c"), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (both, Some(""), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (as_text.clone(), Some("b"), role("b"), Reason::CustomRole),
        (as_text, Some("a, b"), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (tie.clone(), None, Outcome::AuthenticatedRole, Reason::NoPreferredRole),
        (tie.clone(), Some("a"), role("a"), Reason::CustomRole),
        (tie, Some("authenticated"), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (empty.clone(), None, Outcome::AuthenticatedRole, Reason::NoRoleInToken),
        (empty, Some(""), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (json!({}), None, Outcome::AuthenticatedRole, Reason::NoRoleInToken),
        (json!({}), Some("a"), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (json!({"cognito:preferred_role": ["a"]}), None, Outcome::AuthenticatedRole, Reason::NoRoleInToken),
    ];
    let fallback = rules("ambiguous = \"authenticated\"\nauthenticated_role = \"authenticated\"");
    let deny = rules("type = \"token\"\nambiguous = \"deny\"");
    for (token, custom, outcome, reason) in table {
        let selection = select(&fallback, &claims(token.clone()), custom);
        assert_eq!(selection, Selection { outcome: outcome.clone(), reason }, "{token} {custom:?}");
        let denied = if outcome == Outcome::AuthenticatedRole { Outcome::Deny } else { outcome };
        assert_eq!(select(&deny, &claims(token.clone()), custom).outcome, denied, "{token} {custom:?}, deny");
    }
}

#[test]
fn by_rules_the_first_match_counts_and_a_custom_role_picks_another_match() {
    let rules = rules(
        r#"
        type = "rules"
        ambiguous = "authenticated"
        rules = [
          { claim = "custom:tier", match = "equals", value = "gold", role = "gold" },
          { claim = "email", match = "contains", value = "@acme.example", role = "acme" },
          { claim = "custom:tier", match = "not-equal", value = "free", role = "paying" },
        ]"#,
    );
    let table = [
        (json!({"custom:tier": "gold", "email": "a@acme.example"}), None, role("gold"), Reason::Rule(0)),
        (json!({"custom:tier": "gold", "email": "a@acme.example"}), Some("acme"), role("acme"), Reason::CustomRole),
        (json!({"custom:tier": "gold", "email": "a@acme.example"}), Some("paying"), role("paying"), Reason::CustomRole),
        (json!({"custom:tier": "gold"}), Some("acme"), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (json!({"custom:tier": "gold"}), Some("other"), Outcome::Deny, Reason::CustomRoleNotAllowed),
        (json!({"custom:tier": "silver"}), None, role("paying"), Reason::Rule(2)),
        (json!({"custom:tier": "free"}), None, Outcome::AuthenticatedRole, Reason::NoRuleMatches),
        (json!({}), None, Outcome::AuthenticatedRole, Reason::NoRuleMatches),
        // The claims of type Token say nothing here.
        (
            json!({"cognito:roles": ["x"], "cognito:preferred_role": "x"}),
            None,
            Outcome::AuthenticatedRole,
            Reason::NoRuleMatches,
        ),
    ];
    for (token, custom, outcome, reason) in table {
        let selection = select(&rules, &claims(token.clone()), custom);
        assert_eq!(selection, Selection { outcome, reason }, "{token} {custom:?}");
    }
}

#[test]
fn a_claim_matches_by_its_text_and_a_missing_one_never() {
    use Match::{Contains, Equals, NotEqual, StartsWith};
    // In the order equals, not-equal, starts-with, contains; the value is "gold".
    let table = [
        (json!({"c": "gold"}), [true, false, true, true]),
        (json!({"c": "golden"}), [false, true, true, true]),
        (json!({"c": "marigold"}), [false, true, false, true]),
        (json!({"c": "Gold"}), [false, true, false, false]),
        (json!({"c": ""}), [false, true, false, false]),
        (json!({"c": 7}), [false, true, false, false]),
        (json!({"c": null}), [false; 4]),
        (json!({"C": "gold"}), [false; 4]),
        (json!({}), [false; 4]),
        (json!({"c": {"gold": "gold"}}), [false; 4]),
        (json!({"c": ["silver", "gold"]}), [true, false, false, true]),
        (json!({"c": ["golden"]}), [false; 4]),
        (json!({"c": [["gold"]]}), [false; 4]),
        (json!({"c": []}), [false; 4]),
    ];
    for (token, expected) in table {
        let found = [Equals, NotEqual, StartsWith, Contains].map(|matching| {
            let rule = RoleRule { claim: "c".to_owned(), matching, value: "gold".to_owned(), role: "r".to_owned() };
            matches(&rule, &claims(token.clone()))
        });
        assert_eq!(found, expected, "{token}");
    }
}

#[test]
fn numbers_and_booleans_are_compared_as_they_are_written() {
    let table = [(json!(true), "true", true), (json!(true), "True", false), (json!(10), "10", true)];
    for (value, text, expected) in table {
        let rule =
            RoleRule { claim: "c".to_owned(), matching: Match::Equals, value: text.to_owned(), role: "r".to_owned() };
        assert_eq!(matches(&rule, &claims(json!({"c": value}))), expected, "{value} {text}");
    }
}

#[test]
fn a_selection_leads_to_an_arn_or_to_none() {
    let rules = rules("ambiguous = \"authenticated\"\nauthenticated_role = \"authenticated\"");
    let table = [(role("a"), Some("a")), (Outcome::AuthenticatedRole, Some("authenticated")), (Outcome::Deny, None)];
    for (outcome, expected) in table {
        let selection = Selection { outcome, reason: Reason::NoRoleInToken };
        assert_eq!(rules.arn(&selection), expected, "{selection:?}");
    }
}
