//! What is odd, and what only looks like it.

#![expect(clippy::disallowed_macros, reason = "these tests are about the files that ship")]

use super::*;
use crate::findings::Severity;

const BASE: &str = r#"
version = 1
[sign_up]
mode = "open"
allowed_domains = []
forbidden_attributes = ["custom:plan", "custom:legacy_id"]
[[providers]]
name = "Corp"
trusts_email = true
[tenants]
source = "both"
[[tenants.placements]]
tenant = "acme"
roles = ["member"]
email_domains = ["acme.example"]
[claims]
token_version = "v3"
[[claims.map]]
name = "tenant"
token = "both"
from = { membership = "tenant" }
[[claims.map]]
name = "roles"
token = "both"
from = { membership = "roles" }
[[claims.map]]
name = "kind"
token = "id"
from = { constant = "admin" }
when = { role = "admin" }
[[claims.scopes]]
role = "admin"
add = ["items/write"]
[roles]
type = "rules"
ambiguous = "authenticated"
authenticated_role = "UserRole"
[[roles.rules]]
claim = "kind"
match = "equals"
value = "admin"
role = "AdminRole"
[[routes]]
method = "GET"
path = "/tenants/{tenant}"
[[routes]]
method = "GET"
path = "/items"
"#;

fn found(text: &str) -> Vec<(String, String)> {
    let rules = Rules::read(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    findings(&rules).into_iter().map(|finding| (finding.code, finding.subject)).collect()
}

/// The base with one text in the place of another, or added at the end.
fn changed(from: &str, to: &str) -> String {
    if from.is_empty() {
        return format!("{BASE}{to}");
    }
    assert_eq!(BASE.matches(from).count(), 1, "{from}");
    BASE.replace(from, to)
}

fn revocation(mode: &str, rest: &str) -> String {
    format!("[revocation]\nmode = \"{mode}\"\n{rest}\n")
}

#[test]
fn roles_of_the_directory_alone_are_taken_back_at_once() {
    let text = changed("source = \"both\"", "source = \"directory\"");
    assert_eq!(found(&format!("{text}{}", revocation("on", ""))), []);
}

#[test]
fn rules_that_say_what_they_mean_are_not_odd() {
    assert_eq!(found(BASE), []);
    assert_eq!(found(include_str!("../../../rules/rules.toml")), []);
}

#[test]
fn each_oddity_is_found_at_its_key_and_its_opposite_is_not() {
    let rule = |claim: &str, matching: &str, value: &str, role: &str| {
        format!(
            "[[roles.rules]]\nclaim = \"{claim}\"\nmatch = \"{matching}\"\nvalue = \"{value}\"\nrole = \"{role}\"\n"
        )
    };
    let entry = |name: &str, from: &str, when: &str| {
        format!("[[claims.map]]\nname = \"{name}\"\ntoken = \"access\"\nfrom = {from}\nwhen = {when}\n")
    };
    let route = |rest: &str| format!("[[routes]]\nmethod = \"GET\"\n{rest}\n");
    let placement = |rest: &str| format!("[[tenants.placements]]\ntenant = \"acme\"\n{rest}\n");
    let group = |name: &str, rest: &str| format!("[[roles.groups]]\nname = \"{name}\"\n{rest}\n");
    let machines = "{ source = \"TokenGeneration_ClientCredentials\" }";
    // What is replaced, by what, and what is found.
    let table: Vec<(&str, String, &str)> = vec![
        // Issuers and fields.
        ("", "[[issuers]]\nname = \"corp\"\nissuer = \"https://login.corp.example\"\naudiences = [\"api\"]\ntenant = \"acme\"\n".into(), "IssuerUnused issuers[0].name"),
        (
            "",
            "[[issuers]]\nname = \"corp\"\nissuer = \"https://login.corp.example\"\naudiences = [\"api\"]\ntenant = \"acme\"\n[[routes]]\nmethod = \"GET\"\npath = \"/corp\"\nissuers = [\"corp\"]\n".into(),
            "",
        ),
        (
            "",
            "[graphql]\ncache_seconds = 60\n[[graphql.fields]]\ntype = \"Query\"\nfield = \"items\"\n".into(),
            "KeptAnswerOpensUnknownFields graphql.cache_seconds",
        ),
        ("", "[[graphql.fields]]\ntype = \"Query\"\nfield = \"items\"\n".into(), ""),
        // Who comes in.
        (
            "mode = \"open\"\nallowed_domains = []",
            "mode = \"closed\"\nallowed_domains = [\"a.example\"]".into(),
            "DeadRule sign_up.allowed_domains",
        ),
        ("allowed_domains = []", "allowed_domains = [\"a.example\"]".into(), ""),
        (
            "allowed_domains = []",
            "allowed_domains = [\"b.a.example\", \"*.a.example\"]".into(),
            "DeadRule sign_up.allowed_domains[0]",
        ),
        (
            "allowed_domains = []",
            "allowed_domains = [\"a.example\", \"a.example\"]".into(),
            "DeadRule sign_up.allowed_domains[1]",
        ),
        ("allowed_domains = []", "allowed_domains = [\"a.example\", \"*.a.example\"]".into(), ""),
        // Placements.
        (
            "[claims]\n",
            placement("email_domains = [\"acme.example\"]") + "[claims]\n",
            "PlacementShadowed tenants.placements[1]",
        ),
        (
            "[claims]\n",
            placement("email_domains = [\"acme.example\"]\nproviders = [\"corp\"]") + "[claims]\n",
            "PlacementShadowed tenants.placements[1]",
        ),
        ("[claims]\n", placement("providers = [\"Corp\"]") + "[claims]\n", ""),
        ("[claims]\n", placement("email_domains = [\"acme.example\", \"b.example\"]") + "[claims]\n", ""),
        // Groups that give nothing.
        (
            "[tenants]\nsource = \"both\"",
            "[[groups]]\nname = \"acme:member\"\nemail_domains = [\"a.example\"]\n[tenants]\nsource = \"directory\""
                .into(),
            "GroupGivesNoTenant groups[0].name",
        ),
        ("[tenants]\n", "[[groups]]\nname = \"acme:member\"\nemail_domains = [\"a.example\"]\n[tenants]\n".into(), ""),
        // Claims.
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", "{ role = \"admin\" }")
                + &entry("x", "{ constant = 2 }", "{ role = \"admin\", tenant = \"acme\" }")
                + "[[claims.scopes]]",
            "ClaimShadowed claims.map[4]",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", "{ role = \"admin\", tenant = \"acme\" }")
                + &entry("x", "{ constant = 2 }", "{ role = \"admin\" }")
                + "[[claims.scopes]]",
            "",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ attribute = \"name\" }", "{ role = \"admin\" }")
                + &entry("x", "{ constant = 2 }", "{ role = \"admin\" }")
                + "[[claims.scopes]]",
            "",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ attribute = \"custom:note\" }", "{ role = \"admin\" }") + "[[claims.scopes]]",
            "ClaimFromOpenAttribute claims.map[3].from",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ attribute = \"custom:plan\" }", "{ role = \"admin\" }") + "[[claims.scopes]]",
            "",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", "{ group = \"acme:admin\", tenant = \"globex\" }") + "[[claims.scopes]]",
            "ConditionNeverHolds claims.map[3].when.group",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", "{ group = \"acme:admin\", tenant = \"acme\" }") + "[[claims.scopes]]",
            "",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", "{ source = \"TokenGeneration_Hosted\" }") + "[[claims.scopes]]",
            "ConditionNeverHolds claims.map[3].when.source",
        ),
        ("[[claims.scopes]]", entry("x", "{ constant = 1 }", machines) + "[[claims.scopes]]", ""),
        (
            "[[claims.scopes]]",
            entry("x", "{ attribute = \"name\" }", machines) + "[[claims.scopes]]",
            "ConditionNeverHolds claims.map[3].when.source",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", machines).replace("\"access\"", "\"id\"") + "[[claims.scopes]]",
            "ConditionNeverHolds claims.map[3].when.source",
        ),
        (
            "[[claims.scopes]]",
            entry("x", "{ constant = 1 }", &machines.replace(" }", ", role = \"a\" }")) + "[[claims.scopes]]",
            "ConditionNeverHolds claims.map[3].when",
        ),
        // Scopes.
        (
            "[roles]",
            "[[claims.scopes]]\nsuppress = [\"items/write\"]\n[roles]".into(),
            "ScopeNeverAdded claims.scopes[0].add[0]",
        ),
        ("[roles]", "[[claims.scopes]]\nclient = \"a\"\nsuppress = [\"items/write\"]\n[roles]".into(), ""),
        // Budgets.
        (
            "token_version = \"v3\"",
            "token_version = \"v3\"\nbudget_bytes = { id = 90, access = 4096 }".into(),
            "TokenRefused claims.budget_bytes.id",
        ),
        (
            "token_version = \"v3\"",
            "token_version = \"v3\"\nbudget_bytes = { id = 105, access = 4096 }".into(),
            "TokenOverBudget claims.budget_bytes.id",
        ),
        ("token_version = \"v3\"", "token_version = \"v3\"\nbudget_bytes = { id = 150, access = 4096 }".into(), ""),
        // Roles.
        (
            "[[routes]]\nmethod = \"GET\"\npath = \"/items\"",
            rule("kind", "equals", "admin", "Other") + "[[routes]]\nmethod = \"GET\"\npath = \"/items\"",
            "RoleRuleShadowed roles.rules[1]",
        ),
        (
            "[[routes]]\nmethod = \"GET\"\npath = \"/items\"",
            rule("kind", "equals", "guest", "Other") + "[[routes]]\nmethod = \"GET\"\npath = \"/items\"",
            "RoleNeverSelected roles.rules[1]",
        ),
        ("claim = \"kind\"", "claim = \"kinds\"".into(), "RoleNeverSelected roles.rules[0]"),
        ("claim = \"kind\"", "claim = \"custom:plan\"".into(), ""),
        ("claim = \"kind\"", "claim = \"custom:level\"".into(), "RoleByOpenAttribute roles.rules[0].claim"),
        ("claim = \"kind\"", "claim = \"profile\"".into(), "RoleByOpenAttribute roles.rules[0].claim"),
        ("match = \"equals\"", "match = \"contains\"".into(), "RoleRuleLoose roles.rules[0].match"),
        (
            "match = \"equals\"\nvalue = \"admin\"",
            "match = \"not-equal\"\nvalue = \"user\"".into(),
            "RoleRuleLoose roles.rules[0].match",
        ),
        ("ambiguous = \"authenticated\"", "ambiguous = \"deny\"".into(), "RoleNeverSelected roles.authenticated_role"),
        ("[[roles.rules]]", group("a", "role = \"A\"") + "[[roles.rules]]", "RoleNeverSelected roles.groups[0].role"),
        // Routes.
        ("", route("path = \"/tenants/acme\""), "RouteShadowsTenant routes[2].path"),
        ("", route("path = \"/tenants/_all\""), ""),
        (
            "",
            route("path = \"/tenants/{x}/notes\"") + &route("path = \"/tenants/{tenant}/{y}\""),
            "RouteShadowsTenant routes[2].path",
        ),
        ("", route("path = \"/jobs\"\ntenant = false\nmachines = \"yes\""), "MachineRouteOpen routes[2].machines"),
        ("", route("path = \"/jobs\"\ntenant = false\nmachines = \"yes\"\nscopes = [\"jobs/run\"]"), ""),
        // Revocation. The tenants of these rules come from groups too.
        ("", revocation("off", "unavailable = \"allow\"\ncache_seconds = 60"), ""),
        ("", revocation("on", "cache_seconds = 10"), "RevocationSeesNoGroups revocation.mode"),
        (
            "",
            revocation("on", "cache_seconds = 11"),
            "RevocationCachedLong revocation.cache_seconds, RevocationSeesNoGroups revocation.mode",
        ),
        (
            "",
            revocation("on", "unavailable = \"allow\""),
            "RevocationFailsOpen revocation.unavailable, RevocationSeesNoGroups revocation.mode",
        ),
    ];
    for (from, to, expected) in table {
        let text = changed(from, &to);
        let found: Vec<String> = found(&text).into_iter().map(|(code, path)| format!("{code} {path}")).collect();
        assert_eq!(found.join(", "), expected, "{to}");
    }
}

