//! The routes against a DynamoDB on loopback, in sessions that refuse every key
//! outside of their tenant.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use back_end::items::{Content, ItemId, Items};
use back_end::testing::{
    Call, GuardedSessions, ITEMS_TABLE, NOW, Reply, create_items_table, create_revocation_table, send,
};
use back_end::{Precondition, Revocations};
use directory::testing::{Database, TABLE};
use serde_json::{Value, json};
use shared::names::{Subject, TenantId};
use shared::tenants::{TenantRules, TenantSource};

use crate::{AdminApi, Settings};

const REVOCATIONS: &str = "revocations";

struct Fixture {
    database: Database,
    sessions: GuardedSessions,
    api: AdminApi<GuardedSessions>,
}

impl Fixture {
    /// Ann administers acme and bob is a member; both are also elsewhere.
    async fn start(source: TenantSource) -> Self {
        Self::with(source, None).await
    }

    /// The same with a table of what is ended.
    async fn revoking() -> Self {
        let revocations = Revocations { table: REVOCATIONS.to_owned(), refresh_days: 30 };
        let fixture = Self::with(TenantSource::Directory, Some(revocations)).await;
        create_revocation_table(&fixture.database.sdk(), REVOCATIONS).await.unwrap();
        fixture
    }

    async fn with(source: TenantSource, revocations: Option<Revocations>) -> Self {
        let database = Database::start().await.unwrap();
        create_items_table(&database.sdk()).await.unwrap();
        let sessions = GuardedSessions::new(database.client());
        let settings = Settings {
            back_end: back_end::Settings {
                directory_table: TABLE.to_owned(),
                items_table: ITEMS_TABLE.to_owned(),
                tenant_role_arn: String::new(),
                revocations,
            },
            tenants: TenantRules { source, placements: vec![] },
        };
        let api = AdminApi::new(settings, sessions.clone());
        let fixture = Self { database, sessions, api };
        let all = [
            ("acme", "ann", "admin member", "active"),
            ("acme", "bob", "member", "active"),
            ("acme", "cid", "", "suspended"),
            ("acme-2", "bob", "admin", "active"),
            ("acme-2", "eve", "admin", "active"),
        ];
        for (tenant, subject, roles, status) in all {
            fixture.seed(tenant, subject, roles, status).await;
        }
        fixture
    }

    async fn seed(&self, tenant: &str, subject: &str, roles: &str, status: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: u64| AttributeValue::N(number.to_string());
        let mut item = HashMap::from([
            ("pk".to_owned(), text(&format!("{tenant}#members"))),
            ("sk".to_owned(), text(subject)),
            ("subject".to_owned(), text(&format!("USER#{subject}"))),
            ("tenant".to_owned(), text(tenant)),
            ("status".to_owned(), text(status)),
            ("created_at".to_owned(), number(1_000)),
            ("version".to_owned(), number(1)),
        ]);
        if !roles.is_empty() {
            let roles = roles.split(' ').map(str::to_owned).collect();
            item.insert("roles".to_owned(), AttributeValue::Ss(roles));
        }
        self.database.put(item).await.unwrap();
    }

    /// All marks: key, `authenticated_before`, `issued_before`, `expires_at`.
    async fn marks(&self) -> Vec<(String, [Option<u64>; 3])> {
        let scan = self.database.sdk().scan().table_name(REVOCATIONS).send().await.unwrap();
        let number = |item: &HashMap<String, AttributeValue>, name: &str| {
            item.get(name).map(|value| value.as_n().unwrap().parse().unwrap())
        };
        let names = ["authenticated_before", "issued_before", "expires_at"];
        let marks =
            scan.items().iter().map(|item| (item["pk"].as_s().unwrap().clone(), names.map(|name| number(item, name))));
        let mut marks: Vec<_> = marks.collect();
        marks.sort();
        marks
    }

    /// What ann asks about a member.
    async fn about(&self, route: &str, member: &str, if_match: &str, body: Value) -> Reply {
        let (path, headers) = ([("sub", member)], [("if-match", if_match)]);
        self.ann(Call { route, path: &path, headers: &headers, body, ..Call::default() }).await
    }

