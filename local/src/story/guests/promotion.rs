//! The guest signs up, proves that he was the guest, and has everything.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::attempts::refused_by_back_end;
use super::super::credentials::sign_in;
use super::super::person::Person;
use super::super::reach::{Does, Session, credentials};
use super::super::shown::short_ids;
use super::super::teller::Teller;
use super::super::token::Token;
use super::super::world::{Request, World};
use super::records::{Found, Records, Score, of_guest, of_user, shown};
use super::visit::LEVELS;
use super::{becomes_a_user, promoted, refused};

/// Answers the identity that the user has in the end.
pub(super) async fn tell(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    guest: &Session,
    gus: &mut Person,
    mallory: &mut Person,
) -> Result<String> {
    teller.chapter("Scenario 4: the guest becomes a user and keeps everything");
    teller.note("An identity's id is all that Cognito asks of a guest: whoever knows it gets his credentials.");
    teller.note("So a guest can register a secret, and without it nobody takes what is his.");
    let secret = secret()?;
    claim(teller, world, guest, &secret).await?;
    becomes_a_user(teller, world, gus).await?;
    becomes_a_user(teller, world, mallory).await?;
    let identity = &guest.identity;
    let (plain, whole) = (json!({ "identityId": identity }), with_secret(identity, &secret));
    by_a_stranger(teller, world, identity, mallory).await?;
    let text = "Gus has the secret, but the guest has not named him";
    refused(teller, world, text, gus, &whole).await?;

    let text = "With the guest's credentials Gus writes down whom the guest's things are for";
    grant(teller, &Records::new(world, &guest.config), identity, gus, text).await?;
    let text = "Without the secret it is not enough for him either";
    refused(teller, world, text, gus, &plain).await?;

    let answer = promotion(teller, world, gus, &whole).await?;
    let text = "Mallory gets no other answer than before, now that there is nothing left to get";
    refused(teller, world, text, mallory, &plain).await?;
    afterwards(teller, world, guest, gus).await?;
    answer.get("identityId").and_then(Value::as_str).map(str::to_owned).context("a promotion names no identity")
}

/// Somebody who has learnt the identity's id goes as far as that leads.
async fn by_a_stranger(teller: &mut Teller<'_>, world: &World<'_>, identity: &str, mallory: &Person) -> Result<()> {
    let plain = json!({ "identityId": identity });
    let text = "Mallory has learnt the guest's identity, and that alone is not enough";
    refused(teller, world, text, mallory, &plain).await?;
    let answer = world.credentials(identity, &json!({}), None).await?;
    let config = credentials(world, &answer);
    let text = "It gets her the guest's credentials, as it gets everybody";
    let sent = "GetCredentialsForIdentity  the guest's identity, no token";
    teller.step(text, sent, &answer.status.to_string(), config.is_some());
    let config = config.context("a guest's identity gives no credentials")?;
    let text = "With them she writes down that the guest's things are for her";
    grant(teller, &Records::new(world, &config), identity, mallory, text).await?;
    refused(teller, world, "But she does not know the secret", mallory, &plain).await?;
    let guessed = with_secret(identity, &secret()?);
    refused(teller, world, "and does not guess it", mallory, &guessed).await
}

/// The record in which a guest names the user who is to have his things.
async fn grant(teller: &mut Teller<'_>, records: &Records, identity: &str, user: &Person, text: &str) -> Result<()> {
    let (own, sub) = (of_guest(identity), user.subject()?);
    let back = records.put(&own, "#grant", &sub, None).await;
    let sent = short_ids(&format!("dynamodb:PutItem  pk {own}, sk #grant, data {sub}"));
    teller.step(text, &sent, &back, back == "done");
    Ok(())
}

/// 32 random bytes.
fn secret() -> Result<Token> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow!("there are no random numbers"))?;
    Ok(Token::new(&URL_SAFE_NO_PAD.encode(bytes)))
}

fn with_secret(identity: &str, secret: &Token) -> Value {
    json!({ "identityId": identity, "claimSecret": secret.as_str() })
}

