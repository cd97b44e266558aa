//! Scenario 4: a guest keeps something, and takes it along when he signs up.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::time::sleep;

mod classic;
mod notices;
mod promotion;
mod records;
mod visit;

use super::attempts::refused_by_back_end;
use super::credentials::session;
use super::entry::{join, sign_in};
use super::person::Person;
use super::reach::Session;
use super::teller::Teller;
use super::token::Token;
use super::world::{Answer, Request, World};
use notices::Notices;

/// How often something that happens behind the scenes is looked for.
const LOOKS: usize = 120;
/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>) -> Result<()> {
    let notices = Notices::ask_for(world).await?;
    let guest = visit::tell(teller, world).await?;
    let mut gus = Person::new("Gus", "gus@player.example");
    let mut mallory = Person::new("Mallory", "mallory@player.example");
    let first = promotion::tell(teller, world, &guest, &mut gus, &mut mallory).await?;
    let mut wanda = Person::new("Wanda", "wanda@player.example");
    let second = classic::tell(teller, world, &mut wanda).await?;
    notices.tell(teller, &[(&gus, first), (&wanda, second)]).await
}

/// Somebody who proves nothing gets credentials.
async fn arrives(teller: &mut Teller<'_>, world: &World<'_>, text: &str) -> Result<Session> {
    session(teller, world, text, "no token", &json!({}), "GuestRole").await
}

/// Somebody signs up and in; he belongs to no tenant.
async fn becomes_a_user(teller: &mut Teller<'_>, world: &World<'_>, person: &mut Person) -> Result<()> {
    join(teller, world, person).await?;
    sign_in(teller, world, person, None, &[]).await
}

/// Asks for a promotion, as often as the answer is that it goes on.
async fn promoted(world: &World<'_>, by: &Token, body: &Value) -> Result<(String, Answer)> {
    for _ in 0..LOOKS {
        let request = Request::new("POST", "/guest/promotion", by).body(body.clone());
        let answer = world.api(&request).await?;
        if answer.status != 202 {
            return Ok((request.shown(), answer));
        }
        sleep(PAUSE).await;
    }
    bail!("a promotion does not end")
}

/// A promotion that has to be refused, in the one way in which all are.
async fn refused(teller: &mut Teller<'_>, world: &World<'_>, text: &str, by: &Person, body: &Value) -> Result<()> {
    let (sent, answer) = promoted(world, by.id()?, body).await?;
    let right = refused_by_back_end(&answer, 403, "GuestRefused");
    teller.step(text, &format!("{sent}  {}'s ID token", by.name), &answer.shown(), right);
    Ok(())
}