    async fn send(&self, call: Call<'_>) -> Reply {
        send(&self.api, &call).await.unwrap()
    }

    /// What ann asks, with the token of an administrator of acme.
    async fn ann(&self, call: Call<'_>) -> Reply {
        self.send(Call { subject: "ann", tenant: "acme", roles: "admin member", ..call }).await
    }

    async fn set_roles(&self, member: &str, if_match: &str, body: Value) -> Reply {
        let path = [("sub", member)];
        let headers = [("if-match", if_match)];
        self.ann(Call {
            route: "PUT /admin/members/{sub}/roles",
            path: &path,
            headers: &headers,
            body,
            ..Call::default()
        })
        .await
    }

    async fn invite(&self, body: Value) -> Reply {
        self.ann(Call { route: "POST /admin/invitations", body, ..Call::default() }).await
    }

    async fn members(&self, query: &[(&str, &str)]) -> Reply {
        self.ann(Call { route: "GET /admin/members", query, ..Call::default() }).await
    }

    async fn stored(&self, pk: &str) -> Vec<HashMap<String, AttributeValue>> {
        let all = self.database.items().await.unwrap();
        all.into_iter().filter(|item| item["pk"].as_s().unwrap() == pk).collect()
    }
}

#[tokio::test]
async fn members_are_listed_in_pages_and_only_the_own_tenants() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let all = fixture.members(&[]).await;
    let expected = json!({"items": [
        {"subject": "ann", "roles": ["admin", "member"], "status": "active", "created_at": 1000, "version": 1},
        {"subject": "bob", "roles": ["member"], "status": "active", "created_at": 1000, "version": 1},
        {"subject": "cid", "roles": [], "status": "suspended", "created_at": 1000, "version": 1},
    ]});
    assert_eq!((all.status, all.body), (200, expected));

    let first = fixture.members(&[("limit", "2")]).await;
    let cursor = first.body["next"].as_str().unwrap();
    let second = fixture.members(&[("limit", "2"), ("cursor", cursor)]).await;
    let names = |reply: &Reply| -> Vec<String> {
        reply.body["items"].as_array().unwrap().iter().map(|item| item["subject"].to_string()).collect()
    };
    assert_eq!((names(&first).len(), names(&second)), (2, vec!["\"cid\"".to_owned()]));
    assert_eq!(second.body.get("next"), None);
    // base64url of: acme-2#members
    let forged = fixture.members(&[("cursor", "YWNtZS0yI21lbWJlcnM")]).await;
    assert_eq!(forged.code, "RequestUnreadable");
}

#[tokio::test]
async fn roles_are_replaced_if_nobody_else_did() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let roles = |names: &[&str]| json!({ "roles": names });
    let many: Vec<String> = (0..21).map(|number| format!("role-{number}")).collect();
    let table = [
        ("bob", "\"1\"", roles(&["admin", "member"]), 200, "RolesChanged"),
        ("bob", "\"1\"", roles(&["member"]), 412, "VersionChanged"),
        ("bob", "\"2\"", roles(&[]), 200, "RolesChanged"),
        ("bob", "\"3\"", roles(&["member"]), 200, "RolesChanged"),
        ("cid", "\"1\"", roles(&["member"]), 200, "RolesChanged"),
        ("bob", "*", roles(&["member"]), 428, "PreconditionMissing"),
        ("nobody", "\"1\"", roles(&["member"]), 404, "NotFound"),
        ("eve", "\"1\"", roles(&["member"]), 404, "NotFound"),
        ("a#b", "\"1\"", roles(&["member"]), 404, "NotFound"),
        ("ann", "\"1\"", roles(&["admin", "member", "owner"]), 409, "OwnRoles"),
        ("ann", "\"1\"", roles(&[]), 409, "OwnRoles"),
        ("bob", "\"4\"", roles(&["Admin"]), 400, "RequestUnreadable"),
        ("bob", "\"4\"", roles(&["admin", "admin"]), 400, "RequestUnreadable"),
        ("bob", "\"4\"", json!({ "roles": many }), 400, "RequestUnreadable"),
        ("bob", "\"4\"", json!({"roles": "admin"}), 400, "RequestUnreadable"),
        ("bob", "\"4\"", json!({"roles": [], "status": "active"}), 400, "RequestUnreadable"),
        ("bob", "\"4\"", json!({}), 400, "RequestUnreadable"),
    ];
    for (member, if_match, body, status, code) in table {
        let reply = fixture.set_roles(member, if_match, body.clone()).await;
        assert_eq!((reply.status, reply.code), (status, code), "{member} {if_match} {body}");
    }
    let members = fixture.members(&[]).await;
    let bob = &members.body["items"][1];
    assert_eq!((&bob["roles"], &bob["version"]), (&json!(["member"]), &json!(4)));
    assert_eq!(members.body["items"][0]["roles"], json!(["admin", "member"]));
    let elsewhere = fixture.stored("acme-2#members").await;
    assert!(elsewhere.iter().all(|item| item["version"] == AttributeValue::N("1".to_owned())), "{elsewhere:?}");
}

