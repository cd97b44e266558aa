//! What the token of a machine client carries.

use super::*;

/// N10: only what is said of the client, and nothing of any person, even if the
/// event named one.
#[test]
fn a_machine_gets_what_its_client_is_given_and_nothing_of_a_person() {
    let text = r#"
        token_version = "v3"
        groups = "active-tenant"
        suppress = { id = ["email"], access = ["department"] }
        map = [
          { name = "tenant", token = "both", from = { membership = "tenant" } },
          { name = "my_groups", token = "access", from = { groups = true } },
          { name = "plan", token = "both", from = { attribute = "custom:plan" } },
          { name = "everyone", token = "both", from = { constant = true } },
          { name = "service", token = "access", from = { list = ["billing"] }, when = { client = "machine" } },
          { name = "other", token = "access", from = { constant = 1 }, when = { client = "web" } },
          { name = "by_group", token = "access", from = { constant = 1 }, when = { client = "machine", group = "beta" } },
          { name = "by_role", token = "access", from = { constant = 1 }, when = { role = "admin" } },
          { name = "by_tenant", token = "access", from = { constant = 1 }, when = { tenant = "acme" } },
        ]
        [[scopes]]
        add = ["for/everyone"]
        [[scopes]]
        add = ["items/read"]
        client = "machine"
        [[scopes]]
        add = ["items/write"]
        client = "machine"
        group = "beta"
        [[scopes]]
        suppress = ["old/scope"]
    "#;
    let mut person = Person::admin();
    person.groups = texts(&["acme:admin", "globex:admin", "beta"]);
    let request = Request {
        version: EventVersion::V3,
        source: "TokenGeneration_ClientCredentials",
        client_id: Some("machine"),
        machine: true,
        ..person.request()
    };
    let edits = issue(&rules(text), request);
    assert_eq!(json(&edits.access), r#"{"everyone":true,"service":["billing"]}"#);
    assert_eq!(edits.access.suppress, ["department"]);
    assert_eq!(edits.access.scopes_add, ["items/read"]);
    assert_eq!(edits.access.scopes_suppress, ["old/scope"]);
    assert_eq!(edits.id, TokenEdit::default());
    assert_eq!(edits.groups, GroupEdit::Keep);
}
