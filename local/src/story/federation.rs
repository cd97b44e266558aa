//! Scenario 2: sign-in at another company, and what becomes of the user here.

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::Value;

use super::browser::{Browser, member, query};
use super::person::Person;
use super::teller::Teller;
use super::token::{Token, short};
use super::world::{Answer, World};
use super::{Cast, list};
use crate::oidc::{CORP, PARTNER};

/// The app's own address; nobody has to serve it.
pub(super) const APP: &str = "http://localhost:3000/callback";

/// Who somebody is at the other company; see `local/oidc/provider.mjs`.
pub(super) const NORA: &str = "Nora-7QxK";
const ANN: &str = "Ann-4ZtV";
const MALLORY: &str = "Mallory-X9";

/// Tells it; answers Nora, who came by her company.
pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &Cast) -> Result<Person> {
    teller.chapter("Scenario 2: sign in at another company");
    let nora = first_and_second(teller, world).await?;
    linked(teller, world, &cast.ann).await?;

    teller.chapter("Scenario 2, refused: at the door from other companies");
    stolen_code(teller, world).await?;
    let text = "An address that her company has not checked opens nobody's account";
    refused(teller, world, text, CORP, MALLORY, "claims Alice's address, email_verified: false").await?;
    let text = "A provider that the pool has and the rules do not name lets nobody in";
    refused(teller, world, text, PARTNER, NORA, "a second provider").await?;
    Ok(nora)
}

/// Somebody new, and the same person again.
async fn first_and_second(teller: &mut Teller<'_>, world: &World<'_>) -> Result<Person> {
    let mut nora = Person::new("Nora", "nora@acme.example");
    let way = Way::start()?;
    let landed = way.go(world, CORP, NORA).await?;
    let code = member(&landed, "code");
    let text = "Nora is new here. The pool sends her to her company; she signs in and agrees there";
    let back = format!("{}  after both of the provider's forms", shown(&landed));
    teller.step(text, &sent(CORP, NORA), &back, code.is_some());

    let user = user(world, nora.email).await?;
    let sub = user.attribute("sub").unwrap_or_default();
    let members = world.keys(world.directory_table, "acme#members").await?;
    let back =
        if members.contains(&sub) { format!("{}… is among them", short(&sub)) } else { "not there".to_owned() };
    let text = "Pre-sign-up let her in, and post-confirmation has given her a place, before there is a token";
    let sent = "the operator reads partition acme#members of the directory";
    teller.step(text, sent, &back, members.contains(&sub));

    let answer = way.tokens(world, &code.context("there is no code")?).await?;
    take(&mut nora, &answer)?;
    says(teller, &nora, "Her app takes the tokens for the code; both say: acme, [member]", &answer)?;

    let again = Way::start()?;
    let landed = again.go(world, CORP, NORA).await?;
    let answer = again.tokens(world, &member(&landed, "code").context("there is no code")?).await?;
    take(&mut nora, &answer)?;
    let same = nora.subject()? == sub && nora.access()?.says(Some("acme"), &["member"])?;
    let back = format!("{}  {}", answer.status, nora.access()?.shown()?);
    teller.step("She comes back later: the same user, the same rights", &self::sent(CORP, NORA), &back, same);
    Ok(nora)
}

/// A user of the pool comes by his company.
async fn linked(teller: &mut Teller<'_>, world: &World<'_>, ann: &Person) -> Result<()> {
    let landed = Way::start()?.go(world, CORP, ANN).await?;
    let why = member(&landed, "error_description").unwrap_or_default();
    let text = "Ann has a user here, and her company vouches for her address: both are linked, and the app is told";
    teller.step(text, &sent(CORP, ANN), &shown(&landed), why.contains("AccountLinked"));

    let way = Way::start()?;
    let landed = way.go(world, CORP, ANN).await?;
    let answer = way.tokens(world, &member(&landed, "code").context("there is no code")?).await?;
    let mut again = Person::new("Ann", ann.email);
    take(&mut again, &answer)?;
    let same = again.subject()? == ann.subject()?;
    let back = format!("{}  {}", answer.status, again.id()?.shown()?);
    let text = "The app starts once more by itself, and she is who she was: same sub, same tenant";
    teller.step(text, &sent(CORP, ANN), &back, same && again.id()?.says(Some("acme"), &["member"])?);

    let user = user(world, ann.email).await?;
    let identities: Value = serde_json::from_str(&user.attribute("identities").unwrap_or_default()).unwrap_or_default();
    let of =
        |name: &str| identities.pointer("/0").and_then(|one| one.get(name)).and_then(Value::as_str).unwrap_or_default();
    let back = format!("{}, identities: [{} {}]", user.status, of("providerName"), of("userId"));
    // The link must be to the exact subject, capitals included.
    let right = user.status == "CONFIRMED" && of("providerName") == CORP && of("userId") == ANN;
    teller.step(
        "There is one Ann, and the link names her exact id over there",
        "ListUsers  ann@acme.example, as the operator",
        &back,
        right,
    );
    Ok(())
}

