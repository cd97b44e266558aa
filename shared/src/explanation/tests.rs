//! One person through all rules, and what an operator may expect of it.

#![expect(clippy::disallowed_macros, reason = "these tests are about the files that ship")]

use serde_json::json;

use super::*;
use crate::attributes::Attributes;
use crate::claims::EventVersion;

const RULES: &str = include_str!("../../../rules/rules.toml");

fn rules() -> Rules {
    Rules::read(RULES).unwrap()
}

fn user(text: &str) -> User {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const ADMIN: &str = r#"
user_name = "ann"
attributes = { sub = "aaaaaaaa-0000-4000-8000-000000000001", email = "ann@acme.example", "custom:plan" = "gold" }
groups = ["users"]
memberships = [{ tenant = "acme", roles = ["admin"] }]
"#;

fn asking(text: &str, requests: &[(&str, &str)]) -> Situation {
    let requests = requests.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    Situation { requests, ..Situation::of(user(text)) }
}

#[test]
fn an_administrator_is_explained_from_tenant_to_route() {
    let told = explain(&rules(), &asking(ADMIN, &[("GET", "/items/7"), ("GET", "/tenants/globex"), ("GET", "/x")]));
    assert_eq!((told.tenancy.active.as_ref().unwrap().as_str(), told.tenancy.reason), ("acme", "OnlyMembership"));
    let [id, access] = told.tokens.as_slice() else { panic!("{:?}", told.tokens) };
    assert_eq!((id.token, access.token), ("id", "access"));
    for (name, value) in [("tenant", json!("acme")), ("roles", json!(["admin"])), ("plan", json!("gold"))] {
        assert_eq!((id.before.get(name), id.after.get(name)), (None, Some(&value)), "{name}");
    }
    assert_eq!(access.after["scope"], "aws.cognito.signin.user.admin items/read items/write");
    assert_eq!(access.after.get("plan"), None);
    assert_eq!(id.bytes_after, serde_json::to_string(&id.after).unwrap().len());
    assert!(id.characters_after > id.characters_before && id.characters_after > id.bytes_after * 4 / 3);
    let role = told.iam_role.unwrap();
    assert_eq!((role.role.as_deref(), role.reason), (Some("AdministratorRole"), "Rule"));
    assert_eq!(role.rule.as_deref(), Some("roles.rules[0]"));
    let answer = |index: usize| told.routes[index].answer.clone();
    assert_eq!(answer(0), Answer::Allow("/me".to_owned()));
    assert_eq!(answer(3), Answer::Within("acme".to_owned()));
    let requests: Vec<_> = told.requests.iter().map(|one| one.answers[0].answer.clone()).collect();
    let expected =
        [Answer::Allow("/items/{id}".to_owned()), Answer::Refuse("TenantDiffers"), Answer::Refuse("RouteUnknown")];
    assert_eq!(requests, expected);
    assert_eq!(told.requests[0].answers[1].answer, Answer::Refuse("TokenKindRefused"), "the ID token opens no API");
}

#[test]
fn each_entry_says_why_it_counts_or_not() {
    let member = ADMIN.replace("[\"admin\"]", "[\"member\"]").replace(", \"custom:plan\" = \"gold\"", "");
    let told = explain(&rules(), &asking(&member, &[]));
    let entry = |path: &str, token: &str| {
        let entry = told.claims.iter().find(|entry| entry.path == path && entry.token == token).unwrap();
        (entry.claim.as_str(), entry.outcome, entry.by.as_deref())
    };
    assert_eq!(entry("claims.map[0]", "access"), ("tenant", "Added", None));
    assert_eq!(entry("claims.map[3]", "id"), ("plan", "NoValue", None));
    assert_eq!(entry("claims.map[4]", "id"), ("support", "ConditionUnmet", Some("role")));
    assert_eq!((told.scopes[0].outcome, told.scopes[0].by.as_deref()), ("ConditionUnmet", Some("role")));
    let role = told.iam_role.unwrap();
    assert_eq!((role.role.as_deref(), role.reason, role.rule), (Some("AuthenticatedRole"), "NoRuleMatches", None));
    let members = told.routes.iter().find(|route| route.path == "/admin/members");
    assert_eq!(members.map(|route| &route.answer), Some(&Answer::Refuse("RoleMissing")));
}

#[test]
fn a_token_that_is_refused_ends_the_explanation() {
    let text = RULES.replace("without_directory = \"issue-without-rights\"", "without_directory = \"refuse\"");
    let rules = Rules::read(&text).unwrap();
    let told = explain(&rules, &asking(&format!("{ADMIN}directory_unread = true"), &[]));
    assert_eq!((told.refused, told.tokens.len(), told.routes.len()), (Some("DirectoryUnread"), 0, 0));
    let told = explain(&self::rules(), &asking(&format!("{ADMIN}directory_unread = true"), &[]));
    assert_eq!((told.refused, told.tenancy.reason), (None, "DirectoryUnread"));
    assert_eq!(told.tokens[0].after.get("tenant"), None);
}

#[test]
fn a_machine_gets_an_access_token_and_nothing_of_a_person() {
    let mut situation = asking("", &[("GET", "/items")]);
    situation.source = "TokenGeneration_ClientCredentials".to_owned();
    situation.event_version = Some(EventVersion::V3);
    situation.scopes = vec!["items/read".to_owned()];
    let told = explain(&rules(), &situation);
    assert_eq!(told.tokens.iter().map(|token| token.token).collect::<Vec<_>>(), ["access"]);
    assert_eq!((told.iam_role, told.tenancy.reason), (None, "NoMembership"));
    assert!(told.routes.iter().all(|route| matches!(route.answer, Answer::Refuse(_))), "{:?}", told.routes);
    assert_eq!(told.requests[0].answers.len(), 1);
}

#[test]
fn who_has_just_signed_up_is_placed_by_the_rules() {
    let new = "new = true\nattributes = { email = \"bob@acme.example\", email_verified = \"true\" }";
    let told = explain(&rules(), &asking(new, &[]));
    assert_eq!(told.tenancy.active.as_ref().map(|tenant| tenant.as_str()), Some("acme"));
    assert_eq!((told.groups.kept, told.groups.groups), (false, vec!["users".to_owned()]));
    let unproved = new.replace("\"true\"", "\"false\"");
    assert_eq!(explain(&rules(), &asking(&unproved, &[])).tenancy.active, None);
}

#[test]
fn a_role_that_the_caller_asks_for_is_given_only_if_it_is_his() {
    for (asked, role, reason) in
        [("AdministratorRole", Some("AdministratorRole"), "CustomRole"), ("OtherRole", None, "CustomRoleNotAllowed")]
    {
        let mut situation = asking(ADMIN, &[]);
        situation.custom_role = Some(asked.to_owned());
        let told = explain(&rules(), &situation).iam_role.unwrap();
        assert_eq!((told.role.as_deref(), told.reason), (role, reason), "{asked}");
    }
}

#[test]
fn a_newcomer_learns_whether_he_comes_in_and_what_it_takes() {
    let ann = Attributes::from([("email", "ann@acme.example"), ("email_verified", "true")]);
    let told = newcomer(&rules(), "PreSignUp_SignUp", Some("ann"), &Attributes::from([("email", "ann@acme.example")]));
    assert_eq!((told.sign_up, told.needs.len(), told.account), ("accept", 0, "separate"));
    let invited = Rules::read(&RULES.replace("mode = \"open\"", "mode = \"invited\"")).unwrap();
    let told = newcomer(&invited, "PreSignUp_SignUp", Some("ann"), &Attributes::from([("email", "ann@acme.example")]));
    assert_eq!((told.sign_up, told.needs), ("accept", vec![("an invitation", "NotInvited")]));
    let mut federated = ann.clone();
    let subject = [("custom:provider_subject".to_owned(), "Abc".to_owned())];
    federated =
        federated.names().map(|name| (name.to_owned(), ann.get(name).unwrap().to_owned())).chain(subject).collect();
    let told = newcomer(&rules(), "PreSignUp_ExternalProvider", Some("google_abc"), &federated);
    assert_eq!((told.sign_up, told.account), ("accept", "linked"));
    let told = newcomer(&rules(), "PreSignUp_ExternalProvider", Some("other_abc"), &federated);
    assert_eq!((told.sign_up, told.account), ("UnknownProvider", "LinkProviderUnknown"));
    let challenge = "[sign_up.challenge]\nparameter = \"captcha\"\nverify_url = \"https://a.example/\"\n\
                     hostnames = [\"app.a.example\"]\n[[providers]]\nname = \"Google\"";
    let asked = Rules::read(&RULES.replacen("[[providers]]\nname = \"Google\"", challenge, 1)).unwrap();
    let told = newcomer(&asked, "PreSignUp_SignUp", Some("ann"), &Attributes::from([("email", "ann@acme.example")]));
    assert_eq!((told.sign_up, told.needs), ("accept", vec![("a solved challenge", "ChallengeMissing")]));
}

/// What is found to be unlike the expectation of the administrator.
fn unlike(expectation: &str) -> Vec<String> {
    let expectation: Expectation = toml::from_str(expectation).unwrap_or_else(|error| panic!("{expectation}: {error}"));
    let mut situation = asking(ADMIN, &[]);
    situation.requests = expectation.requests().unwrap();
    let newcomer = newcomer(&rules(), "PreSignUp_SignUp", Some("ann"), &situation.user.attributes);
    let found = expectation.check(&explain(&rules(), &situation), &newcomer);
    found.into_iter().map(|one| format!("{} {}", one.what, one.rule.unwrap_or_default()).trim().to_owned()).collect()
}

#[test]
fn each_expectation_has_one_that_is_met_and_one_that_is_not() {
    let table = [
        ("sign_up = \"AttributeForbidden\"", "sign_up = \"accept\"", "sign_up"),
        ("tenant = \"acme\"", "tenant = \"\"", "tenant"),
        ("roles = [\"admin\"]", "roles = []", "roles"),
        ("reason = \"OnlyMembership\"", "reason = \"Chosen\"", "reason"),
        ("[id.has]\ntenant = \"acme\"", "[id.has]\ntenant = \"globex\"", "id.has.tenant claims.map[0] Added"),
        ("[id.has]\nsupport = true", "[id.has]\nsupport = \"true\"", "id.has.support claims.map[4] Added"),
        ("[id]\nlacks = [\"level\"]", "[id]\nlacks = [\"plan\"]", "id.lacks.plan claims.map[3] Added"),
        ("[access]\nlacks = [\"plan\"]", "[access.has]\nplan = \"gold\"", "access.has.plan"),
        (
            "scopes = [\"aws.cognito.signin.user.admin\", \"items/read\", \"items/write\"]",
            "scopes = [\"items/read\"]",
            "scopes",
        ),
        ("groups = [\"users\"]", "groups = []", "groups"),
        ("iam_role = \"AdministratorRole\"", "iam_role = \"\"", "iam_role roles.rules[0]"),
        ("allow = [\"GET /items/7\"]", "deny = [\"GET /items/7\"]", "deny GET /items/7"),
        ("deny = [\"GET /tenants/globex\"]", "allow = [\"GET /tenants/globex\"]", "allow GET /tenants/globex"),
        ("", "refused = \"DirectoryUnread\"", "refused"),
    ];
    for (met, unmet, what) in table {
        assert_eq!(unlike(met), [""; 0], "{met}");
        assert_eq!(unlike(unmet), [what], "{unmet}");
    }
}

#[test]
fn a_request_of_an_expectation_is_a_method_and_a_path() {
    let expectation = Expectation { allow: vec!["GET".to_owned()], ..Expectation::default() };
    assert_eq!(expectation.requests(), Err("GET".to_owned()));
}
