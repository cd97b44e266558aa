//! Scenario 2: temporary AWS credentials, and what they reach.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Url;
use serde_json::{Value, json};

use super::browser::{Browser, member, query};
use super::federation::{APP, NORA};
use super::person::Person;
use super::reach::{Bucket, Does, Session, code, credentials};
use super::teller::Teller;
use super::token::{Token, short};
use super::world::{Answer, World};
use crate::cloud::REGION;
use crate::oidc::{CLIENT_SECRET, DIRECT_CLIENT};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, nora: &Person, alice: &Person) -> Result<()> {
    teller.chapter("Scenario 2: temporary AWS credentials, straight to S3 and DynamoDB");
    teller.note("The pass-through chooses the role by the deployed mappings and fills in the policies'");
    teller.note("variables, as the identity pool and IAM do; the local IAM then decides each call. Conditions on");
    teller.note("the partition and the attributes of a record are unknown to it: those the pass-through decides.");
    let owner = Bucket::new(world, world.owner);
    for key in ["public/welcome.txt", "tenants/acme/plan.txt", "tenants/globex/plan.txt"] {
        owner.put(key).await.map_err(|refusal| anyhow::anyhow!("the operator cannot write {key}: {refusal}"))?;
    }
    let of_nora = a_member(teller, world, nora, alice).await?;
    an_administrator(teller, world, alice).await?;
    not_to_be_had(teller, world, nora, alice, &of_nora).await?;
    by_a_provider_directly(teller, world).await
}

async fn a_member(teller: &mut Teller<'_>, world: &World<'_>, nora: &Person, alice: &Person) -> Result<Session> {
    let session = sign_in(teller, world, nora, "Nora", "AuthenticatedRole").await?;
    let (own, others) = (nora.subject()?, alice.subject()?);
    let files = session.files(world);
    let table = [
        (Does::Write, format!("users/{own}/note.txt"), true, "Nora writes a file of her own"),
        (Does::Read, format!("users/{own}/note.txt"), true, "She reads it"),
        (Does::Write, format!("users/{others}/note.txt"), false, "Alice's place is closed to her"),
        (Does::Read, "tenants/acme/plan.txt".to_owned(), true, "What belongs to her tenant she may read"),
        (Does::Write, "tenants/acme/plan.txt".to_owned(), false, "To write it is for administrators"),
        (Does::Read, "tenants/globex/plan.txt".to_owned(), false, "Another tenant's files are closed"),
    ];
    for (does, key, allowed, text) in table {
        files.step(teller, text, does, &key, allowed).await;
    }
    let records = session.records();
    let item = [("pk", format!("USER#{own}")), ("sk", "score".to_owned())];
    let put = records.put_item().table_name(world.records);
    let put = item.into_iter().fold(put, |put, (name, value)| put.item(name, AttributeValue::S(value)));
    let back = code(put.send().await);
    let sent = format!("dynamodb:PutItem  pk USER#{}…, sk score", short(&own));
    teller.step("A record of her own goes to DynamoDB without a back end", &sent, &back, back == "done");
    let others = HashMap::from([
        ("pk".to_owned(), AttributeValue::S(format!("USER#{others}"))),
        ("sk".to_owned(), AttributeValue::S("score".to_owned())),
    ]);
    let back = code(records.get_item().table_name(world.records).set_key(Some(others)).send().await);
    let text = "Alice's records are closed to her";
    teller.step(text, "dynamodb:GetItem  pk USER#…, Alice's", &back, back == "AccessDeniedException");
    let back = code(records.scan().table_name(world.records).send().await);
    let text = "All records at once are not hers to have";
    teller.step(text, "dynamodb:Scan", &back, back == "AccessDeniedException");
    Ok(session)
}

async fn an_administrator(teller: &mut Teller<'_>, world: &World<'_>, alice: &Person) -> Result<()> {
    let session = sign_in(teller, world, alice, "Alice", "AdministratorRole").await?;
    let files = session.files(world);
    files.step(teller, "She writes what belongs to her tenant", Does::Write, "tenants/acme/plan.txt", true).await;
    let text = "She writes nothing of another tenant";
    files.step(teller, text, Does::Write, "tenants/globex/plan.txt", false).await;
    Ok(())
}

