//! Scenario 5: sessions that are ended, and a member who is kept out.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Cast;
use super::api::version_of;
use super::attempts::refused;
use super::entry::refresh;
use super::person::Person;
use super::teller::Teller;
use super::world::{Request, World};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &mut Cast) -> Result<()> {
    sign_outs(teller, world, &mut cast.ann).await?;
    by_an_administrator(teller, world, &cast.alice, &mut cast.ann).await
}

/// A change of rights is everywhere after some seconds; until then every token of
/// the member is refused.
pub(super) async fn settle(teller: &Teller<'_>) {
    teller.note("… 6 s, in which the change reaches everything that tokens are made from");
    tokio::time::sleep(Duration::from_secs(6)).await;
}

/// A sign-in in the very second of the end cannot be told from an older one.
async fn next_second() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

async fn sign_outs(teller: &mut Teller<'_>, world: &World<'_>, ann: &mut Person) -> Result<()> {
    teller.chapter("Scenario 5: a sign-out shows at the API at once");
    let mut phone = Person::new(ann.name, ann.email);
    let answer = phone.sign_in(world).await?;
    teller.step("Ann signs in on a second device", "InitiateAuth", &answer.status.to_string(), answer.status == 200);

    end(teller, world, ann, "On the first one she signs out", None, 204).await?;
    let request = Request::new("GET", "/me", ann.access()?);
    refused(teller, world, "That session is over", &request, "the first device's token", "SessionEnded").await?;
    open(teller, world, &phone, "The other one goes on").await?;
    let answer = ann.refresh(world).await?;
    let text = "Her refresh token still gives tokens: the app did not revoke it";
    teller.step(text, "InitiateAuth  her refresh token", &answer.status.to_string(), answer.status == 200);
    let request = Request::new("GET", "/me", ann.access()?);
    let text = "They belong to the same session, and open nothing";
    refused(teller, world, text, &request, "the first device's new token", "SessionEnded").await?;

    let everywhere = Some(json!({ "everywhere": true }));
    end(teller, world, &phone, "On the second one she signs out everywhere", everywhere, 200).await?;
    let request = Request::new("GET", "/me", phone.access()?);
    refused(teller, world, "All of her sessions are over", &request, "the second device's token", "SessionsEnded")
        .await?;
    let answer = phone.refresh(world).await?;
    let text = "The pool knows it too: it gives no new tokens";
    teller.step(text, "InitiateAuth  the second device's refresh token", &answer.shown(), answer.status == 400);

    next_second().await;
    let answer = ann.sign_in(world).await?;
    teller.step("She signs in afresh", "InitiateAuth", &answer.status.to_string(), answer.status == 200);
    open(teller, world, ann, "That is a new session, and opens the door").await
}

async fn by_an_administrator(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    alice: &Person,
    ann: &mut Person,
) -> Result<()> {
    teller.chapter("Scenario 5: an administrator ends a member's sessions, and keeps her out");
    let sub = ann.subject()?;
    let path = format!("/admin/members/{sub}/sign-out");
    let request = Request::new("POST", &path, alice.access()?);
    let answer = world.api(&request).await?;
    teller.step("Alice ends Ann's sessions in acme", &request.shown(), &answer.shown(), answer.status == 200);
    let request = Request::new("GET", "/me", ann.access()?);
    refused(teller, world, "Ann has to sign in again", &request, "Ann's access token", "SessionsEnded").await?;
    next_second().await;
    let answer = ann.sign_in(world).await?;
    teller.step("So she does", "InitiateAuth", &answer.status.to_string(), answer.status == 200);
    open(teller, world, ann, "And is in again").await?;

    set_status(teller, world, alice, &sub, "suspended", "Alice keeps Ann out of acme").await?;
    let request = Request::new("GET", "/items", ann.access()?);
    refused(teller, world, "Ann's token is worth nothing at once", &request, "Ann's access token", "RightsChanged")
        .await?;
    refresh(teller, world, ann, "A refresh gives her no rights back", None, &[]).await?;
    let request = Request::new("GET", "/items", ann.access()?);
    refused(teller, world, "So it opens no tenant", &request, "Ann's new token", "TenantMissing").await?;

    set_status(teller, world, alice, &sub, "active", "Alice lets her in again").await?;
    settle(teller).await;
    refresh(teller, world, ann, "Her next token is a member's", Some("acme"), &["member"]).await?;
    open(teller, world, ann, "And opens the door").await
}

/// Ends sessions by their own user.
async fn end(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    by: &Person,
    text: &str,
    body: Option<serde_json::Value>,
    status: u16,
) -> Result<()> {
    let request = Request { body, ..Request::new("POST", "/sign-out", by.access()?) };
    let answer = world.api(&request).await?;
    // Everywhere means the pool's refresh tokens, too.
    let told = request.body.is_none() || answer.body.get("refresh_tokens") == Some(&json!("ended"));
    teller.step(text, &request.shown(), &answer.shown(), answer.status == status && told);
    Ok(())
}

/// A call that passes.
async fn open(teller: &mut Teller<'_>, world: &World<'_>, person: &Person, text: &str) -> Result<()> {
    let request = Request::new("GET", "/me", person.access()?);
    let answer = world.api(&request).await?;
    teller.step(text, &request.shown(), &answer.status.to_string(), answer.status == 200);
    Ok(())
}

async fn set_status(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    by: &Person,
    sub: &str,
    status: &str,
    text: &str,
) -> Result<()> {
    let members = world.api(&Request::new("GET", "/admin/members", by.access()?)).await?;
    let version = version_of(&members.body, sub);
    let path = format!("/admin/members/{sub}/status");
    let body = json!({ "status": status });
    let request = Request::new("PUT", &path, by.access()?).header("If-Match", &version).body(body);
    let answer = world.api(&request).await?;
    teller.step(text, &request.shown(), &answer.shown(), answer.status == 200);
    Ok(())
}