#[test]
fn a_route_whose_scope_is_taken_out_of_every_token_is_dead() {
    let text = changed("", "[[routes]]\nmethod = \"GET\"\npath = \"/x\"\nscopes = [\"gone\"]\n")
        .replace("[roles]\n", "[[claims.scopes]]\nsuppress = [\"gone\"]\n[roles]\n");
    assert_eq!(found(&text), [("DeadRoute".to_owned(), "routes[2].scopes[0]".to_owned())]);
}

/// Row I09 of `tests/attacks.md`.
#[test]
fn groups_of_one_precedence_and_different_roles_are_a_tie_i09() {
    let table = [
        ("precedence = 1\nrole = \"A\"", "precedence = 1\nrole = \"B\"", true),
        ("precedence = 1\nrole = \"A\"", "precedence = 1\nrole = \"A\"", false),
        ("precedence = 1\nrole = \"A\"", "precedence = 2\nrole = \"B\"", false),
        ("precedence = 1\nrole = \"A\"", "precedence = 1", false),
        ("role = \"A\"", "role = \"B\"", true),
    ];
    let (before, rest) = BASE.split_once("[[roles.rules]]").unwrap();
    let (_, after) = rest.split_once("[[routes]]").unwrap();
    for (one, two, tie) in table {
        let text = format!(
            "{}[[roles.groups]]\nname = \"a\"\n{one}\n[[roles.groups]]\nname = \"b\"\n{two}\n[[routes]]{after}",
            before.replace("type = \"rules\"", "type = \"token\"")
        );
        let expected = if tie { vec![("PrecedenceTie".to_owned(), "roles.groups[1]".to_owned())] } else { vec![] };
        assert_eq!(found(&text), expected, "{one} {two}");
    }
}

