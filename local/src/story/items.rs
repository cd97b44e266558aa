//! Scenario 3: from the API through the authorizer and a function to DynamoDB.

use anyhow::Result;
use serde_json::json;

use super::Cast;
use super::attempts::refused_by_back_end;
use super::teller::Teller;
use super::token::short;
use super::world::{Request, World};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &Cast) -> Result<()> {
    teller.chapter("Scenario 3: API Gateway, authorizer, function, DynamoDB");
    let ann = &cast.ann;
    let sub = ann.subject()?;

    let body = json!({ "title": "Shopping list", "body": ["bread", "salt"] });
    let request = Request::new("PUT", "/items/list", ann.access()?).header("If-None-Match", "*").body(body.clone());
    let answer = world.api(&request).await?;
    teller.step("Ann keeps an item", &request.shown(), &answer.shown(), answer.status == 201);
    let version = answer.version.unwrap_or_default();

    let keys = world.keys(world.items_table, "acme#items").await?;
    let right = keys == [format!("{sub}#list")];
    let shown: Vec<_> = keys.iter().map(|key| format!("{}…#list", short(key))).collect();
    let sent = "the operator reads partition acme#items of the items table";
    teller.step("The item lies in DynamoDB, under her tenant and her name", sent, &shown.join(", "), right);

    let request = Request::new("PUT", "/items/list", ann.access()?).header("If-Match", &version).body(body.clone());
    let answer = world.api(&request).await?;
    teller.step("Ann replaces the version that she has seen", &request.shown(), &answer.shown(), answer.status == 200);

    let body = json!({ "title": "Shopping list", "body": ["milk"] });
    let request = Request::new("PUT", "/items/list", ann.access()?).header("If-Match", &version).body(body);
    let answer = world.api(&request).await?;
    let text = "A second write to the old version is refused: nothing is overwritten unseen";
    teller.step(text, &request.shown(), &answer.shown(), refused_by_back_end(&answer, 412, "VersionChanged"));
    Ok(())
}
