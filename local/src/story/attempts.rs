//! Who does not get in, and why.

use anyhow::Result;
use serde_json::json;

use super::Cast;
use super::person::Person;
use super::teller::Teller;
use super::token::Token;
use super::world::{Answer, Request, World};

pub(super) async fn at_the_pool(teller: &mut Teller<'_>, world: &World<'_>, cast: &Cast) -> Result<()> {
    teller.chapter("Scenario 1, refused: at the user pool");
    let mallory = Person::new("Mallory", "mallory@mailinator.com");
    let answer = mallory.sign_up(world, &[]).await?;
    let sent = format!("SignUp  {}", mallory.email);
    let text = "A sign-up from a blocked domain is refused by pre-sign-up";
    teller.step(text, &sent, &answer.shown(), is(&answer, "UserLambdaValidationException"));

    let mallory = Person::new("Mallory", "mallory@elsewhere.example");
    for (name, value) in [("custom:role", "admin"), ("custom:plan", "gold"), ("email_verified", "true")] {
        let answer = mallory.sign_up(world, &[(name, value)]).await?;
        let sent = format!("SignUp  {}, {name} = {value}", mallory.email);
        let text = format!("Nobody signs up with {name} of his own");
        teller.step(&text, &sent, &answer.shown(), is(&answer, "NotAuthorizedException"));
    }
    for (name, value) in [("custom:role", "admin"), ("custom:plan", "gold"), ("email_verified", "true")] {
        let answer = cast.ann.update(world, name, value).await?;
        let sent = format!("UpdateUserAttributes  Ann's access token, {name} = {value}");
        let text = format!("Nobody writes {name} later either");
        teller.step(&text, &sent, &answer.shown(), is(&answer, "NotAuthorizedException"));
    }
    let mut mallory = Person::new("Mallory", cast.ann.email);
    let answer = mallory.sign_in(world).await?;
    let sent = format!("InitiateAuth  {}, another password", mallory.email);
    teller.step("A wrong password is refused", &sent, &answer.shown(), is(&answer, "NotAuthorizedException"));
    let mut mallory = Person::new("Mallory", "nobody@elsewhere.example");
    let unknown = mallory.sign_in(world).await?;
    let sent = format!("InitiateAuth  {}, a password", mallory.email);
    let text = "An unknown user gets the very same answer";
    teller.step(text, &sent, &unknown.shown(), unknown.status == answer.status && unknown.body == answer.body);
    Ok(())
}

fn is(answer: &Answer, kind: &str) -> bool {
    answer.status == 400 && answer.error() == Some(kind)
}

pub(super) async fn at_the_api(teller: &mut Teller<'_>, world: &World<'_>, cast: &Cast) -> Result<()> {
    teller.chapter("Scenario 3, refused: at the authorizer");
    teller.note("The caller hears 401 or 403 and no more; the reason is in the authorizer's log.");
    let access = cast.ann.access()?;
    let request = Request { token: None, ..Request::new("GET", "/items", access) };
    let answer = world.api(&request).await?;
    let right = matches!(answer.status, 401 | 403);
    teller.step("A call without a token", &format!("{}  no token", request.shown()), &answer.status.to_string(), right);

    let other_tenant = access.tampered("tenant", json!("globex"))?;
    let other_roles = access.tampered("roles", json!(["admin"]))?;
    let (unsigned, id) = (access.unsigned()?, cast.ann.id()?.clone());
    let ann = "Ann's access token";
    let table: [(&str, &str, &str, Token, &str, &str); 7] = [
        ("A text that is no token", "GET", "/items", Token::new("let-me-in"), "let-me-in", "TokenMalformed"),
        (
            "A token bent to another tenant",
            "GET",
            "/items",
            other_tenant,
            "tenant: globex, old signature",
            "SignatureBad",
        ),
        (
            "A token bent to another role",
            "GET",
            "/admin/members",
            other_roles,
            "roles: [admin], old signature",
            "SignatureBad",
        ),
        ("A token without a signature", "GET", "/items", unsigned, "alg: none", "TokenMalformed"),
        ("An ID token where an access token is required", "GET", "/items", id, "Ann's ID token", "TokenKindRefused"),
        ("A user on a route for administrators", "GET", "/admin/members", access.clone(), ann, "RoleMissing"),
        ("A user of acme at the door of globex", "GET", "/tenants/globex", access.clone(), ann, "TenantDiffers"),
    ];
    for (text, method, path, token, what, reason) in &table {
        refused(teller, world, text, &Request::new(method, path, token), what, reason).await?;
    }
    let request = Request::new("GET", "/items/list/more", access);
    let answer = world.api(&request).await?;
    let text = "A path that the API does not have";
    teller.step(text, &format!("{}  {ann}", request.shown()), &answer.shown(), answer.status == 404);
    let request = Request::new("GET", "/tenants/acme", access);
    let answer = world.api(&request).await?;
    let text = "The same user at her own door, to compare";
    teller.step(text, &format!("{}  {ann}", request.shown()), &answer.shown(), answer.status == 200);
    Ok(())
}

/// A refusal of the authorizer is right only with the right reason.
pub(super) async fn refused(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    text: &str,
    request: &Request<'_>,
    what: &str,
    reason: &str,
) -> Result<()> {
    let answer = world.api(request).await?;
    let logged = world.reason(request).await?;
    let sent = format!("{}  {what}", request.shown());
    teller.step(
        text,
        &sent,
        &format!("{}  (reason {logged})", answer.status),
        answer.status == 403 && logged == reason,
    );
    Ok(())
}

/// Whether a back end refused, with this status and code.
pub(super) fn refused_by_back_end(answer: &Answer, status: u16, code: &str) -> bool {
    answer.status == status && answer.body.get("code") == Some(&json!(code))
}