#[test]
fn an_old_id_that_a_client_may_write_is_an_error_while_users_are_moved_in() {
    let migration = "[migration]\nstore = \"endpoint\"\nfinal_status = \"confirmed\"\nattributes = { email = \"email\" }\n\
                     [migration.lockout]\nfree_attempts = 5\nfirst_wait_s = 60\nlongest_wait_s = 900\noverall_per_minute = 300\n";
    let open = changed(", \"custom:legacy_id\"", "");
    for (text, expected) in [(open.clone(), 0), (format!("{BASE}{migration}"), 0), (format!("{open}{migration}"), 1)] {
        let rules = Rules::read(&text).unwrap_or_else(|problems| panic!("{problems}"));
        let found = findings(&rules);
        assert_eq!(found.iter().filter(|one| one.severity == Severity::Error).count(), expected, "{found:?}");
    }
}

#[test]
fn a_token_that_proxies_would_not_let_through_is_named_where_a_route_takes_it() {
    let attributes: String = ["a", "b", "c", "d"]
        .map(|name| {
            format!("[[claims.map]]\nname = \"{name}\"\ntoken = \"access\"\nfrom = {{ attribute = \"name\" }}\n")
        })
        .concat();
    let large = changed("[[claims.scopes]]", &format!("{attributes}[[claims.scopes]]"));
    let budget = |bytes: u32| {
        large.replace(
            "token_version = \"v3\"",
            &format!("token_version = \"v3\"\nbudget_bytes = {{ id = 6144, access = {bytes} }}"),
        )
    };
    assert_eq!(found(&budget(4096)), [("TokenOverBudget".to_owned(), "claims.budget_bytes.access".to_owned())]);
    assert_eq!(found(&budget(9000)), [("TokenTooLong".to_owned(), "claims.budget_bytes.access".to_owned())]);
    let by_id = budget(9000).replace("[[routes]]\n", "[[routes]]\ntoken = \"id\"\n");
    assert_eq!(found(&by_id), []);
}