/// What nobody gets by asking for it.
async fn not_to_be_had(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    nora: &Person,
    alice: &Person,
    session: &Session,
) -> Result<()> {
    let administrator = Some(world.administrator_role);
    let answer = world.credentials(&session.identity, &logins(world, nora.id()?)?, administrator).await?;
    let text = "Nora asks for the administrators' role and is refused: the mapping is not hers to choose";
    let right = answer.error() == Some("NotAuthorizedException");
    teller.step(text, "GetCredentialsForIdentity  CustomRoleArn: AdministratorRole", &answer.shown(), right);

    let answer = world.credentials(&session.identity, &logins(world, alice.id()?)?, None).await?;
    let text = "Alice's token does not open Nora's identity";
    let right = answer.error() == Some("NotAuthorizedException");
    teller.step(text, "GetCredentialsForIdentity  Nora's identity, Alice's ID token", &answer.shown(), right);

    let bent = nora.id()?.tampered("identity_role", json!("admin"))?;
    let answer = world.credentials(&session.identity, &logins(world, &bent)?, None).await?;
    let text = "A token bent to an administrator's opens nothing";
    let right = answer.error() == Some("NotAuthorizedException");
    let sent = "GetCredentialsForIdentity  identity_role: admin, old signature";
    teller.step(text, sent, &answer.shown(), right);

    let body = json!({ "IdentityId": session.identity, "Logins": logins(world, nora.id()?)? });
    let answer = world.identity("GetOpenIdToken", &body).await?;
    let text = "The classic flow, in which she could name any role, is off";
    let right = answer.error() == Some("InvalidParameterException");
    teller.step(text, "GetOpenIdToken  Nora's ID token", &answer.shown(), right);
    Ok(())
}

/// Without a user pool: the identity pool takes the provider's own ID token.
async fn by_a_provider_directly(teller: &mut Teller<'_>, world: &World<'_>) -> Result<()> {
    teller.chapter("Scenario 2: no user pool between, the identity pool trusts the provider itself");
    teller.note("Locally it believes such a token without its signature, and knows it again by its text only.");
    let token = direct_token(world).await?;
    let provider = world.issuer.trim_start_matches("http://");
    let logins = json!({ provider: token.as_str() });
    let text = "Nora's app shows her company's ID token";
    let session = session(teller, world, text, "her company's ID token", &logins, "AuthenticatedRole").await?;
    let files = session.files(world);
    let own = format!("identities/{}/note.txt", session.identity);
    files.step(teller, "Her things hang on the identity, which nobody else can have", Does::Write, &own, true).await;
    files.step(teller, "Another identity's are closed", Does::Read, "identities/another/note.txt", false).await;
    let text = "So are a tenant's: no user pool has said that she belongs to one";
    files.step(teller, text, Does::Read, "tenants/acme/plan.txt", false).await;
    Ok(())
}

/// An ID token for an app that the provider knows by itself.
async fn direct_token(world: &World<'_>) -> Result<Token> {
    let asked =
        [("client_id", DIRECT_CLIENT), ("response_type", "code"), ("redirect_uri", APP), ("scope", "openid email")];
    let start = Url::parse(&format!("{}/auth?{}", world.issuer, query(&asked)?))?;
    let landed = Browser::new()?.sign_in(start, NORA, APP).await?;
    let code = member(&landed, "code").context("the provider gave no code")?;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", DIRECT_CLIENT),
        ("client_secret", CLIENT_SECRET),
        ("redirect_uri", APP),
        ("code", &code),
    ];
    let answer = world.form(&format!("{}/token", world.issuer), query(&form)?).await?;
    answer.body.get("id_token").and_then(Value::as_str).map(Token::new).context("the provider gave no ID token")
}

/// Credentials for somebody's ID token of the user pool.
pub(super) async fn sign_in(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    person: &Person,
    name: &str,
    role: &str,
) -> Result<Session> {
    let text = format!("{name} changes an ID token for AWS credentials; the mapping gives {role}");
    session(teller, world, &text, &format!("{name}'s ID token"), &logins(world, person.id()?)?, role).await
}

/// Gets an identity and its credentials; what they are is asked of STS.
pub(super) async fn session(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    text: &str,
    what: &str,
    logins: &Value,
    role: &str,
) -> Result<Session> {
    let asked = json!({ "IdentityPoolId": world.identity_pool, "Logins": logins });
    let answer = world.identity("GetId", &asked).await?;
    let identity = answer.body.get("IdentityId").and_then(Value::as_str);
    let identity = identity.with_context(|| format!("there is no identity: {}", answer.shown()))?;
    let answer = world.credentials(identity, logins, None).await?;
    let config =
        credentials(world, &answer).with_context(|| format!("there are no credentials: {}", answer.shown()))?;
    let who = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await?.arn.unwrap_or_default();
    let back = format!("{}  sts:GetCallerIdentity says {}", answer.status, who.rsplit(':').next().unwrap_or_default());
    teller.step(text, &format!("GetId, GetCredentialsForIdentity  {what}"), &back, who.contains(&format!("-{role}-")));
    Ok(Session { identity: identity.to_owned(), config })
}

pub(super) fn logins(world: &World<'_>, id: &Token) -> Result<Value> {
    Ok(json!({ format!("cognito-idp.{REGION}.amazonaws.com/{}", world.pool_id): id.as_str() }))
}

impl World<'_> {
    pub(super) async fn credentials(&self, identity: &str, logins: &Value, role: Option<&str>) -> Result<Answer> {
        let mut body = json!({ "IdentityId": identity, "Logins": logins });
        if let (Some(role), Some(body)) = (role, body.as_object_mut()) {
            body.insert("CustomRoleArn".to_owned(), json!(role));
        }
        self.identity("GetCredentialsForIdentity", &body).await
    }
}
