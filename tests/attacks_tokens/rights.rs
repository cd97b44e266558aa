//! What a genuine token opens, and what it does not.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::gateway::Passage;
use tests::{TokenIssuer, now};

use crate::{Gate, member};

#[test]
fn a_genuine_token_opens_what_it_is_for_and_nothing_else() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let (access, id) = (member(gate.issuer.access()), member(gate.issuer.id()));
    let client = gate.issuer.client_id.clone();
    let machine = gate.issuer.access().without("username").with("sub", client.as_str());
    let scoped = |scope: &str| access.clone().with("scope", scope);
    let table = [
        ("C19", "an access token where an ID token is asked for", access.clone(), "/profile", "TokenKindRefused"),
        ("C19", "an ID token where an access token is asked for", id.clone(), "/items", "TokenKindRefused"),
        ("C23", "an ID token", id.clone(), "/profile", "Allowed"),
        ("C23", "aud is a list of our client", id.clone().with("aud", json!([client])), "/profile", "Allowed"),
        ("C23", "aud names a stranger too", id.clone().with("aud", json!([client, "x"])), "/profile", "ClientRefused"),
        (
            "C23",
            "aud names our client twice",
            id.clone().with("aud", json!([client, client])),
            "/profile",
            "ClientRefused",
        ),
        (
            "C23",
            "aud names something else too",
            id.clone().with("aud", json!([client, 1])),
            "/profile",
            "ClientRefused",
        ),
        ("C23", "aud is a list in a list", id.clone().with("aud", json!([[client]])), "/profile", "ClientRefused"),
        ("C23", "aud is a stranger", id.clone().with("aud", "2example23456789"), "/profile", "ClientRefused"),
        ("C23", "aud is a list of a stranger", id.clone().with("aud", json!(["x"])), "/profile", "ClientRefused"),
        ("C23", "aud is null", id.clone().with("aud", json!(null)), "/profile", "ClientRefused"),
        ("C23", "aud is a number", id.clone().with("aud", 1), "/profile", "ClientRefused"),
        ("C23", "aud is an object", id.clone().with("aud", json!({"aud": client})), "/profile", "ClientRefused"),
        ("C23", "no aud", id.clone().without("aud"), "/profile", "ClientRefused"),
        ("C23", "aud in capitals", id.clone().with("aud", client.to_uppercase()), "/profile", "ClientRefused"),
        ("C23", "aud is an empty list", id.clone().with("aud", json!([])), "/profile", "ClientRefused"),
        ("C23", "aud is empty", id.clone().with("aud", ""), "/profile", "ClientRefused"),
        ("C25", "client_id disagrees with aud", id.clone().with("client_id", "x"), "/profile", "ClientRefused"),
        ("C25", "client_id agrees with aud", id.clone().with("client_id", client.as_str()), "/profile", "Allowed"),
        ("C25", "client_id beside aud is null", id.clone().with("client_id", json!(null)), "/profile", "ClientRefused"),
        (
            "C25",
            "client_id beside aud is a list",
            id.clone().with("client_id", json!([client])),
            "/profile",
            "ClientRefused",
        ),
        ("C24", "aud repeats the client in a list", access.clone().with("aud", json!([client])), "/items", "Allowed"),
        ("C24", "aud repeats the client", access.clone().with("aud", client.as_str()), "/items", "Allowed"),
        ("C10", "auth_time to come", access.clone().with("auth_time", now() + 3_600), "/items", "Allowed"),
        ("C10", "auth_time that is none", access.clone().with("auth_time", "x"), "/items", "Allowed"),
        ("C06", "lives for a day", access.clone().with("exp", now() + 86_390), "/items", "Allowed"),
        ("C08", "iat within a minute", access.clone().with("iat", now() + 30), "/items", "Allowed"),
        ("C07", "nbf within a minute", access.clone().with("nbf", now() + 30), "/items", "Allowed"),
        ("C07", "nbf in the past", access.clone().with("nbf", 0), "/items", "Allowed"),
        ("C27", "another user's name", access.clone().with("username", "root"), "/items", "Allowed"),
        ("C27", "another user's sub as name", access.clone().with("username", "6c70a5b9-1d22"), "/items", "Allowed"),
        ("C27", "a name that is none", access.clone().with("username", json!(["x"])), "/items", "Allowed"),
        (
            "C27",
            "another user's name, address and identities",
            id.clone()
                .with("cognito:username", "root")
                .with("preferred_username", "root")
                .with("email", "root@globex.example")
                .with("identities", json!([{"userId": "6c70a5b9-1d22"}])),
            "/profile",
            "Allowed",
        ),
        (
            "L02",
            "names that would break a line",
            access.clone().with("username", "a\r\nb\u{1b}[2J%n${jndi:x}\u{2028}"),
            "/items",
            "Allowed",
        ),
        ("C28", "the scope", scoped("openid items/admin"), "/scoped", "Allowed"),
        ("C28", "no scope", access.clone().without("scope"), "/scoped", "ScopeMissing"),
        ("C28", "an empty scope", scoped(""), "/scoped", "ScopeMissing"),
        ("C28", "a tab between scopes", scoped("openid\titems/admin"), "/scoped", "ScopeMissing"),
        ("C28", "part of another scope", scoped("notitems/admin items/administrator"), "/scoped", "ScopeMissing"),
        ("C28", "a wide blank", scoped("openid\u{3000}items/admin"), "/scoped", "ScopeMissing"),
        ("C28", "a blank that does not break", scoped("openid\u{a0}items/admin"), "/scoped", "ScopeMissing"),
        ("C28", "a line's end between scopes", scoped("openid\nitems/admin"), "/scoped", "ScopeMissing"),
        ("C28", "a comma between scopes", scoped("openid,items/admin"), "/scoped", "ScopeMissing"),
        ("C28", "a part of the scope", scoped("items admin items/"), "/scoped", "ScopeMissing"),
        ("C28", "a star", scoped("items/* *"), "/scoped", "ScopeMissing"),
        ("C28", "in another claim", access.clone().with("scp", json!(["items/admin"])), "/scoped", "ScopeMissing"),
        ("C28", "capitals", scoped("Items/Admin"), "/scoped", "ScopeMissing"),
        (
            "C31",
            "foreign IAM roles",
            access.clone().with("cognito:roles", json!(["arn:aws:iam::1:role/admin"])),
            "/admin/members",
            "RoleMissing",
        ),
        (
            "C31",
            "a preferred role",
            access.clone().with("cognito:preferred_role", "admin"),
            "/admin/members",
            "RoleMissing",
        ),
        ("C32", "no tenant", access.clone().without("tenant"), "/items", "TenantMissing"),
        (
            "C32",
            "a tenant of the user's own making",
            access.clone().without("tenant").with("custom:tenant", "acme"),
            "/items",
            "TenantMissing",
        ),
        (
            "C32",
            "a tenant by group",
            access.clone().without("tenant").with("cognito:groups", json!(["acme:admin"])),
            "/items",
            "TenantMissing",
        ),
        (
            "C32",
            "two sources disagree",
            access.clone().with("custom:tenant", "globex"),
            "/tenants/globex",
            "TenantDiffers",
        ),
        (
            "C31",
            "both on an ID token",
            id.clone()
                .with("cognito:roles", json!(["arn:aws:iam::1:role/admin"]))
                .with("cognito:preferred_role", "admin"),
            "/profile",
            "Allowed",
        ),
        ("C30", "a group", access.clone().with("cognito:groups", json!(["staff"])), "/staff", "Allowed"),
        ("C30", "no group", access.clone(), "/staff", "GroupMissing"),
        (
            "C30",
            "groups of nearly that name",
            access.clone().with(
                "cognito:groups",
                json!([
                    "Staff",
                    "staff ",
                    " staff",
                    "staf",
                    "staffs",
                    "sta\u{fb00}",
                    "\u{455}taff",
                    "staff\u{200b}",
                    "*",
                    "a,staff"
                ]),
            ),
            "/staff",
            "GroupMissing",
        ),
        ("C30", "in another claim", access.clone().with("groups", json!(["staff"])), "/staff", "GroupMissing"),
        (
            "C32",
            "group and attribute against the signed claim",
            access
                .clone()
                .with("cognito:groups", json!(["tenant:globex", "globex:admin"]))
                .with("custom:tenant", "globex"),
            "/tenants/globex",
            "TenantDiffers",
        ),
        (
            "C32",
            "the signed claim against group and attribute",
            access
                .clone()
                .with("cognito:groups", json!(["tenant:globex", "globex:admin"]))
                .with("custom:tenant", "globex"),
            "/tenants/acme",
            "Allowed",
        ),
        (
            "C32",
            "a tenant in capitals",
            access.clone().without("tenant").with("Tenant", "acme"),
            "/items",
            "TenantMissing",
        ),
        ("C33", "the longest tenant", access.clone().with("tenant", "t".repeat(63)), "/items", "Allowed"),
        (
            "C34",
            "roles of the user's own making on an ID token",
            id.clone().with("custom:role", "admin").with("custom:roles", "admin").with("custom:tenant", "globex"),
            "/profile",
            "Allowed",
        ),
        (
            "C34",
            "a role of the user's own making",
            access.clone().with("custom:role", "admin"),
            "/admin/members",
            "RoleMissing",
        ),
        (
            "C34",
            "the same with other names",
            access.clone().with("role", "admin").with("custom:roles", "admin"),
            "/admin/members",
            "RoleMissing",
        ),
        (
            "C36",
            "odd letters in a name",
            access.clone().with("name", "e\u{301}\u{202e}\u{200d}\u{1f600}\u{0}"),
            "/items",
            "Allowed",
        ),
        ("C36", "the same name, put together", access.clone().with("name", "\u{e9}"), "/items", "Allowed"),
        (
            "C36",
            "odd letters in the names of claims",
            access.clone().with("ro\u{200b}les", json!(["admin"])).with("role\u{455}", json!(["admin"])),
            "/admin/members",
            "RoleMissing",
        ),
        ("A29", "a machine where only users go", machine.clone(), "/me", "MachineRefused"),
        ("P02", "a member where an administrator is asked for", access.clone(), "/admin/members", "RoleMissing"),
        ("P02", "an administrator", access.clone().with("roles", json!(["admin"])), "/admin/members", "Allowed"),
    ];
    for (id, says, claims, path, expected) in table {
        let (heard, code, reply) = gate.ask(&gate.issuer.mint(&claims)?, "GET", path)?;
        ensure!(code == expected, "{id} {says}: {code} instead of {expected}");
        ensure!((heard == Passage::Allowed) == (expected == "Allowed"), "{id} {says}: {heard:?}");
        if heard == Passage::Allowed {
            let subject = reply.pointer("/context/subject");
            ensure!(subject == Some(&json!(TokenIssuer::SUBJECT)), "{id} {says}: the subject is {subject:?}");
            // C31, C32, C34: rights are those of the signed claims and no others.
            let said: Value = serde_json::from_str(&claims.text())?;
            ensure!(reply.pointer("/context/tenant") == said.get("tenant"), "{id} {says}: {reply}");
            let roles = said.pointer("/roles/0");
            ensure!(reply.pointer("/context/roles") == roles, "{id} {says}: {reply}");
        } else {
            ensure!(reply == json!({"isAuthorized": false}) || reply.get("context").is_some(), "{id} {says}: {reply}");
        }
    }
    Ok(())
}
