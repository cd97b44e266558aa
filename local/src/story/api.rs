//! Scenario 5: a back end and a database for users, another for administrators.

use anyhow::Result;
use serde_json::{Value, json};

use super::Cast;
use super::attempts::{refused, refused_by_back_end};
use super::entry::refresh;
use super::person::Person;
use super::revocation;
use super::teller::Teller;
use super::world::{Request, World};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &mut Cast) -> Result<()> {
    teller.chapter("Scenario 5: a back end and a database for users, another for administrators");
    let Cast { ann, alice, gina, .. } = cast;
    let request = Request::new("GET", "/admin/members", ann.access()?);
    refused(teller, world, "Ann is no administrator", &request, "Ann's access token", "RoleMissing").await?;

    let members = members(teller, world, alice, "Alice sees the members of acme", &[ann, alice]).await?;
    self::members(teller, world, gina, "Gina sees those of globex and no others", &[gina]).await?;

    let request = Request::new("GET", "/admin/items", alice.access()?);
    let answer = world.api(&request).await?;
    let owners = answer.body.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let only_ann = owners.len() == 1 && owners.iter().all(|item| item.get("id") == Some(&json!("list")));
    let text = "Alice sees all items of acme, and none of globex";
    teller.step(text, &request.shown(), &answer.shown(), answer.status == 200 && only_ann);

    let version = version_of(&members, &ann.subject()?);
    let version = set_roles(teller, world, alice, ann, &["admin", "member"], version).await?;
    let request = Request::new("GET", "/admin/members", ann.access()?);
    let text = "Ann's old token says less than is true by now, and counts no more";
    refused(teller, world, text, &request, "Ann's old token", "RightsChanged").await?;
    revocation::settle(teller).await;
    refresh(teller, world, ann, "Her next one has the role", Some("acme"), &["admin", "member"]).await?;
    self::members(teller, world, ann, "Now Ann sees the members too", &[ann, alice]).await?;

    set_roles(teller, world, alice, ann, &["member"], version).await?;
    let request = Request::new("GET", "/admin/members", ann.access()?);
    let text = "The role is gone at once: her token still says administrator, and opens nothing";
    refused(teller, world, text, &request, "Ann's old token", "RightsChanged").await?;
    revocation::settle(teller).await;
    refresh(teller, world, ann, "Her next token is a member's again", Some("acme"), &["member"]).await?;

    let path = format!("/admin/members/{}/roles", alice.subject()?);
    let request = Request::new("PUT", &path, alice.access()?).header("If-Match", "\"2\"").body(json!({ "roles": [] }));
    let answer = world.api(&request).await?;
    let text = "No administrator changes the own roles: a tenant is not left without one by accident";
    teller.step(text, &request.shown(), &answer.shown(), refused_by_back_end(&answer, 409, "OwnRoles"));
    Ok(())
}

/// The members an administrator sees must be at least these, and of no other tenant.
async fn members(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    by: &Person,
    text: &str,
    expected: &[&Person],
) -> Result<Value> {
    let request = Request::new("GET", "/admin/members", by.access()?);
    let answer = world.api(&request).await?;
    let seen = answer.body.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let emails: Vec<_> = seen.iter().filter_map(|member| member.get("email").and_then(Value::as_str)).collect();
    // Carl is a member of both.
    let all_there = expected.iter().all(|person| emails.contains(&person.email));
    let right = answer.status == 200 && all_there && emails.len() == expected.len() + 1;
    teller.step(text, &request.shown(), &format!("{}  {}", answer.status, emails.join(", ")), right);
    Ok(answer.body)
}

pub(super) fn version_of(members: &Value, sub: &str) -> String {
    let all = members.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found = all.iter().find(|member| member.get("subject").and_then(Value::as_str) == Some(sub));
    found.and_then(|member| member.get("version")).map(|version| format!("\"{version}\"")).unwrap_or_default()
}

/// Changes a member's roles; answers the new version.
async fn set_roles(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    by: &Person,
    of: &Person,
    roles: &[&str],
    version: String,
) -> Result<String> {
    let sub = of.subject()?;
    let path = format!("/admin/members/{sub}/roles");
    let request = Request::new("PUT", &path, by.access()?).header("If-Match", &version).body(json!({ "roles": roles }));
    let answer = world.api(&request).await?;
    let text = format!("{} gives {} the roles {}", by.name, of.name, roles.join(" and "));
    teller.step(&text, &request.shown(), &answer.shown(), answer.status == 200);
    Ok(answer.version.unwrap_or_default())
}
