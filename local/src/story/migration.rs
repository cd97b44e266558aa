//! Scenario 1 once more, for those who were here before: users of an old system
//! sign in with the passwords that they have.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::import::import;
use super::person::Person;
use super::teller::Teller;
use super::world::{Answer, Request, World};
use super::{Stage, entry};

/// The users of `local/old-system/users.ndjson`. Nobody there is real.
struct Old {
    /// Her password has no digit, which this pool asks of a new one.
    olga: Person,
    /// Somebody guesses his password.
    peter: Person,
    /// She has forgotten hers.
    quinn: Person,
    /// Nobody ever checked her address.
    rosa: Person,
    /// Her password was kept in a weak hash.
    tess: Person,
}

/// As many wrong passwords as the shipped rules let anybody try.
const FREE_ATTEMPTS: usize = 5;

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, stage: &Stage<'_>) -> Result<()> {
    teller.chapter("Moving in: users of an old system keep their passwords and rights");
    let mut old = Old {
        olga: Person::of_old("Olga", "olga@initech.example", "Olga-Secrets!"),
        peter: Person::of_old("Peter", "peter@initech.example", "Peter-Secrets!"),
        quinn: Person::of_old("Quinn", "quinn@initech.example", "Quinn-Secrets!"),
        rosa: Person::of_old("Rosa", "rosa@initech.example", "Rosa-Secrets!"),
        tess: Person::of_old("Tess", "tess@initech.example", "Tess-Secrets!"),
    };
    import(teller, stage, world.legacy_table).await?;
    first_sign_in(teller, world, &mut old.olga).await?;
    later_sign_in(teller, world, &mut old.olga).await?;
    guesses(teller, world, &mut old.peter).await?;
    forgotten(teller, world, &mut old.quinn).await?;
    unreachable(teller, world, &old.rosa).await?;
    weak(teller, world, &mut old.tess).await
}

async fn first_sign_in(teller: &mut Teller<'_>, world: &World<'_>, olga: &mut Person) -> Result<()> {
    let unknown = Person::new("Nobody", "nobody@initech.example").sign_in(world).await?;
    let answer = Person::new("Mallory", olga.email).sign_in(world).await?;
    let right = is_refused(&answer) && answer.body == unknown.body && answer.status == unknown.status;
    let text = "Another password than Olga's is refused, in the words that an unknown name hears";
    teller.step(text, &format!("InitiateAuth  {}, a guess", olga.email), &answer.shown(), right);

    teller.note("Hers has no digit: this pool would not take it as a new one.");
    entry::sign_in(teller, world, olga, Some("initech"), &["admin", "member"]).await?;
    let request = Request::new("GET", "/tenants/initech", olga.access()?);
    let answer = world.api(&request).await?;
    let text = "What she was allowed in the old system, she is allowed here";
    teller.step(text, &request.shown(), &answer.shown(), answer.status == 200);
    Ok(())
}

async fn later_sign_in(teller: &mut Teller<'_>, world: &World<'_>, olga: &mut Person) -> Result<()> {
    let gone = delete_row(world, olga.email).await?;
    let sent = format!("the operator deletes {} from {}", olga.email, world.legacy_table);
    teller.step("The old system forgets Olga", &sent, &format!("{gone} row"), gone == 1);
    entry::sign_in(teller, world, olga, Some("initech"), &["admin", "member"]).await
}

async fn guesses(teller: &mut Teller<'_>, world: &World<'_>, peter: &mut Person) -> Result<()> {
    let mut last = None;
    let mut refused = 0;
    for _ in 0..FREE_ATTEMPTS {
        let answer = Person::new("Mallory", peter.email).sign_in(world).await?;
        refused += usize::from(is_refused(&answer));
        last = Some(answer);
    }
    let guess = last.context("nothing was guessed")?;
    let sent = format!("InitiateAuth  {}, {FREE_ATTEMPTS} guesses", peter.email);
    teller.step("Somebody guesses Peter's password", &sent, &guess.shown(), refused == FREE_ATTEMPTS);

    let answer = peter.sign_in(world).await?;
    let right = is_refused(&answer) && answer.body == guess.body;
    let text = "For a while even Peter himself is refused, and nobody learns that this was his password";
    teller.step(text, &format!("InitiateAuth  {}, the password", peter.email), &answer.shown(), right);

    let lifted = forget_attempts(world).await?;
    let sent = format!("the operator deletes the counts of names from {}", world.attempts_table);
    teller.step("The operator need not wait", &sent, &format!("{lifted} items"), lifted > 0);
    entry::sign_in(teller, world, peter, Some("initech"), &["member"]).await
}