#[tokio::test]
async fn a_change_tells_the_version_to_name_next() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let reply = fixture.set_roles("bob", "\"1\"", json!({"roles": ["admin"]})).await;
    assert_eq!(reply.body, json!({"subject": "bob", "roles": ["admin"], "version": 2}));
    assert_eq!(reply.etag, "\"2\"");
    assert_eq!(fixture.sessions.calls(), ["AssumeRole", "GetItem", "TransactWriteItems"]);
}

/// When marks of these tests go: 30 days of refresh, and two for the last token.
const END: u64 = NOW + 32 * 86_400;

#[tokio::test]
async fn a_change_of_a_membership_takes_rights_back_with_it_or_does_nothing() {
    let status = |status: &str| json!({ "status": status });
    let (roles_of, status_of) = ("PUT /admin/members/{sub}/roles", "PUT /admin/members/{sub}/status");
    let fixture = Fixture::revoking().await;
    let table = [
        (roles_of, "bob", "\"7\"", json!({"roles": []}), 412, "VersionChanged", 0),
        (roles_of, "eve", "\"1\"", json!({"roles": []}), 404, "NotFound", 0),
        (status_of, "ann", "\"1\"", status("suspended"), 409, "OwnRoles", 0),
        (status_of, "bob", "\"1\"", status("gone"), 400, "RequestUnreadable", 0),
        (status_of, "bob", "\"1\"", json!({"status": "active", "roles": []}), 400, "RequestUnreadable", 0),
        (status_of, "bob", "*", status("suspended"), 428, "PreconditionMissing", 0),
        (roles_of, "bob", "\"1\"", json!({"roles": ["admin"]}), 200, "RolesChanged", 1),
        (status_of, "bob", "\"2\"", status("suspended"), 200, "StatusChanged", 1),
        // Asked again after a lost answer.
        (status_of, "bob", "\"2\"", status("suspended"), 200, "StatusChanged", 1),
        (status_of, "bob", "\"2\"", status("active"), 412, "VersionChanged", 1),
        (status_of, "cid", "\"1\"", status("active"), 200, "StatusChanged", 2),
    ];
    for (route, member, if_match, body, code, name, marks) in table {
        let reply = fixture.about(route, member, if_match, body.clone()).await;
        assert_eq!((reply.status, reply.code), (code, name), "{route} {member} {if_match} {body}");
        assert_eq!(fixture.marks().await.len(), marks, "{route} {member} {if_match} {body}");
    }
    let mark = |member: &str| (format!("acme#{member}"), [None, Some(NOW + 5), Some(END)]);
    assert_eq!(fixture.marks().await, [mark("bob"), mark("cid")]);
    let members = fixture.members(&[]).await;
    assert_eq!(members.body["items"][1]["status"], "suspended");
    assert_eq!(members.body["items"][2]["status"], "active");
    let elsewhere = fixture.stored("acme-2#members").await;
    assert!(elsewhere.iter().all(|item| item["version"] == AttributeValue::N("1".to_owned())), "{elsewhere:?}");
}