async fn claim(teller: &mut Teller<'_>, world: &World<'_>, guest: &Session, secret: &Token) -> Result<()> {
    let request = || Request::open("PUT", "/guest/claim").body(with_secret(&guest.identity, secret));
    let answer = world.api(&request()).await?;
    let text = "A secret is registered only by whoever has written its hash into the guest's own place";
    let right = refused_by_back_end(&answer, 403, "GuestRefused");
    teller.step(text, &request().shown(), &answer.shown(), right);

    let hash = digest(&SHA256, secret.as_str().as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let (records, own) = (Records::new(world, &guest.config), of_guest(&guest.identity));
    let back = records.put(&own, "#claim", &hash, None).await;
    let text = "With his credentials he writes down the secret's hash";
    let sent = short_ids(&format!("dynamodb:PutItem  pk {own}, sk #claim, data a SHA-256"));
    teller.step(text, &sent, &back, back == "done");
    for text in ["The secret is registered", "Once more does no harm"] {
        let answer = world.api(&request()).await?;
        teller.step(text, &request().shown(), &answer.shown(), answer.status == 204);
    }
    Ok(())
}

/// The promotion itself, twice.
async fn promotion(teller: &mut Teller<'_>, world: &World<'_>, gus: &Person, body: &Value) -> Result<Value> {
    let (sent, first) = promoted(world, gus.id()?, body).await?;
    let count = |name: &str| first.body.get(name).and_then(Value::as_u64);
    let moved = u64::try_from(LEVELS.len()).unwrap_or_default();
    let right = first.status == 200
        && first.body.get("state") == Some(&json!("done"))
        && count("moved") == Some(moved)
        && ["renamed", "replaced", "setAside"].iter().all(|name| count(name) == Some(0));
    let text = "With both, Gus is promoted: everything is his";
    teller.step(text, &format!("{sent}  Gus's ID token"), &first.shown(), right);

    let (sent, again) = promoted(world, gus.id()?, body).await?;
    let text = "Asked again, it is the same answer, and nothing is done twice";
    let right = again.status == 200 && again.body == first.body;
    teller.step(text, &format!("{sent}  Gus's ID token"), &again.shown(), right);
    Ok(first.body)
}

/// What the user reaches now, and what the guest no longer does.
async fn afterwards(teller: &mut Teller<'_>, world: &World<'_>, guest: &Session, gus: &Person) -> Result<()> {
    let (old, sub) = (Records::new(world, &guest.config), gus.subject()?);
    let (was, own) = (of_guest(&guest.identity), of_user(&sub));
    let session = sign_in(teller, world, gus, "Gus", "AuthenticatedRole").await?;
    let text = "It is the same identity as before, no longer a guest's";
    let back = if session.identity == guest.identity { "the guest's" } else { "another" };
    teller.step(text, "GetId  Gus's ID token", back, session.identity == guest.identity);

    let new = Records::new(world, &session.config);
    let found = new.read(&own).await;
    let all = |found: &Found| found.keys().eq(LEVELS) && found.values().all(|kept| kept.expires_at.is_none());
    let right = found.as_ref().is_ok_and(all);
    let text = "His own credentials find the scores in his own place, and they no longer end";
    let sent = format!("dynamodb:Query  pk {}", short_ids(&own));
    teller.step(text, &sent, &found.map_or_else(|code| code, |found| shown(&found)), right);
    let key = format!("users/{sub}/score.txt");
    let text = "They reach his own files, which the guest had none of";
    session.files(world).step(teller, text, Does::Write, &key, true).await;

    old.reads(teller, "The guest's credentials, while they last, find nothing any more", &was, Some(&[])).await;
    old.reads(teller, "They do not follow the scores to the user", &own, None).await;
    let text = "Nor do they reach his files";
    guest.files(world).step(teller, text, Does::Read, &key, false).await;
    late(teller, &old, &new, (&was, &own)).await;

    let answer = world.credentials(&guest.identity, &json!({}), None).await?;
    let text = "New credentials for the identity there are only with a login";
    let right = answer.error() == Some("NotAuthorizedException");
    teller.step(text, "GetCredentialsForIdentity  the guest's identity, no token", &short_ids(&answer.shown()), right);
    Ok(())
}

/// What the guest's app still writes is not lost: the keeper sees it in the
/// table's stream and has it brought after.
async fn late(teller: &mut Teller<'_>, old: &Records, new: &Records, (was, own): (&str, &str)) {
    let text = "The app stores one more score as the guest";
    old.writes(teller, text, &Score::of(was, "level-4"), true).await;
    let found = new.awaited(own, |found| found.contains_key("level-4")).await;
    let right = found.as_ref().is_ok_and(|found| found.contains_key("level-4") && found.len() == LEVELS.len() + 1);
    let text = "It arrives at the user all the same";
    let sent = format!("dynamodb:Query  pk {}", short_ids(own));
    teller.step(text, &sent, &found.map_or_else(|code| code, |found| shown(&found)), right);
    let left = old.awaited(was, Found::is_empty).await;
    let back = left.as_ref().map_or_else(Clone::clone, shown);
    let text = "and is gone from where it was";
    teller.step(text, &format!("dynamodb:Query  pk {}", short_ids(was)), &back, left.is_ok_and(|left| left.is_empty()));
}
