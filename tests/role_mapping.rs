//! The identity pool's role mapping in `template.yaml` is the `[roles]` section
//! of the rule file, and chooses what `shared` chooses by it.
//!
//! `UPDATE_TEMPLATE=1 cargo test -p tests --test role_mapping` writes it anew.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a check fails by panicking"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared::roles::{Ambiguous, Match, RoleKind, RoleRules, select};
use shared::rules::Rules;
use tests::template::{ACCOUNT, Template, items};
use tests::workspace_root;

/// The lines between which the mapping is written.
const BEGIN: &str = "# from rules/rules.toml, by UPDATE_TEMPLATE=1: begin";
const END: &str = "# from rules/rules.toml: end";

// ---- Writing

/// The mapping's lines, without their indent. Where the rules are written once,
/// `shared_rules` repeats them by their anchor.
fn mapping(rules: &RoleRules, shared_rules: bool) -> Vec<String> {
    let kind = match rules.kind {
        RoleKind::Token => "Token",
        RoleKind::Rules => "Rules",
    };
    let ambiguous = match rules.ambiguous {
        Ambiguous::Authenticated => "AuthenticatedRole",
        Ambiguous::Deny => "Deny",
    };
    let mut lines = vec![format!("Type: {kind}"), format!("AmbiguousRoleResolution: {ambiguous}")];
    match rules.kind {
        RoleKind::Token => {}
        RoleKind::Rules if shared_rules => lines.push("RulesConfiguration: *role-rules".to_owned()),
        RoleKind::Rules => {
            lines.push("RulesConfiguration: &role-rules".to_owned());
            lines.push("  Rules:".to_owned());
            for rule in &rules.rules {
                let matching = match rule.matching {
                    Match::Equals => "Equals",
                    Match::NotEqual => "NotEqual",
                    Match::StartsWith => "StartsWith",
                    Match::Contains => "Contains",
                };
                lines.push(format!("    - Claim: {}", json!(rule.claim)));
                lines.push(format!("      MatchType: {matching}"));
                lines.push(format!("      Value: {}", json!(rule.value)));
                lines.push(format!("      RoleARN: {}", reference(&rule.role)));
            }
        }
    }
    lines
}

/// A role as the template names it.
fn reference(role: &str) -> String {
    if role.starts_with("arn:") { json!(role).to_string() } else { format!("!GetAtt {role}.Arn") }
}

/// The template with the mapping of these rules in each marked place.
fn written(template: &str, rules: &RoleRules) -> String {
    let (mut out, mut inside, mut places) = (String::new(), false, 0);
    for line in template.lines() {
        let text = line.trim_start();
        inside &= text != END;
        if !inside {
            out.push_str(line);
            out.push('\n');
        }
        if text == BEGIN {
            let indent: String = line.chars().take_while(|sign| *sign == ' ').collect();
            for added in mapping(rules, places > 0) {
                out.push_str(&format!("{indent}{added}\n"));
            }
            inside = true;
            places += 1;
        }
    }
    assert_eq!(places, 2, "one place for each client that the identity pool takes");
    out
}

fn template_file() -> String {
    std::fs::read_to_string(workspace_root().join("template.yaml")).unwrap()
}

