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
    let plan = plan(&rules, request, Facts { invitations, now: 1_000 });
    match facts_needed(&rules, request) {
        FactsNeeded::Invitations(address) => assert_eq!(Some(address), plan.email),
        FactsNeeded::Nothing => assert_eq!(plan.email, None),
    }
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