#[test]
fn what_is_dropped_first_is_what_a_decision_drops_first() {
    let text = changed(
        "[[claims.scopes]]",
        "[[claims.map]]\nname = \"b\"\ntoken = \"id\"\nfrom = { attribute = \"name\" }\npriority = 9\n\
         [[claims.map]]\nname = \"a\"\ntoken = \"id\"\nfrom = { attribute = \"locale\" }\n[[claims.scopes]]",
    );
    let text =
        text.replace("token_version = \"v3\"", "token_version = \"v3\"\nbudget_bytes = { id = 200, access = 4096 }");
    let [id, access] = capacities(&Rules::read(&text).unwrap());
    assert_eq!((id.budget, id.dropped, access.dropped.len()), (200, vec!["b".to_owned(), "a".to_owned()], 0));
    assert!(id.largest > 4096 && id.memberships < 200 && id.always == 0, "{}", id.largest);
}

#[test]
fn each_version_says_what_it_cannot_carry() {
    let rules = Rules::read(&changed(
        "[[claims.scopes]]",
        "[[claims.map]]\nname = \"kind\"\ntoken = \"access\"\nfrom = { constant = \"robot\" }\n\
         when = { source = \"TokenGeneration_ClientCredentials\" }\n[[claims.scopes]]",
    ))
    .unwrap();
    let [v1, v2, v3] = carried(&rules);
    let lost = |one: &Carried| one.lost.iter().map(|lost| lost.path.clone()).collect::<Vec<_>>();
    assert!(lost(&v1).contains(&"claims.map[0].token".to_owned()), "{v1:?}");
    assert!(lost(&v1).contains(&"claims.scopes[0]".to_owned()), "{v1:?}");
    assert_eq!((lost(&v2), lost(&v3)), (vec!["claims.map[3]".to_owned()], Vec::new()));
    assert_eq!((v1.chosen, v2.chosen, v3.chosen), (false, false, true));
    assert_eq!((v1.plans.len(), v3.event_version), (3, "V3_0"));
}

#[test]
fn a_plan_that_is_too_small_is_an_error() {
    let table = [("v3", Plan::Lite, 1), ("v3", Plan::Essentials, 0), ("v3", Plan::Plus, 0)];
    for (version, plan, expected) in table {
        let rules = Rules::read(&BASE.replace("\"v3\"", &format!("\"{version}\""))).unwrap();
        let found = of_plan(&rules, plan);
        assert_eq!(found.len(), expected, "{version} {plan:?}");
        assert!(found.iter().all(|one| one.code == "PlanTooSmall" && one.why.contains("roles")), "{found:?}");
    }
    let small =
        "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"groups\"\n[claims]\ntoken_version = \"v1\"\n";
    assert_eq!(of_plan(&Rules::read(small).unwrap(), Plan::Lite), []);
}
