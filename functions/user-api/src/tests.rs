//! The routes against a DynamoDB on loopback, in sessions that refuse every key
//! outside of their tenant.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use back_end::items::{ItemId, Items};
use back_end::testing::{
    Call, GuardedSessions, ITEMS_TABLE, NOW, Reply, create_items_table, create_revocation_table, send,
};
use back_end::{Issuer as _, PageRequest};
use directory::testing::Database;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::names::{Subject, TenantId};

use crate::{Pool, UserApi};

struct Fixture {
    // Ends the database when it is dropped.
    database: Database,
    sessions: GuardedSessions,
    api: UserApi<GuardedSessions>,
}

impl Fixture {
    async fn start() -> Self {
        let database = Database::start().await.unwrap();
        create_items_table(&database.sdk()).await.unwrap();
        let sessions = GuardedSessions::new(database.client());
        let api = UserApi::new(database.directory(), ITEMS_TABLE.to_owned(), sessions.clone());
        Self { database, sessions, api }
    }

    async fn send(&self, call: Call<'_>) -> Reply {
        send(&self.api, &call).await.unwrap()
    }

    async fn put(&self, who: (&str, &str), id: &str, precondition: (&str, &str), body: Value) -> Reply {
        let (tenant, subject) = who;
        let path = [("id", id)];
        let headers = [precondition];
        let call =
            Call { route: "PUT /items/{id}", tenant, subject, path: &path, headers: &headers, body, ..Call::default() };
        self.send(call).await
    }

    async fn get(&self, who: (&str, &str), id: &str) -> Reply {
        let (tenant, subject) = who;
        self.send(Call { route: "GET /items/{id}", tenant, subject, path: &[("id", id)], ..Call::default() }).await
    }

    async fn delete(&self, who: (&str, &str), id: &str, headers: &[(&str, &str)]) -> Reply {
        let (tenant, subject) = who;
        let path = [("id", id)];
        self.send(Call { route: "DELETE /items/{id}", tenant, subject, path: &path, headers, ..Call::default() }).await
    }

    async fn list(&self, who: (&str, &str), query: &[(&str, &str)]) -> Reply {
        let (tenant, subject) = who;
        self.send(Call { route: "GET /items", tenant, subject, query, ..Call::default() }).await
    }

    async fn seed(&self, members: &[(&str, &str)]) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        for (name, value) in members {
            let one = AttributeValue::N("1".to_owned());
            let mut item = HashMap::from([
                ("subject".to_owned(), text("USER#ann")),
                ("created_at".to_owned(), one.clone()),
                ("version".to_owned(), one),
            ]);
            if *name == "USER#ann" {
                item.extend([("pk".to_owned(), text(name)), ("sk".to_owned(), text("PROFILE"))]);
            } else {
                item.extend([
                    ("pk".to_owned(), text(&format!("{name}#members"))),
                    ("sk".to_owned(), text("ann")),
                    ("tenant".to_owned(), text(name)),
                    ("status".to_owned(), text(value)),
                    ("roles".to_owned(), AttributeValue::Ss(vec!["member".to_owned()])),
                ]);
            }
            self.database.put(item).await.unwrap();
        }
    }

    async fn choose(&self, tenant: Value) -> Reply {
        let body = json!({ "tenant": tenant });
        self.send(Call { route: "PUT /me/tenant", subject: "ann", body, ..Call::default() }).await
    }
}

const NEW: (&str, &str) = ("if-none-match", "*");
const ANN: (&str, &str) = ("acme", "ann");

fn content(title: &str) -> Value {
    json!({"title": title, "body": {"n": 1}})
}

