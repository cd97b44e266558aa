//! Every rule with a row that obeys it and a row that breaks it.

use super::*;

const RULES: &str = r#"
version = 1
sign_up = { mode = "open" }

[[providers]]
name = "Google"
trusts_email = true

[[providers]]
name = "loose"
trusts_email = false

[tenants]
source = "directory"

[[tenants.placements]]
tenant = "acme"
roles = ["admin"]
email_domains = ["boss.acme.example"]

[[tenants.placements]]
tenant = "acme"
roles = ["member"]
email_domains = ["acme.example", "*.acme.example"]

[[tenants.placements]]
tenant = "globex"
roles = ["member"]
email_domains = ["globex.example"]
providers = ["google"]

[[tenants.placements]]
tenant = "initech"
providers = ["LOOSE"]

[[groups]]
name = "users"

[[groups]]
name = "staff"
email_domains = ["acme.example"]

[[groups]]
name = "staff"
providers = ["loose"]

[claims]
token_version = "v2"
"#;

const UUID: &str = "5f0c4f9e-1111-4222-8333-944445555666";
const GOOGLE: &str = r#"[{"userId":"1","providerName":"Google"}]"#;
const LOOSE: &str = r#"[{"userId":"1","providerName":"loose"}]"#;
const OTHER: &str = r#"[{"userId":"1","providerName":"Okta"}]"#;
const BOTH: &str = r#"[{"userId":"1","providerName":"Google"},{"userId":"1","providerName":"loose"}]"#;

/// Who comes, as the pool's event has it.
#[derive(Clone, Copy, Debug)]
struct Person {
    user_name: &'static str,
    email: &'static str,
    verified: &'static str,
    identities: &'static str,
}

fn native(email: &'static str) -> Person {
    Person { user_name: UUID, email, verified: "true", identities: "" }
}

fn federated(user_name: &'static str, identities: &'static str, email: &'static str) -> Person {
    Person { user_name, email, verified: "true", identities }
}

fn planned(person: Person, invitations: &[Invitation]) -> Plan {
    let rules = Rules::read(RULES).unwrap();
    let attributes = Attributes::from([
        ("sub", UUID),
        ("email", person.email),
        ("email_verified", person.verified),
        ("identities", person.identities),
        // What a client may have written gives nothing.
        ("custom:tenant", "globex"),
        ("custom:role", "admin"),
    ]);
    let request = Request { attributes: &attributes, user_name: Some(person.user_name) };
    let plan = plan(&rules, request, Facts { invitations, arrival: None, now: 1_000 });
    assert_eq!(facts_needed(&rules, request).invitations, plan.email);
    plan
}