#[tokio::test]
async fn a_members_sessions_end_in_the_own_tenant_alone() {
    const ROUTE: &str = "POST /admin/members/{sub}/sign-out";
    let fixture = Fixture::revoking().await;
    let bob = fixture.about(ROUTE, "bob", "", Value::Null).await;
    assert_eq!((bob.status, bob.body), (200, json!({"subject": "bob", "at": NOW})));
    assert_eq!(fixture.sessions.calls(), ["AssumeRole", "GetItem", "GetItem", "UpdateItem"]);
    // His own he may end, too; ending them again changes nothing.
    for member in ["ann", "bob"] {
        assert_eq!(fixture.about(ROUTE, member, "", Value::Null).await.code, "SessionsEnded");
    }
    for stranger in ["eve", "nobody", "a#b"] {
        assert_eq!(fixture.about(ROUTE, stranger, "", Value::Null).await.code, "NotFound", "{stranger}");
    }
    let mark = |member: &str, issued| (format!("acme#{member}"), [Some(NOW), issued, Some(END)]);
    assert_eq!(fixture.marks().await, [mark("ann", None), mark("bob", None)]);
    // A change of roles leaves it standing.
    assert_eq!(fixture.set_roles("bob", "\"1\"", json!({"roles": []})).await.code, "RolesChanged");
    assert_eq!(fixture.marks().await, [mark("ann", None), mark("bob", Some(NOW + 5))]);
}

#[tokio::test]
async fn without_revocation_a_membership_changes_and_no_session_is_ended() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let body = json!({"status": "suspended"});
    assert_eq!(fixture.about("PUT /admin/members/{sub}/status", "bob", "\"1\"", body).await.code, "StatusChanged");
    let reply = fixture.about("POST /admin/members/{sub}/sign-out", "bob", "", Value::Null).await;
    assert_eq!(reply.code, "NoSuchRoute", "a sign-out that nobody would see");
}

#[tokio::test]
async fn a_token_outlives_no_rights_that_only_the_directory_gives() {
    // What the directory says of ann now; what it allows under each source.
    let table = [
        (Some(("admin member", "active")), [201, 201, 201]),
        (Some(("member", "active")), [403, 201, 201]),
        (Some(("admin member", "suspended")), [403, 403, 201]),
        (None, [403, 201, 201]),
    ];
    for (now, expected) in table {
        let sources = [TenantSource::Directory, TenantSource::Both, TenantSource::Groups];
        for (source, status) in sources.into_iter().zip(expected) {
            let fixture = Fixture::start(source).await;
            match now {
                Some((roles, state)) => fixture.seed("acme", "ann", roles, state).await,
                None => {
                    let key = |text: &str| AttributeValue::S(text.to_owned());
                    let client = fixture.database.sdk();
                    let delete = client.delete_item().table_name(TABLE);
                    delete.key("pk", key("acme#members")).key("sk", key("ann")).send().await.unwrap();
                }
            }
            let reply = fixture.invite(json!({"email": "new@example.com", "roles": ["admin"]})).await;
            assert_eq!(reply.status, status, "{now:?} {source:?}");
            assert_eq!(fixture.stored("acme#invitations").await.len(), usize::from(status == 201));
        }
    }
}

#[tokio::test]
async fn an_invitation_is_one_per_address_and_ends() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let first = fixture.invite(json!({"email": "New@Example.com", "roles": ["member"]})).await;
    let week = NOW + 7 * 86_400;
    let expected = json!({"email": "new@example.com", "tenant": "acme", "roles": ["member"], "expires_at": week});
    assert_eq!((first.status, first.body), (201, expected));
    let again = fixture.invite(json!({"email": "new@example.com", "roles": ["admin"], "expires_in_days": 1})).await;
    assert_eq!((again.status, &again.body["expires_at"]), (201, &json!(NOW + 86_400)));

    let stored = fixture.stored("acme#invitations").await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["roles"], AttributeValue::Ss(vec!["admin".to_owned()]));
    assert_eq!(stored[0]["invited_by"], AttributeValue::S("ann".to_owned()));
    assert_eq!(stored[0]["expires_at"], AttributeValue::N((NOW + 86_400).to_string()));
}

