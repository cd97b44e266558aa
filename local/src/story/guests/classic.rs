//! The other proof: an OpenID token, which identity pools with the classic flow
//! give to guests.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::types::RoleMapping;
use serde_json::{Value, json};

use super::super::attempts::refused_by_back_end;
use super::super::credentials::{logins, sign_in};
use super::super::person::Person;
use super::super::reach::Session;
use super::super::shown::short_ids;
use super::super::teller::Teller;
use super::super::token::Token;
use super::super::world::{Answer, World};
use super::records::{Records, Score, of_guest, of_user, shown};
use super::{arrives, becomes_a_user, promoted, refused};

/// What both the guest and the user have kept.
const SCORE: &str = "level-1";

/// Answers the identity that the user has in the end.
pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, wanda: &mut Person) -> Result<String> {
    teller.chapter("Scenario 4: a guest who proves himself by an OpenID token");
    let guest = arrives(teller, world, "A second guest comes, on another device of a user").await?;
    let records = Records::new(world, &guest.config);
    let partition = of_guest(&guest.identity);
    let score = Score::of(&partition, SCORE);
    records.writes(teller, "He keeps a score, too", &score, true).await;
    becomes_a_user(teller, world, wanda).await?;
    let session = sign_in(teller, world, wanda, "Wanda", "AuthenticatedRole").await?;
    let (own, text) = (of_user(&wanda.subject()?), "Wanda has an identity already, and a score of that name");
    let score = Score { partition: &own, points: "17", ..score };
    Records::new(world, &session.config).writes(teller, text, &score, true).await;

    let pool = Pool::new(world).await?;
    pool.open(teller, world, &guest).await?;
    let token = token(world, &guest.identity, &json!({})).await?;
    proved(teller, &token)?;
    attempts(teller, world, wanda, &session, &token).await?;
    let identity = merged(teller, world, &guest, wanda, &session, &token).await?;
    pool.close(teller, world, &session, wanda).await?;
    Ok(identity)
}

/// The identity pool, in the operator's hands.
struct Pool<'a> {
    client: Client,
    id: &'a str,
    roles: HashMap<String, String>,
    mappings: HashMap<String, RoleMapping>,
}

impl<'a> Pool<'a> {
    async fn new(world: &World<'a>) -> Result<Self> {
        let client = Client::new(world.owner);
        let (roles, mappings) = roles(&client, world.identity_pool).await?;
        Ok(Self { client, id: world.identity_pool, roles, mappings })
    }

    /// Switches the classic flow, and leaves everything else as it is.
    async fn classic(&self, on: bool) -> Result<()> {
        let now = self.client.describe_identity_pool().identity_pool_id(self.id).send().await?;
        let update = self.client.update_identity_pool().identity_pool_id(self.id).allow_classic_flow(on);
        let update = update
            .identity_pool_name(now.identity_pool_name)
            .allow_unauthenticated_identities(now.allow_unauthenticated_identities)
            .set_supported_login_providers(now.supported_login_providers)
            .set_developer_provider_name(now.developer_provider_name.filter(|name| !name.is_empty()))
            .set_open_id_connect_provider_arns(now.open_id_connect_provider_arns)
            .set_cognito_identity_providers(now.cognito_identity_providers)
            .set_saml_provider_arns(now.saml_provider_arns)
            .set_identity_pool_tags(now.identity_pool_tags);
        update.send().await.context("the classic flow cannot be switched")?;
        Ok(())
    }

    async fn mapped_by(&self, mappings: HashMap<String, RoleMapping>) -> Result<()> {
        let set = self.client.set_identity_pool_roles().identity_pool_id(self.id);
        let set = set.set_roles(Some(self.roles.clone())).set_role_mappings(Some(mappings));
        set.send().await.context("the role mappings cannot be set")?;
        Ok(())
    }

    /// As this stack is deployed there is no such token. Two settings change
    /// that, and the operator changes them for a moment.
    async fn open(&self, teller: &mut Teller<'_>, world: &World<'_>, guest: &Session) -> Result<()> {
        let body = json!({ "IdentityId": guest.identity });
        let table = [
            ("The pool as it is deployed gives no such token", "is not enabled"),
            ("Nor with the classic flow on, as long as it has role mappings", "is not supported with RoleMappings"),
        ];
        for (text, why) in table {
            let answer = world.identity("GetOpenIdToken", &body).await?;
            let told = answer.body.get("message").and_then(Value::as_str).unwrap_or_default();
            let right = answer.error() == Some("InvalidParameterException") && told.contains(why);
            teller.step(text, "GetOpenIdToken  the guest's identity", &answer.shown(), right);
            self.classic(true).await?;
        }
        self.mapped_by(HashMap::new()).await?;
        let answer = world.identity("GetOpenIdToken", &body).await?;
        let text = "The operator takes the mappings away for a moment: now there is one";
        let sent = "UpdateIdentityPool, SetIdentityPoolRoles; GetOpenIdToken  the guest's identity";
        teller.step(text, sent, &short_ids(&answer.shown()), answer.status == 200);
        Ok(())
    }