fn shipped() -> Rules {
    let text = std::fs::read_to_string(workspace_root().join("rules/rules.toml")).unwrap();
    Rules::read(&text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_template_has_the_mapping_of_the_rule_file() {
    let (file, rules) = (template_file(), shipped().roles);
    let expected = written(&file, &rules);
    if std::env::var_os("UPDATE_TEMPLATE").is_some() {
        std::fs::write(workspace_root().join("template.yaml"), &expected).unwrap();
    }
    let same = template_file() == expected;
    assert!(same, "rules/rules.toml says something else; UPDATE_TEMPLATE=1 cargo test -p tests --test role_mapping");
}

#[test]
fn the_roles_that_the_rules_name_are_in_the_template_and_trust_the_identity_pool() {
    let (template, rules) = (Template::read().unwrap(), shipped().roles);
    let pool = template.resource("IdentityPoolRoles").unwrap()["Properties"].clone();
    if let Some(role) = &rules.authenticated_role {
        assert_eq!(arn(&template, role), template.resolve(&pool["Roles"]["authenticated"]).unwrap());
    }
    let named = rules.rules.iter().map(|rule| &rule.role).chain(&rules.authenticated_role);
    for role in named.filter(|role| !role.starts_with("arn:")) {
        let trust = &template.resource(role).unwrap()["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        let trusted: Vec<&Value> = items(trust).map(|statement| &statement["Principal"]["Federated"]).collect();
        assert_eq!(trusted, ["cognito-identity.amazonaws.com"], "{role}");
    }
}

#[test]
fn the_groups_of_the_pool_are_those_of_the_rules() {
    let (template, rules) = (Template::read().unwrap(), shipped().roles);
    for group in &rules.groups {
        let mut made = template.of_type("AWS::Cognito::UserPoolGroup");
        let (_, made) =
            made.find(|(_, made)| made["Properties"]["GroupName"] == group.name.as_str()).expect(&group.name);
        assert_eq!(made["Properties"]["Precedence"].as_u64(), group.precedence.map(u64::from), "{}", group.name);
        let role = template.resolve(&made["Properties"]["RoleArn"]).unwrap();
        assert_eq!(
            role.as_str().map(str::to_owned),
            group.role.as_deref().map(|role| arn(&template, role)),
            "{}",
            group.name
        );
    }
}

// ---- Reading, as AWS does

/// What the identity pool answers, read from the template's own mapping by AWS's
/// pages and not by our code. `None` is no credentials.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html>
fn given(attachment: &Value, client: &str, claims: &Map<String, Value>, custom: Option<&str>) -> Option<String> {
    let mapping = &attachment["RoleMappings"][client];
    let roles: Vec<&str> = match mapping["Type"].as_str().expect("a type") {
        "Token" => claims
            .get("cognito:roles")
            .map(|roles| items(roles).filter_map(Value::as_str).collect())
            .unwrap_or_default(),
        "Rules" => {
            let rules = items(&mapping["RulesConfiguration"]["Rules"]);
            rules.filter(|rule| holds(rule, claims)).filter_map(|rule| rule["RoleARN"].as_str()).collect()
        }
        other => panic!("{other} is no type of mapping"),
    };
    if let Some(custom) = custom {
        return roles.contains(&custom).then(|| custom.to_owned());
    }
    let chosen = match mapping["Type"].as_str() {
        Some("Token") => claims.get("cognito:preferred_role").and_then(Value::as_str),
        _ => roles.first().copied(),
    };
    let fallback = match mapping["AmbiguousRoleResolution"].as_str().expect("what happens in doubt") {
        "AuthenticatedRole" => attachment["Roles"]["authenticated"].as_str(),
        "Deny" => None,
        other => panic!("{other} is no resolution"),
    };
    chosen.or(fallback).map(str::to_owned)
}

/// "If the claim is not there, the rule isn't evaluated", `NotEqual` neither.
fn holds(rule: &Value, claims: &Map<String, Value>) -> bool {
    let wanted = rule["Value"].as_str().expect("a value");
    let Some(claim) = claims.get(rule["Claim"].as_str().expect("a claim")).and_then(Value::as_str) else {
        return false;
    };
    match rule["MatchType"].as_str().expect("a match type") {
        "Equals" => claim == wanted,
        "NotEqual" => claim != wanted,
        "StartsWith" => claim.starts_with(wanted),
        "Contains" => claim.contains(wanted),
        other => panic!("{other} is no match type"),
    }
}

/// The ARN of a role that the rules name in either way.
fn arn(template: &Template, role: &str) -> String {
    if role.starts_with("arn:") {
        return role.to_owned();
    }
    let arn = template.resolve(&json!({ "Fn::GetAtt": [role, "Arn"] })).unwrap();
    arn.as_str().unwrap().to_owned()
}

/// A template that was written for some rules, and those rules.
struct Both {
    template: Template,
    attachment: Value,
    rules: RoleRules,
}

impl Both {
    fn of(rules: RoleRules) -> Self {
        let template = Template::parse(&written(&template_file(), &rules)).expect("the written template is YAML");
        let template = template.with("OtherProviders", "CorpOIDC").unwrap();
        let attachment = template.resolve(&template.resource("IdentityPoolRoles").unwrap()["Properties"]).unwrap();
        Self { template, attachment, rules }
    }

    fn read(text: &str) -> Self {
        Self::of(toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
    }

    /// Asks both, through either client; they must agree.
    fn ask(&self, claims: &Value, custom: Option<&str>) -> Option<String> {
        let claims = claims.as_object().expect("claims are an object");
        let expected = select(&self.rules, claims, custom);
        let expected = self.rules.arn(&expected).map(|role| arn(&self.template, role));
        for client in ["WebClient", "FederatedClient"] {
            let custom = custom.map(|role| arn(&self.template, role));
            let given = given(&self.attachment, client, claims, custom.as_deref());
            assert_eq!(given, expected, "{client}: {claims:?} {custom:?} by {:?}", self.rules);
        }
        expected
    }
}

fn role(name: &str) -> Option<String> {
    Some(format!("arn:aws:iam::{ACCOUNT}:role/{name}"))
}

#[test]
fn the_shipped_mapping_gives_administrators_their_role_and_everybody_else_the_plain_one() {
    let both = Both::of(shipped().roles);
    let rows = [
        (json!({ "identity_role": "admin" }), None, role("AdministratorRole")),
        (json!({}), None, role("AuthenticatedRole")),
        (json!({ "identity_role": "" }), None, role("AuthenticatedRole")),
        (json!({ "identity_role": "Admin" }), None, role("AuthenticatedRole")),
        (json!({ "identity_role": "administrator" }), None, role("AuthenticatedRole")),
        (json!({ "identity_role": null }), None, role("AuthenticatedRole")),
        // Roles of the tenant are not asked for, nor is anything that a user may write.
        (json!({ "roles": ["admin"], "name": "admin", "custom:plan": "admin" }), None, role("AuthenticatedRole")),
        // One may ask for a role that one has anyway, and for no other.
        (json!({ "identity_role": "admin" }), Some("AdministratorRole"), role("AdministratorRole")),
        (json!({}), Some("AdministratorRole"), None),
        (json!({ "identity_role": "admin" }), Some("AuthenticatedRole"), None),
        (json!({}), Some("AuthenticatedRole"), None),
    ];
    for (claims, custom, expected) in rows {
        assert_eq!(both.ask(&claims, custom), expected, "{claims} {custom:?}");
    }
}

#[test]
fn each_kind_of_match_is_written_and_read_alike() {
    let file = |matching: &str, ambiguous: &str| {
        format!(
            "type = \"rules\"\nambiguous = \"{ambiguous}\"\nauthenticated_role = \"AuthenticatedRole\"\n\
             [[rules]]\nclaim = \"department\"\nmatch = \"{matching}\"\nvalue = \"ops\"\nrole = \"AdministratorRole\""
        )
    };
    let claims = ["ops", "ops2", "devops", "Ops", "op", "x", ""];
    let rows: [(&str, &[&str]); 4] = [
        ("equals", &["ops"]),
        ("not-equal", &["ops2", "devops", "Ops", "op", "x", ""]),
        ("starts-with", &["ops", "ops2"]),
        ("contains", &["ops", "ops2", "devops"]),
    ];
    for (matching, expected) in rows {
        for (ambiguous, otherwise) in [("deny", None), ("authenticated", role("AuthenticatedRole"))] {
            let both = Both::read(&file(matching, ambiguous));
            for claim in claims {
                let expected = if expected.contains(&claim) { role("AdministratorRole") } else { otherwise.clone() };
                assert_eq!(
                    both.ask(&json!({ "department": claim }), None),
                    expected,
                    "{matching} {claim:?} {ambiguous}"
                );
            }
            // A missing claim matches nothing, "not-equal" included.
            assert_eq!(both.ask(&json!({}), None), otherwise, "{matching} {ambiguous}");
            assert_eq!(both.ask(&json!({ "other": "ops" }), None), otherwise, "{matching} {ambiguous}");
            assert_eq!(both.ask(&json!({}), Some("AdministratorRole")), None, "{matching} {ambiguous}");
        }
    }
}

/// As many rules as an identity pool takes, each with a role of its own.
fn twenty_five() -> String {
    let rule = |n: usize| {
        let matching = ["equals", "starts-with", "contains"][n % 3];
        let role = format!("arn:aws:iam::123456789012:role/team-{n}");
        format!("[[rules]]\nclaim = \"team\"\nmatch = \"{matching}\"\nvalue = \"t{n:02}\"\nrole = \"{role}\"\n")
    };
    format!("type = \"rules\"\n{}", (0..25).map(rule).collect::<String>())
}

#[test]
fn of_many_rules_the_first_that_matches_counts() {
    let both = Both::read(&twenty_five());
    assert_eq!(items(&both.attachment["RoleMappings"]["WebClient"]["RulesConfiguration"]["Rules"]).count(), 25);
    let rows = [
        ("t00", Some(0)),
        ("t24", Some(24)),
        ("t01", Some(1)),
        ("xt02", Some(2)),
        // It begins with t01 and contains t02, and the first rule of the two counts.
        ("t01 t02", Some(1)),
        ("t22 t05", Some(5)),
        ("t0", None),
        ("t00 ", None),
        ("t25", None),
    ];
    for (team, expected) in rows {
        let expected = expected.and_then(|n: usize| role(&format!("team-{n}")));
        assert_eq!(both.ask(&json!({ "team": team }), None), expected, "{team}");
    }
    // A role further down may be asked for by whoever matches its rule.
    let claims = json!({ "team": "t22 t05" });
    let asked = |n: usize| format!("arn:aws:iam::123456789012:role/team-{n}");
    assert_eq!(both.ask(&claims, Some(&asked(22))), role("team-22"));
    assert_eq!(both.ask(&claims, Some(&asked(21))), None);
}

#[test]
fn values_that_yaml_would_take_for_something_else_stay_texts() {
    for value in ["true", "0x1", "*role-rules", "a: b", "it's", "\\\"", "\\n", "!Ref X", "# no", "ü", "${AWS::Region}"]
    {
        let both = Both::of(RoleRules {
            kind: RoleKind::Rules,
            rules: toml::from_str::<RoleRules>(&format!(
                "[[rules]]\nclaim = \"c\"\nmatch = \"equals\"\nvalue = '''{value}'''\nrole = \"AdministratorRole\""
            ))
            .unwrap()
            .rules,
            ..RoleRules::default()
        });
        assert_eq!(both.ask(&json!({ "c": value }), None), role("AdministratorRole"), "{value}");
        assert_eq!(both.ask(&json!({ "c": "other" }), None), None, "{value}");
    }
}

#[test]
fn roles_of_groups_are_chosen_by_the_token() {
    let (admin, reader) = (role("AdministratorRole").unwrap(), role("Reader").unwrap());
    let rows = [
        (json!({ "cognito:roles": [admin, reader], "cognito:preferred_role": reader }), None, Some(&reader)),
        (json!({ "cognito:roles": [admin, reader], "cognito:preferred_role": reader }), Some(&admin), Some(&admin)),
        (json!({ "cognito:roles": [reader], "cognito:preferred_role": reader }), Some(&admin), None),
        // Two groups of the same precedence: the token prefers none.
        (json!({ "cognito:roles": [admin, reader] }), Some(&reader), Some(&reader)),
    ];
    for ambiguous in ["deny", "authenticated"] {
        let file = format!("type = \"token\"\nambiguous = \"{ambiguous}\"\nauthenticated_role = \"AuthenticatedRole\"");
        let both = Both::read(&file);
        assert!(both.attachment["RoleMappings"]["WebClient"]["RulesConfiguration"].is_null());
        for (claims, custom, expected) in &rows {
            assert_eq!(both.ask(claims, custom.map(String::as_str)).as_ref(), *expected, "{claims} {custom:?}");
        }
        let otherwise = if ambiguous == "deny" { None } else { role("AuthenticatedRole") };
        for claims in [json!({ "cognito:roles": [admin, reader] }), json!({}), json!({ "cognito:roles": [] })] {
            assert_eq!(both.ask(&claims, None), otherwise, "{claims} {ambiguous}");
        }
    }
}

fn any_rules() -> impl Strategy<Value = String> {
    let matching = prop::sample::select(vec!["equals", "not-equal", "starts-with", "contains"]);
    let claim = prop::sample::select(vec!["a", "b", "custom:c"]);
    let role = prop::sample::select(vec!["AdministratorRole", "AuthenticatedRole", "arn:aws:iam::123456789012:role/x"]);
    let rule = (claim, matching, "[xy]{1,3}", role).prop_map(|(claim, matching, value, role)| {
        format!("[[rules]]\nclaim = \"{claim}\"\nmatch = \"{matching}\"\nvalue = \"{value}\"\nrole = \"{role}\"\n")
    });
    let ambiguous = prop::sample::select(vec!["deny", "authenticated"]);
    (ambiguous, prop::collection::vec(rule, 1..6)).prop_map(|(ambiguous, rules)| {
        let head = "type = \"rules\"\nauthenticated_role = \"AuthenticatedRole\"\n";
        format!("{head}ambiguous = \"{ambiguous}\"\n{}", rules.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn template_and_rules_agree_on_any_claims(
        file in any_rules(),
        claims in prop::collection::vec(
            prop::collection::btree_map(prop::sample::select(vec!["a", "b", "custom:c"]), "[xy]{0,4}", 0..4),
            1..20,
        ),
        custom in prop::option::of(prop::sample::select(vec!["AdministratorRole", "AuthenticatedRole"])),
    ) {
        let both = Both::read(&file);
        let answers: BTreeSet<_> = claims.iter().map(|claims| both.ask(&json!(claims), custom)).collect();
        prop_assert!(!answers.is_empty());
    }
}