#[tokio::test]
async fn an_item_is_created_read_replaced_and_deleted() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.get(ANN, "a").await.code, "NotFound");

    let created = fixture.put(ANN, "a", NEW, content("one")).await;
    assert_eq!((created.status, created.etag.as_str()), (201, "\"1\""));
    let expected = json!({"id": "a", "title": "one", "body": {"n": 1}, "version": 1, "updated_at": NOW});
    assert_eq!(created.body, expected);
    assert_eq!(fixture.get(ANN, "a").await.body, expected);

    let replaced = fixture.put(ANN, "a", ("if-match", "\"1\""), content("two")).await;
    assert_eq!((replaced.status, replaced.etag.as_str()), (200, "\"2\""));
    let read = fixture.get(ANN, "a").await;
    assert_eq!((read.status, read.etag.as_str(), &read.body["title"]), (200, "\"2\"", &json!("two")));

    assert_eq!(fixture.delete(ANN, "a", &[("if-match", "\"1\"")]).await.status, 412);
    assert_eq!(fixture.delete(ANN, "a", &[("if-match", "\"2\"")]).await.status, 204);
    assert_eq!(fixture.delete(ANN, "a", &[("if-match", "\"2\"")]).await.status, 204, "deleted already");
    assert_eq!(fixture.delete(ANN, "a", &[]).await.status, 204);
    assert_eq!(fixture.get(ANN, "a").await.status, 404);
}

#[tokio::test]
async fn a_write_must_name_the_present_version() {
    let fixture = Fixture::start().await;
    fixture.put(ANN, "a", NEW, content("one")).await;
    let table = [
        ("a", ("if-match", "\"2\""), 412, "VersionChanged"),
        ("a", ("if-match", "W/\"1\""), 412, "VersionChanged"),
        ("a", NEW, 412, "VersionChanged"),
        ("b", ("if-match", "\"1\""), 412, "VersionChanged"),
        ("a", ("if-match", "*"), 428, "PreconditionMissing"),
        ("a", ("x-none", ""), 428, "PreconditionMissing"),
        ("a b", ("if-match", "\"1\""), 404, "NotFound"),
        ("a#b", NEW, 404, "NotFound"),
    ];
    for (id, precondition, status, code) in table {
        let reply = fixture.put(ANN, id, precondition, content("two")).await;
        assert_eq!((reply.status, reply.code), (status, code), "{id} {precondition:?}");
    }
    assert_eq!(fixture.get(ANN, "a").await.body["title"], "one");
}