async fn stolen_code(teller: &mut Teller<'_>, world: &World<'_>) -> Result<()> {
    let landed = Way::start()?.go(world, CORP, NORA).await?;
    let code = member(&landed, "code").context("there is no code")?;
    let answer = Way::start()?.tokens(world, &code).await?;
    let error = answer.body.get("error").and_then(Value::as_str).unwrap_or_default();
    let text = "Who picks up Nora's code without her app's verifier (PKCE) gets no tokens";
    let back = format!("{}  {error}", answer.status);
    teller.step(text, "POST /oauth2/token  her code, another verifier", &back, error == "invalid_grant");
    Ok(())
}

async fn refused(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    text: &str,
    provider: &str,
    login: &str,
    note: &str,
) -> Result<()> {
    let before = users(world).await?;
    let landed = Way::start()?.go(world, provider, login).await?;
    let error = member(&landed, "error").is_some() && member(&landed, "code").is_none();
    let why = member(&landed, "error_description").unwrap_or_default();
    // Not the marker of a link, and no user more than before.
    let right = error && !why.contains("AccountLinked") && users(world).await? == before;
    teller.step(text, &format!("{}  ({note})", sent(provider, login)), &shown(&landed), right);
    Ok(())
}

fn says(teller: &mut Teller<'_>, person: &Person, text: &str, answer: &Answer) -> Result<()> {
    let (access, id) = (person.access()?, person.id()?);
    let right = access.says(Some("acme"), &["member"])? && id.says(Some("acme"), &["member"])?;
    let back = format!("{}  {}\n                {}", answer.status, access.shown()?, id.shown()?);
    teller.step(text, "POST /oauth2/token  the code and the PKCE verifier", &back, right);
    Ok(())
}

/// One sign-in of an app that uses PKCE.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/using-pkce-in-authorization-code.html>
struct Way {
    verifier: String,
    state: String,
}

impl Way {
    fn start() -> Result<Self> {
        Ok(Self { verifier: random()?, state: random()? })
    }

    /// To the provider and back; answers where the browser lands.
    async fn go(&self, world: &World<'_>, provider: &str, login: &str) -> Result<Url> {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()));
        let asked = query(&[
            ("identity_provider", provider),
            ("client_id", world.federated_client),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("redirect_uri", APP),
            ("state", &self.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])?;
        let start = Url::parse(&format!("{}/oauth2/authorize?{asked}", world.gateway))?;
        let landed = Browser::new()?.sign_in(start, login, APP).await?;
        let state = member(&landed, "state");
        anyhow::ensure!(state.as_deref() == Some(&self.state), "the app's state did not come back");
        Ok(landed)
    }

    async fn tokens(&self, world: &World<'_>, code: &str) -> Result<Answer> {
        let form = query(&[
            ("grant_type", "authorization_code"),
            ("client_id", world.federated_client),
            ("redirect_uri", APP),
            ("code", code),
            ("code_verifier", &self.verifier),
        ])?;
        world.form(&format!("{}/oauth2/token", world.gateway), form).await
    }
}

/// 32 random bytes, as PKCE wants a verifier.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).ok().context("no random numbers")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn take(person: &mut Person, answer: &Answer) -> Result<()> {
    let token = |name: &str| answer.body.get(name).and_then(Value::as_str).map(Token::new);
    let all = token("access_token").zip(token("id_token")).zip(token("refresh_token"));
    let ((access, id), refresh) = all.with_context(|| format!("there are no tokens: {}", answer.status))?;
    person.holds(access, id, refresh);
    Ok(())
}

fn sent(provider: &str, login: &str) -> String {
    format!("GET /oauth2/authorize  {provider}, PKCE; there: {login}, any password")
}

/// Where the browser landed, without the code.
fn shown(landed: &Url) -> String {
    match member(landed, "error_description") {
        Some(why) => format!("302 {APP}?error={}  {why}", member(landed, "error").unwrap_or_default()),
        None => format!("302 {APP}?code=…"),
    }
}

/// A user as the operator sees him.
struct User {
    status: String,
    attributes: Vec<(String, String)>,
}

impl User {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

/// The only user with this address.
async fn user(world: &World<'_>, email: &str) -> Result<User> {
    let filter = format!("email = \"{email}\"");
    let found = world.pool.list_users().user_pool_id(world.pool_id).filter(filter).send().await?;
    let [user] = found.users() else { anyhow::bail!("there are {} users with {email}", found.users().len()) };
    let pairs = user.attributes().iter();
    Ok(User {
        status: user.user_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        attributes: pairs.map(|one| (one.name().to_owned(), one.value().unwrap_or_default().to_owned())).collect(),
    })
}

/// All user names.
async fn users(world: &World<'_>) -> Result<String> {
    let found = world.pool.list_users().user_pool_id(world.pool_id).into_paginator().items().send();
    let found = found.collect::<Result<Vec<_>, _>>().await?;
    let mut names: Vec<_> = found.into_iter().filter_map(|user| user.username).map(Value::from).collect();
    names.sort_by_key(Value::to_string);
    Ok(list(Some(&Value::Array(names))))
}