/// `acme:admin,member globex:`
fn shown(memberships: &[Membership]) -> String {
    let show = |membership: &Membership| {
        assert_eq!(membership.status, Status::Active);
        let roles: Vec<_> = membership.roles.iter().map(RoleName::as_str).collect();
        format!("{}:{}", membership.tenant, roles.join(","))
    };
    memberships.iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_placement_goes_by_a_proved_address_and_a_proved_provider() {
    let unverified = |person: Person, verified: &'static str| Person { verified, ..person };
    let table = [
        (native("ann@acme.example"), "acme:member", "users staff"),
        (native("Ann@ACME.example"), "acme:member", "users staff"),
        (native("ann@eu.acme.example"), "acme:member", "users"),
        (native("ann@boss.acme.example"), "acme:admin", "users"),
        (native("ann@acme.example.evil.test"), "", "users"),
        (native("ann@evil.test#@acme.example"), "", "users"),
        (unverified(native("ann@acme.example"), "false"), "", "users"),
        (unverified(native("ann@acme.example"), ""), "", "users"),
        // A placement with both conditions needs both.
        (native("ann@globex.example"), "", "users"),
        (federated("google_1", GOOGLE, "ann@globex.example"), "globex:member", "users"),
        (federated("Google_1", GOOGLE, "ann@other.example"), "", "users"),
        (federated("google_1", GOOGLE, "ann@acme.example"), "acme:member", "users staff"),
        (unverified(federated("google_1", GOOGLE, "ann@globex.example"), "false"), "", "users"),
        // A provider that is not trusted proves itself, not an address.
        (federated("loose_1", LOOSE, "ann@acme.example"), "initech:", "users staff"),
        (federated("loose_1", LOOSE, ""), "initech:", "users staff"),
        // A user name proves nothing.
        (federated("google_1", "", "ann@globex.example"), "", "users"),
        (federated("loose_1", "", "ann@acme.example"), "", "users"),
        (federated("loose_1", GOOGLE, "ann@acme.example"), "", "users"),
        (federated("google_1", "[{", "ann@acme.example"), "", "users"),
        (federated("okta_1", OTHER, "ann@acme.example"), "", "users"),
        // Any linked provider may have overwritten the address.
        (federated(UUID, GOOGLE, "ann@acme.example"), "acme:member", "users staff"),
        (federated(UUID, LOOSE, "ann@acme.example"), "", "users"),
        (federated(UUID, OTHER, "ann@acme.example"), "", "users"),
        (federated(UUID, GOOGLE, "ann@globex.example"), "", "users"),
        (federated("google_1", BOTH, "ann@globex.example"), "", "users"),
    ];
    for (person, memberships, groups) in table {
        let plan = planned(person, &[]);
        assert_eq!(shown(&plan.memberships), memberships, "{person:?}");
        assert_eq!(plan.groups.join(" "), groups, "{person:?}");
    }
}

#[test]
fn an_invitation_counts_once_for_a_proved_address_until_it_expires() {
    let invitation = |tenant: &str, role: &str, expires_at| Invitation {
        tenant: TenantId::parse(tenant).unwrap(),
        roles: RoleName::parse(role).into_iter().collect(),
        expires_at,
    };
    let unverified = Person { verified: "false", ..native("ann@x.test") };
    let table = [
        (native("ann@x.test"), vec![invitation("globex", "admin", 1_001)], "globex:admin", "globex"),
        (native("ann@x.test"), vec![invitation("globex", "admin", 1_000)], "", ""),
        (native("ann@x.test"), vec![invitation("globex", "admin", 999)], "", ""),
        (native("ann@x.test"), vec![invitation("globex", "admin", 0)], "", ""),
        (unverified, vec![invitation("globex", "admin", 2_000)], "", ""),
        (federated("loose_1", LOOSE, "ann@x.test"), vec![invitation("globex", "admin", 2_000)], "initech:", ""),
        (
            native("ann@acme.example"),
            vec![invitation("globex", "admin", 2_000), invitation("acme", "owner", 2_000)],
            "acme:member,owner globex:admin",
            "acme globex",
        ),
        (
            native("ann@acme.example"),
            vec![invitation("acme", "owner", 999), invitation("globex", "", 2_000)],
            "acme:member globex:",
            "globex",
        ),
    ];
    for (person, invitations, memberships, taken) in table {
        let plan = planned(person, &invitations);
        assert_eq!(shown(&plan.memberships), memberships, "{person:?} {invitations:?}");
        let found: Vec<_> = plan.taken_invitations.iter().map(TenantId::as_str).collect();
        assert_eq!(found.join(" "), taken, "{person:?} {invitations:?}");
    }
}

#[test]
fn a_plan_is_the_same_whatever_the_order_of_the_invitations() {
    let invitation = |tenant: &str| Invitation {
        tenant: TenantId::parse(tenant).unwrap(),
        roles: BTreeSet::new(),
        expires_at: 2_000,
    };
    let forwards = [invitation("a"), invitation("b"), invitation("c")];
    let backwards = [invitation("c"), invitation("b"), invitation("a")];
    assert_eq!(planned(native("a@x.test"), &forwards), planned(native("a@x.test"), &backwards));
}

const ID: &str = "legacy-7";

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn role_set(roles: &[&str]) -> BTreeSet<RoleName> {
    roles.iter().map(|role| RoleName::parse(role).unwrap()).collect()
}

fn arrival(id: &str, address: &str) -> Arrival {
    let memberships = [("acme", &["owner"][..]), ("umbrella", &["admin", "member"])];
    let memberships = memberships.iter().map(|(name, roles)| (tenant(name), role_set(roles))).collect();
    let groups = ["staff", "umbrella:admin"].map(str::to_owned).into();
    Arrival::new(LegacyId::parse(id).unwrap(), address, memberships, groups).unwrap()
}

/// The plan for a person with these further attributes, and what it asks for.
fn moved_in(person: Person, id: &str, facts: Facts<'_>) -> (FactsNeeded, Plan) {
    let rules = Rules::read(RULES).unwrap();
    let attributes = Attributes::from([
        ("sub", UUID),
        ("email", person.email),
        ("email_verified", person.verified),
        ("identities", person.identities),
        ("custom:legacy_id", id),
    ]);
    let request = Request { attributes: &attributes, user_name: Some(person.user_name) };
    assert!(concerns_directory(&rules, request));
    (facts_needed(&rules, request), plan(&rules, request, facts))
}

#[test]
fn what_was_brought_along_counts_for_the_one_user_whom_it_names() {
    let unproved = |email| Person { verified: "false", ..native(email) };
    let named = |user_name| Person { user_name, ..native("ann@other.example") };
    let table = [
        ("by the address", native("ann@x.test"), ID, "ann@x.test", true),
        ("in another case", native("Ann@X.test"), ID, "aNN@x.TEST", true),
        ("by the user name", named("ann.old"), ID, "Ann.Old", true),
        ("an address that the old system had not checked", unproved("ann@x.test"), ID, "ann@x.test", true),
        (
            "another's address, which a client that wrote the identifier does not have",
            native("eve@x.test"),
            ID,
            "ann@x.test",
            false,
        ),
        ("another's user name", named("eve"), ID, "ann.old", false),
        ("an address that only begins so", native("ann@x.test.evil.test"), ID, "ann@x.test", false),
        ("a letter that only folds to the same", named("\u{212a}ann"), ID, "kann", false),
        ("no address at all", Person { email: "", ..named("") }, ID, "ann@x.test", false),
        ("another's identifier", native("ann@x.test"), "legacy-8", "ann@x.test", false),
        ("an identifier in another case", native("ann@x.test"), "Legacy-7", "ann@x.test", false),
        ("no identifier", native("ann@x.test"), "", "ann@x.test", false),
        ("an identifier that is none", native("ann@x.test"), "legacy#7", "ann@x.test", false),
        ("a provider's user", federated("google_1", GOOGLE, "ann@x.test"), ID, "ann@x.test", false),
        ("a provider's user by name", federated("google_1", GOOGLE, "ann@x.test"), ID, "google_1", false),
        ("linked with a trusted provider", federated(UUID, GOOGLE, "ann@x.test"), ID, "ann@x.test", true),
        (
            "an untrusted one may have written the address",
            federated(UUID, LOOSE, "ann@x.test"),
            ID,
            "ann@x.test",
            false,
        ),
        ("but not the user name", federated(UUID, LOOSE, "eve@x.test"), ID, UUID, true),
        ("identities that cannot be read", federated(UUID, "[{", "ann@x.test"), ID, "ann@x.test", false),
    ];
    for (name, person, id, address, expected) in table {
        let brought = arrival(ID, address);
        let facts = Facts { arrival: Some(&brought), now: 1_000, ..Facts::default() };
        let (needed, plan) = moved_in(person, id, facts);
        let count = if expected { 2 } else { 0 };
        assert_eq!(plan.takes_arrival, expected, "{name}");
        assert_eq!(plan.memberships.iter().filter(|one| one.tenant.as_str() != "initech").count(), count, "{name}");
        assert_eq!(plan.groups.iter().any(|group| group == "umbrella:admin"), expected, "{name}");
        assert!(!expected || needed.arrival.is_some_and(|asked| asked.as_str() == ID), "{name}: it was not asked for");
    }
}

#[test]
fn only_what_could_count_is_asked_for() {
    let unproved = Person { verified: "false", ..native("ann@x.test") };
    let table = [
        ("a user who was moved in", native("ann@x.test"), ID, Some("ann@x.test"), Some(ID)),
        ("with an unproved address", unproved, ID, None, Some(ID)),
        ("everybody else", native("ann@x.test"), "", Some("ann@x.test"), None),
        ("an identifier that is none", native("ann@x.test"), "a#b", Some("ann@x.test"), None),
        ("a provider's user", federated("google_1", GOOGLE, "ann@x.test"), ID, Some("ann@x.test"), None),
        ("nobody knows whose", federated(UUID, "[{", "ann@x.test"), ID, None, None),
    ];
    for (name, person, id, address, legacy) in table {
        let (needed, plan) = moved_in(person, id, Facts { now: 1_000, ..Facts::default() });
        assert_eq!(needed.invitations.as_ref().map(EmailAddress::as_str), address, "{name}");
        assert_eq!(needed.arrival.as_ref().map(LegacyId::as_str), legacy, "{name}");
        assert!(!plan.takes_arrival, "{name}: what is not there was taken");
    }
}

#[test]
fn where_groups_say_it_all_only_those_who_were_moved_in_concern_the_directory() {
    let text = "version = 1\nsign_up = { mode = \"open\" }\ntenants = { source = \"groups\" }\nclaims = { token_version = \"v2\" }";
    let rules = Rules::read(text).unwrap();
    for (id, expected) in [(ID, true), ("", false), ("a#b", false)] {
        let attributes = Attributes::from([("sub", UUID), ("email", "ann@x.test"), ("custom:legacy_id", id)]);
        let request = Request { attributes: &attributes, user_name: Some(UUID) };
        assert_eq!(concerns_directory(&rules, request), expected, "{id:?}");
    }
}

#[test]
fn placement_invitation_and_arrival_give_one_membership_for_each_tenant() {
    let invitation = |name: &str, role: &str| Invitation {
        tenant: tenant(name),
        roles: RoleName::parse(role).into_iter().collect(),
        expires_at: 2_000,
    };
    let invitations = [invitation("umbrella", "auditor"), invitation("acme", "guest"), invitation("hooli", "admin")];
    let brought = arrival(ID, "ann@acme.example");
    let all = Facts { invitations: &invitations, arrival: Some(&brought), now: 1_000 };
    let table = [
        ("nothing", Facts { now: 1_000, ..Facts::default() }, "acme:member", "users staff"),
        (
            "the arrival",
            Facts { arrival: Some(&brought), now: 1_000, ..Facts::default() },
            "acme:member,owner umbrella:admin,member",
            "users staff umbrella:admin",
        ),
        ("all", all, "acme:guest,member,owner hooli:admin umbrella:admin,auditor,member", "users staff umbrella:admin"),
    ];
    for (name, facts, memberships, groups) in table {
        let (_, plan) = moved_in(native("ann@acme.example"), ID, facts);
        assert_eq!(shown(&plan.memberships), memberships, "{name}");
        assert_eq!(plan.groups.join(" "), groups, "{name}");
    }
}

#[test]
fn a_plan_fits_into_one_transaction_and_leaves_the_invitations_that_do_not() {
    let number = |n: usize| tenant(&format!("t{n:03}"));
    let brought = |count: usize| {
        let memberships = (0..count).map(|n| (number(n), BTreeSet::new())).collect();
        Arrival::new(LegacyId::parse(ID).unwrap(), "ann@x.test", memberships, BTreeSet::new())
    };
    let invited = |from: usize, count: usize| -> Vec<Invitation> {
        let one = |n| Invitation { tenant: number(n), roles: BTreeSet::new(), expires_at: 2_000 };
        (from..from + count).map(one).rev().collect()
    };
    assert!(brought(Arrival::MOST_MEMBERSHIPS).is_some() && brought(Arrival::MOST_MEMBERSHIPS + 1).is_none());
    let table = [
        ("no more than fits", 0, invited(0, 49), 49, 49),
        ("each new tenant takes two", 0, invited(0, 60), 49, 49),
        ("beside an arrival", 50, invited(100, 30), 50 + 24, 24),
        ("a tenant that is given already takes one", 50, invited(0, 60), 50, 48),
        ("a mixture", 50, invited(40, 20), 60, 20),
    ];
    for (name, carried, invitations, memberships, taken) in table {
        let brought = brought(carried).unwrap();
        let facts = Facts { invitations: &invitations, arrival: Some(&brought), now: 1_000 };
        let (_, plan) = moved_in(native("ann@x.test"), ID, facts);
        assert_eq!((plan.memberships.len(), plan.taken_invitations.len()), (memberships, taken), "{name}");
        let writes = 2 + plan.memberships.len() + plan.taken_invitations.len();
        assert!(writes <= MOST_WRITES, "{name}: {writes}");
        assert!(plan.taken_invitations.is_sorted() && plan.takes_arrival, "{name}");
    }
}

#[test]
fn an_arrival_names_only_groups_that_a_pool_could_have() {
    let groups = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|&name| name.to_owned()).collect() };
    let many: Vec<String> = (0..=Arrival::MOST_GROUPS).map(|n| format!("g{n}")).collect();
    let long = "g".repeat(129);
    let table = [
        (groups(&[]), true),
        (groups(&["acme:admin", "\u{fc}ber"]), true),
        (many.iter().skip(1).cloned().collect(), true),
        (many.iter().cloned().collect(), false),
        (groups(&["a group"]), false),
        (groups(&[""]), false),
        (groups(&[&long]), false),
    ];
    for (groups, accepted) in table {
        let made = Arrival::new(LegacyId::parse(ID).unwrap(), "ann@x.test", BTreeMap::new(), groups.clone());
        assert_eq!(made.is_some(), accepted, "{groups:?}");
        let nobody = Arrival::new(LegacyId::parse(ID).unwrap(), "", BTreeMap::new(), groups);
        assert_eq!(nobody, None, "an arrival is addressed to somebody");
    }
}