#[tokio::test]
async fn of_two_who_replace_the_same_version_one_is_told() {
    let fixture = Fixture::start().await;
    fixture.put(ANN, "a", NEW, content("one")).await;
    let precondition = ("if-match", "\"1\"");
    let (left, right) = tokio::join!(
        fixture.put(ANN, "a", precondition, content("left")),
        fixture.put(ANN, "a", precondition, content("right"))
    );
    let mut statuses = [left.status, right.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_succeeds_when_the_sdk_repeats_it() {
    let fixture = Fixture::start().await;
    let first = fixture.put(ANN, "a", NEW, content("one")).await;
    // The same bytes in the same second are what a repeated call looks like.
    let again = fixture.put(ANN, "a", NEW, content("one")).await;
    assert_eq!(again, first);
    assert_eq!(fixture.put(ANN, "a", NEW, content("other")).await.status, 412);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused() {
    let fixture = Fixture::start().await;
    let large = json!({"title": "a", "body": "x".repeat(64 * 1024)});
    let table = [
        (large, 413, "BodyTooLarge"),
        (json!({"title": "a"}), 400, "RequestUnreadable"),
        (json!({"title": "a", "body": 1, "owner": "bob"}), 400, "RequestUnreadable"),
        (json!([]), 400, "RequestUnreadable"),
        (Value::Null, 415, "NotJson"),
    ];
    for (body, status, code) in table {
        let reply = fixture.put(ANN, "a", NEW, body).await;
        assert_eq!((reply.status, reply.code), (status, code));
        assert_eq!(reply.body["code"], code);
    }
    assert_eq!(fixture.sessions.calls(), Vec::<String>::new(), "what cannot be written asks nobody");
}

#[tokio::test]
async fn a_warm_read_is_one_round_trip() {
    let fixture = Fixture::start().await;
    fixture.put(ANN, "a", NEW, content("one")).await;
    assert_eq!(fixture.sessions.calls(), ["AssumeRole", "PutItem"]);
    fixture.get(ANN, "a").await;
    assert_eq!(fixture.sessions.calls(), ["GetItem"]);
    fixture.list(ANN, &[]).await;
    assert_eq!(fixture.sessions.calls(), ["Query"]);
    fixture.get(("other", "ann"), "a").await;
    assert_eq!(fixture.sessions.calls(), ["AssumeRole", "GetItem"]);
}

#[tokio::test]
async fn pages_hold_every_own_item_once_and_nothing_else() {
    let fixture = Fixture::start().await;
    for number in 0..7 {
        fixture.put(ANN, &format!("n{number}"), NEW, content("mine")).await;
    }
    // Neighbours in key order on both sides.
    for subject in ["anm", "ann-2", "anna", "ann_", "ANN"] {
        fixture.put(("acme", subject), "n3", NEW, content("not mine")).await;
    }
    fixture.put(("acme-2", "ann"), "n4", NEW, content("not mine")).await;

    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..10 {
        let mut query = vec![("limit", "3")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let reply = fixture.list(ANN, &query).await;
        for item in reply.body["items"].as_array().unwrap() {
            assert_eq!(item["title"], "mine");
            ids.push(item["id"].as_str().unwrap().to_owned());
        }
        cursor = reply.body["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(ids, ["n0", "n1", "n2", "n3", "n4", "n5", "n6"]);
}

#[tokio::test]
async fn a_forged_cursor_is_refused_or_stays_in_the_own_list() {
    let fixture = Fixture::start().await;
    fixture.put(ANN, "a", NEW, content("mine")).await;
    fixture.put(("acme", "bob"), "a", NEW, content("not mine")).await;
    // base64url of: bob#a, "", #, ../a, a NUL, {"pk":"acme-2#items"}
    for cursor in ["Ym9iI2E", "", "Iw", "Li4vYQ", "YQA", "eyJwayI6ImFjbWUtMiNpdGVtcyJ9", "%", "Ym9iI2E="] {
        let reply = fixture.list(ANN, &[("cursor", cursor)]).await;
        assert_eq!((reply.status, reply.code), (400, "RequestUnreadable"), "{cursor}");
    }
    // base64url of "0": a place that was never given out, before all of ann's.
    let reply = fixture.list(ANN, &[("cursor", "MA")]).await;
    assert_eq!(reply.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(reply.body["items"][0]["title"], "mine");
}

#[tokio::test]
async fn whoever_has_no_tenant_reaches_no_items() {
    let fixture = Fixture::start().await;
    let nobody = ("", "ann");
    for reply in [
        fixture.get(nobody, "a").await,
        fixture.list(nobody, &[]).await,
        fixture.delete(nobody, "a", &[]).await,
        fixture.put(nobody, "a", NEW, content("x")).await,
    ] {
        assert_eq!((reply.status, reply.code), (403, "NoTenant"));
    }
    assert_eq!(fixture.sessions.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_tenant_is_shown_to_its_own_callers_only() {
    let fixture = Fixture::start().await;
    let table = [("acme", 200), ("acme-2", 403), ("acm", 403), ("Acme", 404), ("acme#", 404)];
    for (tenant, status) in table {
        let path = [("tenant", tenant)];
        let call = Call { tenant: "acme", subject: "ann", roles: "admin member", path: &path, ..Call::default() };
        let reply = fixture.send(Call { route: "GET /tenants/{tenant}", ..call }).await;
        assert_eq!(reply.status, status, "{tenant}");
        if status == 200 {
            assert_eq!(reply.body, json!({"tenant": "acme", "roles": ["admin", "member"]}));
        }
    }
}

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let fixture = Fixture::start().await;
    for route in ["$default", "", "POST /items", "GET /items/", "get /me", "GET /admin/members", "HEAD /me"] {
        let reply = fixture.send(Call { route, tenant: "acme", subject: "ann", ..Call::default() }).await;
        assert_eq!((reply.status, reply.code), (404, "NoSuchRoute"), "{route}");
    }
}

#[tokio::test]
async fn me_shows_what_is_in_force_and_what_the_directory_says() {
    let fixture = Fixture::start().await;
    let call = Call { route: "GET /me", tenant: "acme", subject: "ann", roles: "member", ..Call::default() };
    let unknown = fixture.send(call.clone()).await;
    assert_eq!(unknown.body, json!({"subject": "ann", "tenant": "acme", "roles": ["member"], "memberships": []}));

    fixture.seed(&[("USER#ann", ""), ("acme", "active"), ("old", "suspended")]).await;
    let known = fixture.send(call).await;
    let memberships = json!([
        {"tenant": "acme", "roles": ["member"], "status": "active"},
        {"tenant": "old", "roles": ["member"], "status": "suspended"},
    ]);
    assert_eq!(known.body["memberships"], memberships);
    let other = fixture.send(Call { route: "GET /me", subject: "bob", ..Call::default() }).await;
    assert_eq!(other.body, json!({"subject": "bob", "roles": [], "memberships": []}));
}

#[tokio::test]
async fn a_tenant_is_chosen_among_own_active_memberships() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.choose(json!("acme")).await.code, "NotAMember", "never provisioned");
    fixture.seed(&[("USER#ann", ""), ("acme", "active"), ("beta", "active"), ("old", "suspended")]).await;
    let table = [
        (json!("beta"), 200, "TenantChosen"),
        (json!("beta"), 200, "TenantChosen"),
        (json!("old"), 403, "NotAMember"),
        (json!("foreign"), 403, "NotAMember"),
        (json!("Beta"), 400, "RequestUnreadable"),
        (json!("beta#members"), 400, "RequestUnreadable"),
        (json!(["beta"]), 400, "RequestUnreadable"),
        (Value::Null, 400, "RequestUnreadable"),
    ];
    for (tenant, status, code) in table {
        let reply = fixture.choose(tenant.clone()).await;
        assert_eq!((reply.status, reply.code), (status, code), "{tenant}");
    }
    let chosen = fixture.choose(json!("beta")).await;
    assert_eq!(chosen.body, json!({"tenant": "beta", "in_force": "from the next token"}));
    let me = fixture.send(Call { route: "GET /me", tenant: "acme", subject: "ann", ..Call::default() }).await;
    assert_eq!((&me.body["tenant"], &me.body["chosen_tenant"]), (&json!("acme"), &json!("beta")));
}

#[tokio::test]
async fn a_session_of_one_tenant_opens_no_other() {
    let fixture = Fixture::start().await;
    fixture.put(("acme-2", "ann"), "a", NEW, content("theirs")).await;
    let [acme, other] = ["acme", "acme-2"].map(|name| TenantId::parse(name).unwrap());
    let client = fixture.sessions.issue(&acme).await.unwrap().access;
    let items = Items { client, table: ITEMS_TABLE, tenant: &other };
    let (ann, id) = (Subject::parse("ann").unwrap(), ItemId::parse("a").unwrap());
    let page = PageRequest { limit: 1, after: None };
    assert_eq!(items.get(&ann, &id).await.unwrap_err().code(), "ItemsUnreachable");
    assert_eq!(items.delete(&ann, &id, None).await.unwrap_err().code(), "ItemsUnreachable");
    assert_eq!(items.all(&page).await.unwrap_err().code(), "ItemsUnreachable");
    assert_eq!(fixture.get(("acme-2", "ann"), "a").await.status, 200);
}

#[test]
fn the_actions_are_those_of_the_calls() {
    use back_end::items::actions as items;
    use directory::actions as directory;
    let union = |parts: &[&[&'static str]]| -> BTreeSet<&'static str> { parts.concat().into_iter().collect() };
    let ending = [directory::END_SESSION, directory::END_SESSIONS].concat();
    let own = union(&[directory::PERSON, directory::CHOOSE_TENANT, &ending, back_end::aws::ACTIONS]);
    assert_eq!(own, crate::ACTIONS.iter().copied().collect());
    let tenant = union(&[items::OF, items::GET, items::PUT, items::DELETE]);
    assert_eq!(tenant, crate::TENANT_ACTIONS.iter().copied().collect());
}

/// Names that are neighbours of each other in key order.
fn who() -> impl Strategy<Value = (&'static str, &'static str)> {
    let tenant = prop::sample::select(vec!["a", "a-", "a-1", "aa", "b", "a1"]);
    let subject = prop::sample::select(vec!["u", "u-", "U", "uu", "items"]);
    (tenant, subject)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever others write, everyone reads exactly what he wrote himself.
    #[test]
    fn nobody_reads_what_another_wrote(writes in prop::collection::vec((who(), "[ab]{1,2}"), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::start().await;
            let mut kept = HashMap::<_, std::collections::BTreeMap<String, String>>::new();
            for ((tenant, subject), id) in &writes {
                let title = format!("{tenant}/{subject}/{id}");
                let reply = fixture.put((tenant, subject), id, NEW, content(&title)).await;
                assert_eq!(reply.status, 201, "{reply:?}");
                kept.entry((*tenant, *subject)).or_default().insert(id.clone(), title);
            }
            for ((tenant, subject), _) in &writes {
                let expected = &kept[&(*tenant, *subject)];
                let reply = fixture.list((tenant, subject), &[("limit", "100")]).await;
                let read: Vec<_> = reply.body["items"].as_array().unwrap().iter()
                    .map(|item| item["title"].as_str().unwrap().to_owned()).collect();
                assert_eq!(read, expected.values().cloned().collect::<Vec<_>>(), "{tenant} {subject}");
                for (_, id) in &writes {
                    let reply = fixture.get((tenant, subject), id).await;
                    let read = (reply.status == 200).then(|| reply.body["title"].as_str().unwrap());
                    assert_eq!(read, expected.get(id).map(String::as_str), "{tenant} {subject} {id}");
                }
            }
        });
    }
}

const REVOCATIONS: &str = "revocations";

/// Ann's sessions `s-1` and `s-2`, and a pool that answers so.
async fn revoking(pool_says: u16) -> (Fixture, pool_server::Seen) {
    let mut fixture = Fixture::start().await;
    create_revocation_table(&fixture.database.sdk(), REVOCATIONS).await.unwrap();
    let (url, seen) = pool_server::serve(pool_says).await;
    let api = UserApi::new(fixture.database.directory(), ITEMS_TABLE.to_owned(), fixture.sessions.clone());
    let api = api.revoking(Some(back_end::Revocations { table: REVOCATIONS.to_owned(), refresh_days: 30 }));
    let client = shell::aws::Client::local(&url);
    fixture.api = UserApi { pool: Some(Pool::connect(&client)), ..api };
    (fixture, seen)
}

impl Fixture {
    async fn sign_out(&self, session: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        self.send(Call { route: "POST /sign-out", subject: "ann", session, headers, body, ..Call::default() }).await
    }

    /// The table of what is ended, by key: what an item holds beside it.
    async fn marks(&self) -> Vec<(String, Vec<String>)> {
        let scan = self.database.sdk().scan().table_name(REVOCATIONS).send().await.unwrap();
        let mark = |item: &HashMap<String, AttributeValue>| {
            let others = item.iter().filter(|(name, _)| *name != "pk");
            let mut others: Vec<_> = others.map(|(name, value)| format!("{name} {}", value.as_n().unwrap())).collect();
            others.sort();
            (item["pk"].as_s().unwrap().clone(), others)
        };
        let mut marks: Vec<_> = scan.items().iter().map(mark).collect();
        marks.sort();
        marks
    }
}

#[tokio::test]
async fn a_sign_out_ends_this_session_and_asks_nobody_else() {
    let (fixture, seen) = revoking(200).await;
    let expires = format!("expires_at {}", NOW + 32 * 86_400);
    for _ in 0..2 {
        assert_eq!(fixture.sign_out("s-1", &[], Value::Null).await.code, "SessionEnded");
        assert_eq!(fixture.marks().await, [("SESSION#s-1".to_owned(), vec![expires.clone()])]);
    }
    assert_eq!(fixture.sign_out("s-2", &[], json!({"everywhere": false})).await.status, 204);
    assert_eq!(fixture.marks().await.len(), 2);
    let table = [
        ("", Value::Null, "CallerUnknown"),
        ("s-1", json!({"everywhere": "yes"}), "RequestUnreadable"),
        ("s-1", json!({"subject": "bob"}), "RequestUnreadable"),
        ("s-1", json!({"everywhere": true, "pad": "x".repeat(2_000)}), "BodyTooLarge"),
    ];
    for (session, body, code) in table {
        assert_eq!(fixture.sign_out(session, &[], body.clone()).await.code, code, "{body}");
    }
    assert_eq!(fixture.marks().await.len(), 2);
    assert!(seen.take().is_empty(), "the pool was asked");
}

#[tokio::test]
async fn everywhere_ends_all_sessions_first_and_then_those_of_the_pool() {
    let bearer = ("authorization", "Bearer a.canary.c");
    // What the pool answers, whether there is a token, and what the caller hears of his refresh tokens.
    for (pool_says, headers, told) in [
        (200, vec![bearer], "ended"),
        (400, vec![bearer], "unknown"),
        (500, vec![bearer], "unknown"),
        (200, vec![], "unknown"),
    ] {
        let (fixture, seen) = revoking(pool_says).await;
        let reply = fixture.sign_out("s-1", &headers, json!({"everywhere": true})).await;
        assert_eq!((reply.status, &reply.body), (200, &json!({"at": NOW, "refresh_tokens": told})), "{pool_says}");
        let expected = vec![format!("authenticated_before {NOW}"), format!("expires_at {}", NOW + 32 * 86_400)];
        assert_eq!(fixture.marks().await, [("USER#ann".to_owned(), expected)]);
        let asked = seen.take();
        assert_eq!(asked.len(), headers.len());
        for request in asked {
            assert!(request.contains("AWSCognitoIdentityProviderService.GlobalSignOut"), "{request}");
            assert!(request.ends_with(r#"{"AccessToken":"a.canary.c"}"#), "{request}");
        }
    }
}

#[tokio::test]
async fn without_revocation_there_is_nothing_to_sign_out_of() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.sign_out("s-1", &[], Value::Null).await.code, "NoSuchRoute");
}

/// A pool on loopback that gives one answer, and keeps what was sent.
mod pool_server {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[derive(Clone, Default)]
    pub(super) struct Seen(Arc<Mutex<Vec<String>>>);

    impl Seen {
        pub(super) fn take(&self) -> Vec<String> {
            std::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    pub(super) async fn serve(status: u16) -> (String, Seen) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen::default();
        let keeping = seen.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = String::new();
                while !request.ends_with('}') {
                    let mut part = [0; 4096];
                    let count = stream.read(&mut part).await.unwrap();
                    assert!(count > 0, "the request ended early: {request}");
                    request.push_str(&String::from_utf8_lossy(&part[..count]));
                }
                keeping.0.lock().unwrap().push(request);
                let answer = format!("HTTP/1.1 {status} -\r\ncontent-length: 2\r\n\r\n{{}}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, seen)
    }
}