async fn forgotten(teller: &mut Teller<'_>, world: &World<'_>, quinn: &mut Person) -> Result<()> {
    let answer = quinn.forgot(world).await?;
    let mails = world.mails(quinn.email).await?.len();
    let sent = format!("ForgotPassword  {}", quinn.email);
    let text = "Quinn has forgotten hers; the address is verified, so a code is mailed";
    let back = format!("{}  {mails} mail", answer.shown());
    teller.step(text, &sent, &back, answer.status == 200 && mails == 1);

    let code = world.mailed_code(quinn.email).await?;
    let answer = quinn.choose_password(world, &code).await?;
    let sent = format!("ConfirmForgotPassword  {}, code {code} from the mail, a new password", quinn.email);
    teller.step("The code lets her choose another", &sent, &answer.shown(), answer.status == 200);
    let answer = Person::of_old("Quinn", quinn.email, "Quinn-Secrets!").sign_in(world).await?;
    let sent = format!("InitiateAuth  {}, the old password", quinn.email);
    teller.step("The old one no longer counts", &sent, &answer.shown(), is_refused(&answer));
    entry::sign_in(teller, world, quinn, Some("initech"), &["member"]).await
}

async fn unreachable(teller: &mut Teller<'_>, world: &World<'_>, rosa: &Person) -> Result<()> {
    let unknown = Person::new("Nobody", "rob@initech.example").forgot(world).await?;
    let answer = rosa.forgot(world).await?;
    let mails = world.mails(rosa.email).await?.len();
    let text = "Rosa's address was never checked, so no code goes there; an unknown name hears the same";
    let sent = format!("ForgotPassword  {}", rosa.email);
    let back = format!("{}  {mails} mails", answer.shown());
    let alike = answer.status == unknown.status && answer.body == unknown.body;
    teller.step(text, &sent, &back, alike && answer.status == 200 && mails == 0);
    Ok(())
}

async fn weak(teller: &mut Teller<'_>, world: &World<'_>, tess: &mut Person) -> Result<()> {
    let answer = tess.sign_in(world).await?;
    let right = answer.status == 400 && answer.error() == Some("PasswordResetRequiredException");
    let text = "The hash of Tess's password was weak: it lets her in only to choose another";
    teller.step(text, &format!("InitiateAuth  {}, the password", tess.email), &answer.shown(), right);
    let asked = tess.forgot(world).await?;
    let code = world.mailed_code(tess.email).await?;
    let chosen = tess.choose_password(world, &code).await?;
    let sent = format!("ForgotPassword, ConfirmForgotPassword  {}, code {code} from the mail", tess.email);
    let back = format!("{}, {}", asked.status, chosen.shown());
    teller.step("She does", &sent, &back, asked.status == 200 && chosen.status == 200);
    entry::sign_in(teller, world, tess, Some("initech"), &["member"]).await
}

/// Cognito's words for a wrong password, and for a name that nobody has.
fn is_refused(answer: &Answer) -> bool {
    let text = answer.body.get("message").and_then(Value::as_str);
    answer.error() == Some("NotAuthorizedException") && text == Some("Incorrect username or password.")
}

/// Deletes a user's rows from the legacy table; answers how many there were.
async fn delete_row(world: &World<'_>, email: &str) -> Result<usize> {
    let table = world.legacy_table;
    let query = world.dynamo.query().table_name(table).key_condition_expression("#name = :name");
    let query = query.expression_attribute_names("#name", "name");
    let found = query.expression_attribute_values(":name", AttributeValue::S(email.to_owned())).send().await?;
    for row in found.items() {
        let key = ["name", "id"].into_iter().filter_map(|key| Some((key.to_owned(), row.get(key)?.clone())));
        world.dynamo.delete_item().table_name(table).set_key(Some(key.collect())).send().await?;
    }
    Ok(found.items().len())
}

/// Deletes the counts of all names; answers how many there were.
async fn forget_attempts(world: &World<'_>) -> Result<usize> {
    let table = world.attempts_table;
    let scan = world.dynamo.scan().table_name(table).filter_expression("begins_with(pk, :name)");
    let found = scan.expression_attribute_values(":name", AttributeValue::S("USER#".to_owned())).send().await?;
    for item in found.items() {
        let key = item.get("pk").context("a count has no key")?.clone();
        world.dynamo.delete_item().table_name(table).key("pk", key).send().await?;
    }
    Ok(found.items().len())
}
