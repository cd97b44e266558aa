//! Scenario 5: tenants, their administrators, invitations, and a person in two.

use std::collections::HashMap;

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sts::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::attempts::{refused, refused_by_back_end};
use super::entry::{join, refresh, sign_in};
use super::person::Person;
use super::teller::Teller;
use super::token::short;
use super::world::{Request, World};
use super::{Cast, list};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &mut Cast) -> Result<()> {
    teller.chapter("Scenario 5: tenants and their administrators");
    for (person, tenant) in [(&mut cast.alice, "acme"), (&mut cast.gina, "globex")] {
        join(teller, world, person).await?;
        sign_in(teller, world, person, Some(tenant), &["member"]).await?;
        make_administrator(teller, world, person, tenant).await?;
        let text = format!("{}'s next token has the role", person.name);
        refresh(teller, world, person, &text, Some(tenant), &["admin", "member"]).await?;
    }
    invite(teller, world, &cast.alice, "acme", cast.carl.email, &["member"]).await?;
    invite(teller, world, &cast.gina, "globex", cast.carl.email, &["auditor", "member"]).await?;

    teller.chapter("Scenario 5: a person in two tenants");
    let carl = &mut cast.carl;
    join(teller, world, carl).await?;
    sign_in(teller, world, carl, None, &[]).await?;
    let request = Request::new("GET", "/me", carl.access()?);
    let answer = world.api(&request).await?;
    let places = answer.body.get("memberships").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<_> = places.iter().filter_map(|place| place.get("tenant")).cloned().collect();
    let right = list(Some(&Value::Array(names))) == "[acme, globex]";
    teller.step("Both invitations have become memberships", &request.shown(), &answer.shown(), right);

    let request = Request::new("GET", "/items", carl.access()?);
    let text = "Without a choice no tenant's data is open";
    refused(teller, world, text, &request, "Carl's access token", "TenantMissing").await?;

    let request = Request::new("PUT", "/me/tenant", carl.access()?).body(json!({ "tenant": "initech" }));
    let answer = world.api(&request).await?;
    let right = refused_by_back_end(&answer, 403, "NotAMember");
    teller.step("A tenant he is no member of cannot be chosen", &request.shown(), &answer.shown(), right);

    for (tenant, roles) in [("acme", &["member"][..]), ("globex", &["auditor", "member"])] {
        let request = Request::new("PUT", "/me/tenant", carl.access()?).body(json!({ "tenant": tenant }));
        let answer = world.api(&request).await?;
        teller.step(&format!("Carl chooses {tenant}"), &request.shown(), &answer.shown(), answer.status == 200);
        refresh(teller, world, carl, &format!("His next token is for {tenant}"), Some(tenant), roles).await?;
    }
    own_data_only(teller, world, cast).await
}

/// One item in globex, and who can see it.
async fn own_data_only(teller: &mut Teller<'_>, world: &World<'_>, cast: &Cast) -> Result<()> {
    teller.chapter("Scenario 5, refused: the data of another tenant");
    let body = json!({ "title": "Plans", "body": { "year": 2027 } });
    let request = Request::new("PUT", "/items/plans", cast.gina.access()?).header("If-None-Match", "*").body(body);
    let answer = world.api(&request).await?;
    teller.step("Gina keeps an item in globex", &request.shown(), &answer.shown(), answer.status == 201);

    let request = Request::new("GET", "/items/plans", cast.ann.access()?);
    let answer = world.api(&request).await?;
    let text = "Ann of acme asks for it and learns nothing, not even that it exists";
    teller.step(text, &request.shown(), &answer.shown(), refused_by_back_end(&answer, 404, "NotFound"));

    let request = Request::new("GET", "/tenants/acme", cast.gina.access()?);
    let text = "An administrator of globex is nobody at acme";
    refused(teller, world, text, &request, "Gina's access token", "TenantDiffers").await?;
    below_the_api(teller, world).await
}

/// What IAM says, whoever asks and whatever the code of a back end does.
async fn below_the_api(teller: &mut Teller<'_>, world: &World<'_>) -> Result<()> {
    let sts = aws_sdk_sts::Client::new(world.owner);
    let tenant = aws_sdk_sts::types::Tag::builder().key("tenant").value("acme").build()?;
    let call = sts.assume_role().role_arn(world.tenant_role).role_session_name("story").tags(tenant);
    let refusal = call.send().await.err().and_then(|error| error.code().map(str::to_owned));
    let text = "The role that opens a tenant's data is for its back end alone: not even the account's owner takes it";
    let back = refusal.as_deref().unwrap_or("credentials");
    teller.step(text, "sts:AssumeRole  the tenant role, tag tenant = acme", back, back == "AccessDenied");
    teller.note("Its policy keeps tenants apart by that tag and the keys asked for (dynamodb:LeadingKeys). The local");
    teller.note("AWS does not evaluate that condition, so tests/isolation.rs puts the policy to an IAM evaluator.");
    Ok(())
}

/// The operator's one step per tenant: its first administrator cannot be made
/// by an administrator.
async fn make_administrator(teller: &mut Teller<'_>, world: &World<'_>, person: &Person, tenant: &str) -> Result<()> {
    let (partition, sub) = (format!("{tenant}#members"), person.subject()?);
    let roles = AttributeValue::Ss(vec!["admin".to_owned(), "member".to_owned()]);
    let key = HashMap::from([
        ("pk".to_owned(), AttributeValue::S(partition.clone())),
        ("sk".to_owned(), AttributeValue::S(sub.clone())),
    ]);
    let update = world.dynamo.update_item().table_name(world.directory_table).set_key(Some(key));
    let update =
        update.update_expression("SET #roles = :roles ADD #version :one").condition_expression("attribute_exists(pk)");
    let update = update.expression_attribute_names("#roles", "roles").expression_attribute_names("#version", "version");
    let update = update.expression_attribute_values(":roles", roles);
    let done = update.expression_attribute_values(":one", AttributeValue::N("1".to_owned())).send().await;
    let text = format!("The operator makes {} the first administrator of {tenant}", person.name);
    let sent = format!("dynamodb:UpdateItem  {partition} / {}…, roles [admin, member]", short(&sub));
    let back = if done.is_ok() { "done" } else { "refused" };
    teller.step(&text, &sent, back, done.is_ok());
    Ok(())
}

async fn invite(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    by: &Person,
    tenant: &str,
    email: &str,
    roles: &[&str],
) -> Result<()> {
    let body = json!({ "email": email, "roles": roles });
    let request = Request::new("POST", "/admin/invitations", by.access()?).body(body);
    let answer = world.api(&request).await?;
    let right = answer.status == 201 && answer.body.get("tenant") == Some(&json!(tenant));
    teller.step(&format!("{} invites Carl to {tenant}", by.name), &request.shown(), &answer.shown(), right);
    Ok(())
}