    /// Everything is as before.
    async fn close(&self, teller: &mut Teller<'_>, world: &World<'_>, session: &Session, wanda: &Person) -> Result<()> {
        self.classic(false).await?;
        self.mapped_by(self.mappings.clone()).await?;
        let restored = roles(&self.client, self.id).await? == (self.roles.clone(), self.mappings.clone());
        let body = json!({ "IdentityId": session.identity, "Logins": logins(world, wanda.id()?)? });
        let answer = world.identity("GetOpenIdToken", &body).await?;
        let right = restored && answer.error() == Some("InvalidParameterException") && !self.mappings.is_empty();
        let text = "The operator puts both settings back";
        teller.step(text, "UpdateIdentityPool, SetIdentityPoolRoles; GetOpenIdToken", &answer.shown(), right);
        Ok(())
    }
}

async fn roles(client: &Client, pool: &str) -> Result<(HashMap<String, String>, HashMap<String, RoleMapping>)> {
    let found = client.get_identity_pool_roles().identity_pool_id(pool).send().await;
    let found = found.context("the roles of the identity pool cannot be read")?;
    Ok((found.roles.unwrap_or_default(), found.role_mappings.unwrap_or_default()))
}

/// The OpenID token of an identity.
async fn token(world: &World<'_>, identity: &str, logins: &Value) -> Result<Token> {
    let body = json!({ "IdentityId": identity, "Logins": logins });
    let answer: Answer = world.identity("GetOpenIdToken", &body).await?;
    let token = answer.body.get("Token").and_then(Value::as_str).map(Token::new);
    token.with_context(|| format!("there is no OpenID token: {}", answer.shown()))
}

/// What the token says.
fn proved(teller: &mut Teller<'_>, token: &Token) -> Result<()> {
    let claims = token.claims()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(short_ids).unwrap_or_default();
    teller.note(&format!("It says: iss {}, aud {}, sub {}", text("iss"), text("aud"), text("sub")));
    teller.note("AWS signs it with RS512, the local AWS with RS256; both are taken.");
    Ok(())
}

/// What is no proof of a guest.
async fn attempts(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    wanda: &Person,
    session: &Session,
    token: &Token,
) -> Result<()> {
    let bent = token.tampered("sub", json!(session.identity))?;
    let table = [
        ("A token bent to another identity is refused", bent),
        ("So is one without a signature", token.unsigned()?),
        ("So is one of another identity pool", of_another_pool(world).await?),
        ("So is a token of the user pool", wanda.id()?.clone()),
    ];
    for (text, token) in &table {
        refused(teller, world, text, wanda, &json!({ "guestToken": token.as_str() })).await?;
    }
    let registered = self::token(world, &session.identity, &logins(world, wanda.id()?)?).await?;
    let (sent, answer) = promoted(world, wanda.id()?, &json!({ "guestToken": registered.as_str() })).await?;
    let right = refused_by_back_end(&answer, 409, "GuestRegistered");
    let text = "Wanda's own identity is no guest's";
    teller.step(text, &format!("{sent}  Wanda's ID token"), &answer.shown(), right);
    Ok(())
}

/// A token as good as the guest's, of a pool that is none of ours.
async fn of_another_pool(world: &World<'_>) -> Result<Token> {
    let client = Client::new(world.owner);
    let made = client.create_identity_pool().identity_pool_name("another").allow_unauthenticated_identities(true);
    let made = made.allow_classic_flow(true).send().await.context("another identity pool cannot be made")?;
    let answer = world.identity("GetId", &json!({ "IdentityPoolId": made.identity_pool_id })).await?;
    let identity = answer.body.get("IdentityId").and_then(Value::as_str).context("another pool gives no identity")?;
    token(world, identity, &json!({})).await
}

/// The promotion of a guest into a user who has an identity: that one stays.
async fn merged(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    guest: &Session,
    wanda: &Person,
    session: &Session,
    token: &Token,
) -> Result<String> {
    let body = json!({ "guestToken": token.as_str() });
    let (sent, answer) = promoted(world, wanda.id()?, &body).await?;
    let identity = answer.body.get("identityId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let right = answer.status == 200
        && identity == session.identity
        && identity != guest.identity
        && answer.body.get("renamed") == Some(&json!(1));
    let text = "Wanda is promoted with the token: she keeps her identity, and the guest's score gets a new name";
    teller.step(text, &format!("{sent}  Wanda's ID token"), &answer.shown(), right);

    let own = of_user(&wanda.subject()?);
    let found = Records::new(world, &session.config).read(&own).await;
    let right = found.as_ref().is_ok_and(|found| {
        let points = |name: &str| found.get(name).map(|kept| kept.data.as_str());
        found.len() == 2 && points(SCORE) == Some("17") && found.values().any(|kept| kept.data == "42")
    });
    let text = "She has both scores";
    let sent = format!("dynamodb:Query  pk {}", short_ids(&own));
    teller.step(text, &sent, &found.map_or_else(|code| code, |found| shown(&found)), right);

    let (_, again) = promoted(world, wanda.id()?, &body).await?;
    let text = "The same token again gets the same answer";
    let right = again.status == 200 && again.body == answer.body;
    teller.step(text, "POST /guest/promotion  Wanda's ID token", &again.shown(), right);

    let answer = world.credentials(&guest.identity, &json!({}), None).await?;
    let text = "The guest's identity is disabled: nobody gets credentials of it any more";
    let right = answer.error() == Some("NotAuthorizedException");
    teller.step(text, "GetCredentialsForIdentity  the guest's identity, no token", &short_ids(&answer.shown()), right);
    Ok(identity)
}