#[tokio::test]
async fn an_invitation_that_cannot_be_kept_is_refused() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let table = [
        (json!({"email": "a@b", "roles": []}), "AddressUnusable"),
        (json!({"email": "a@example.com.", "roles": []}), "AddressUnusable"),
        (json!({"email": "\"a\"@example.com", "roles": []}), "AddressUnusable"),
        (json!({"email": "a@example.com#x", "roles": []}), "AddressUnusable"),
        (json!({"email": "a@example.com, b@example.com", "roles": []}), "AddressUnusable"),
        (json!({"email": "", "roles": []}), "AddressUnusable"),
        (json!({"email": 1, "roles": []}), "RequestUnreadable"),
        (json!({"email": "a@example.com"}), "RequestUnreadable"),
        (json!({"email": "a@example.com", "roles": ["no role"]}), "RequestUnreadable"),
        (json!({"email": "a@example.com", "roles": [], "expires_in_days": 0}), "RequestUnreadable"),
        (json!({"email": "a@example.com", "roles": [], "expires_in_days": 31}), "RequestUnreadable"),
        (json!({"email": "a@example.com", "roles": [], "tenant": "acme-2"}), "RequestUnreadable"),
        (json!({"email": "a@example.com", "roles": [], "pad": "x".repeat(5_000)}), "BodyTooLarge"),
    ];
    for (body, code) in table {
        assert_eq!(fixture.invite(body.clone()).await.code, code, "{body}");
    }
    assert_eq!(fixture.stored("acme#invitations").await.len(), 0);
}

#[tokio::test]
async fn items_are_listed_with_their_owners_and_only_the_own_tenants() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    for (tenant, owner) in [("acme", "ann"), ("acme", "bob"), ("acme", "bob-2"), ("acme-2", "bob"), ("acm", "ann")] {
        let tenant = TenantId::parse(tenant).unwrap();
        let items = Items { client: fixture.database.client(), table: ITEMS_TABLE, tenant: &tenant };
        let content: Content = serde_json::from_str(r#"{"title":"t","body":[]}"#).unwrap();
        let owner = Subject::parse(owner).unwrap();
        items.put(&owner, ItemId::parse("a").unwrap(), content, Precondition::Absent, NOW).await.unwrap();
    }
    let list =
        async |query: &[(&str, &str)]| fixture.ann(Call { route: "GET /admin/items", query, ..Call::default() }).await;
    let (mut owners, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..5 {
        let mut query = vec![("limit", "2")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let reply = list(&query).await;
        let items = reply.body["items"].as_array().unwrap();
        owners.extend(items.iter().map(|item| item["owner"].as_str().unwrap().to_owned()));
        cursor = reply.body["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    // `#` sorts before `-`.
    assert_eq!(owners, ["ann", "bob", "bob-2"]);
    // base64url of: bob
    assert_eq!(list(&[("cursor", "Ym9i")]).await.code, "RequestUnreadable");
}

#[tokio::test]
async fn without_a_tenant_or_a_route_nothing_is_asked() {
    let fixture = Fixture::start(TenantSource::Directory).await;
    let table = [
        ("GET /admin/members", "", "NoTenant"),
        ("GET /admin/items", "", "NoTenant"),
        ("POST /admin/invitations", "", "NoTenant"),
        ("GET /admin/", "acme", "NoSuchRoute"),
        ("GET /items", "acme", "NoSuchRoute"),
        ("$default", "acme", "NoSuchRoute"),
    ];
    for (route, tenant, code) in table {
        let reply = fixture.send(Call { route, tenant, subject: "ann", roles: "admin", ..Call::default() }).await;
        assert_eq!(reply.code, code, "{route}");
    }
    assert_eq!(fixture.sessions.calls(), Vec::<String>::new());
}

#[test]
fn the_actions_are_those_of_the_calls() {
    use directory::actions;
    let parts =
        [actions::MEMBER, actions::MEMBERS, actions::CHANGE_MEMBER, actions::INVITE, back_end::items::actions::ALL];
    let tenant: BTreeSet<_> = parts.concat().into_iter().collect();
    assert_eq!(tenant, crate::TENANT_ACTIONS.iter().copied().collect());
}
