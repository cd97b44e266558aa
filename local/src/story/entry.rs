//! Scenario 1: a user signs up and in, and calls the API with the token.

use anyhow::Result;
use serde_json::{Value, json};

use super::person::Person;
use super::teller::Teller;
use super::world::{Request, World};
use super::{Cast, list};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &mut Cast) -> Result<()> {
    teller.chapter("Scenario 1: sign up, confirm, sign in, call the API");
    let ann = &mut cast.ann;
    sign_up(teller, world, ann).await?;
    sign_in(teller, world, ann, Some("acme"), &["member"]).await?;
    let sub = ann.subject()?;

    let request = Request::new("GET", "/me", ann.access()?);
    let answer = world.api(&request).await?;
    let right = answer.status == 200 && answer.body.get("subject") == Some(&json!(sub));
    teller.step("Ann asks who she is", &request.shown(), &answer.shown(), right);
    Ok(())
}

/// Sign-up and confirmation, step by step.
async fn sign_up(teller: &mut Teller<'_>, world: &World<'_>, person: &Person) -> Result<()> {
    let (name, email) = (person.name, person.email);
    let answer = person.sign_up(world, &[]).await?;
    let waits = answer.body.get("UserConfirmed") == Some(&Value::Bool(false));
    let sent = format!("SignUp  {email}, a password");
    let back = format!("{}  UserConfirmed: {}, a code is mailed", answer.status, !waits);
    teller.step(&format!("{name} signs up and has to prove the address"), &sent, &back, waits);

    let answer = person.confirm(world, "000000").await?;
    let right = answer.error() == Some("CodeMismatchException");
    let sent = format!("ConfirmSignUp  {email}, code 000000");
    teller.step("A guessed code is refused", &sent, &answer.shown(), right);

    let code = world.mailed_code(email).await?;
    let answer = person.confirm(world, &code).await?;
    let sent = format!("ConfirmSignUp  {email}, code {code} from the mail");
    let text = "The code from the mail confirms, and post-confirmation gives the user a place";
    teller.step(text, &sent, &answer.shown(), answer.status == 200);
    Ok(())
}

/// The same in one step, for those who come later.
pub(super) async fn join(teller: &mut Teller<'_>, world: &World<'_>, person: &Person) -> Result<()> {
    let signed_up = person.sign_up(world, &[]).await?;
    let code = world.mailed_code(person.email).await?;
    let confirmed = person.confirm(world, &code).await?;
    let sent = format!("SignUp, ConfirmSignUp  {}, code {code} from the mail", person.email);
    let back = format!("{}, {}", signed_up.status, confirmed.shown());
    let right = signed_up.status == 200 && confirmed.status == 200;
    teller.step(&format!("{} signs up and confirms", person.name), &sent, &back, right);
    Ok(())
}

/// Sign-in, and what both tokens say.
pub(super) async fn sign_in(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    person: &mut Person,
    tenant: Option<&str>,
    roles: &[&str],
) -> Result<()> {
    let answer = person.sign_in(world).await?;
    if answer.status != 200 {
        let sent = format!("InitiateAuth  {}, the password", person.email);
        teller.step(&format!("{} signs in", person.name), &sent, &answer.shown(), false);
    }
    let (access, id) = (person.access()?, person.id()?);
    let right = access.says(tenant, roles)? && id.says(tenant, roles)?;
    let place = tenant.map_or("no tenant yet".to_owned(), |tenant| format!("{tenant}, {}", list(Some(&json!(roles)))));
    let text = format!("{} signs in; both tokens say: {place}", person.name);
    let sent = format!("InitiateAuth  {}, the password", person.email);
    teller.step(&text, &sent, &format!("200  {}\n                {}", access.shown()?, id.shown()?), right);
    Ok(())
}

/// New tokens for the refresh token, and what they say.
pub(super) async fn refresh(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    person: &mut Person,
    text: &str,
    tenant: Option<&str>,
    roles: &[&str],
) -> Result<()> {
    let answer = person.refresh(world).await?;
    let access = person.access()?;
    let right = answer.status == 200 && access.says(tenant, roles)? && person.id()?.says(tenant, roles)?;
    let sent = format!("InitiateAuth  {}'s refresh token", person.name);
    teller.step(text, &sent, &format!("{}  {}", answer.status, access.shown()?), right);
    Ok(())
}
