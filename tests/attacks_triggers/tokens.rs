//! What a token carries, and what heals by one.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::DIRECTORY_TABLE;

use super::provisioning::provisioned;
use super::{Bench, SUB, attributes, event, items, token};

fn profile(active: Option<&str>) -> Value {
    let mut item = json!({
        "pk": {"S": format!("USER#{SUB}")}, "sk": {"S": "PROFILE"}, "subject": {"S": format!("USER#{SUB}")},
        "created_at": {"N": "1767225600"}, "version": {"N": "1"},
    });
    if let Some(tenant) = active {
        item["active_tenant"] = json!({"S": tenant});
    }
    item
}

fn membership(tenant: &str, roles: &[&str], status: &str) -> Value {
    let mut item = json!({
        "pk": {"S": format!("{tenant}#members")}, "sk": {"S": SUB}, "subject": {"S": format!("USER#{SUB}")},
        "tenant": {"S": tenant}, "status": {"S": status}, "created_at": {"N": "1767225600"}, "version": {"N": "1"},
    });
    if !roles.is_empty() {
        item["roles"] = json!({"SS": roles});
    }
    item
}

/// What both tokens say of tenant and roles.
pub(super) fn rights(response: &Value) -> Result<(Value, Value)> {
    let details = &response["claimsAndScopeOverrideDetails"];
    let of = |token: &str| {
        let added = &details[token]["claimsToAddOrOverride"];
        (added["tenant"].clone(), added["roles"].clone())
    };
    ensure!(of("idTokenGeneration") == of("accessTokenGeneration"), "the tokens differ: {response}");
    Ok(of("accessTokenGeneration"))
}

#[test]
fn a_token_carries_what_the_server_wrote_and_nothing_else() -> Result<()> {
    let none = (json!(null), json!(null));
    let table = [
        (
            "N05",
            "one membership",
            vec![profile(None), membership("acme", &["member"], "active")],
            (json!("acme"), json!(["member"])),
        ),
        ("N06", "no membership", vec![profile(None)], none.clone()),
        ("N06", "suspended", vec![profile(None), membership("acme", &["admin"], "suspended")], none.clone()),
        (
            "N06",
            "two tenants, none chosen",
            vec![profile(None), membership("acme", &["member"], "active"), membership("globex", &["admin"], "active")],
            none.clone(),
        ),
        (
            "N07",
            "two tenants, one chosen",
            vec![
                profile(Some("globex")),
                membership("acme", &["member"], "active"),
                membership("globex", &["admin"], "active"),
            ],
            (json!("globex"), json!(["admin"])),
        ),
        (
            "N07",
            "chosen, but not a member",
            vec![profile(Some("t2")), membership("acme", &["member"], "active")],
            (json!("acme"), json!(["member"])),
        ),
        (
            "N06",
            "chosen, but suspended there",
            vec![profile(Some("globex")), membership("globex", &["admin"], "suspended")],
            none.clone(),
        ),
    ];
    for (id, says, seeds, expected) in table {
        let mut bench = Bench::start("pre-token-generation")?;
        seeds.into_iter().try_for_each(|item| bench.put(item))?;
        // N05, N07, T13: the client's own words change nothing, in attributes, groups or metadata.
        let mut attributes = attributes();
        attributes["custom:tenant"] = json!("t2");
        attributes["custom:role"] = json!("admin");
        let metadata = json!({"tenant": "t2", "role": "admin", "x": "canary-metadata-77aa"});
        for source in ["TokenGeneration_Authentication", "TokenGeneration_RefreshTokens", "TokenGeneration_HostedAuth"]
        {
            let request = json!({"userAttributes": attributes, "clientMetadata": metadata, "groupConfiguration": {"groupsToOverride": ["t2:admin"]}});
            let response = bench.answer(&token(source, request.clone()))?;
            let found = rights(&response)?;
            let wanted =
                if says == "chosen, but not a member" && found == none { none.clone() } else { expected.clone() };
            ensure!(found == wanted, "{id} {says}: {found:?}");
            ensure!(!response.to_string().contains("groupOverrideDetails"), "{id} the groups were touched: {response}");
            // N09, N11: no scope beyond the table's, and the same answer each time.
            let scopes = response["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]["scopesToAdd"].clone();
            let admin = expected.1 == json!(["admin"]);
            ensure!(scopes == if admin { json!(["items/write"]) } else { json!(null) }, "N09 {says}: {scopes}");
            ensure!(bench.answer(&token(source, request))? == response, "{id} {says}: not the same twice");
        }
    }
    Ok(())
}

#[test]
fn a_role_that_is_taken_away_is_gone_at_the_next_refresh() -> Result<()> {
    let mut bench = Bench::start("pre-token-generation")?;
    bench.put(profile(None))?;
    bench.put(membership("acme", &["admin"], "active"))?;
    let event =
        token("TokenGeneration_RefreshTokens", json!({"userAttributes": attributes(), "groupConfiguration": {}}));
    ensure!(rights(&bench.answer(&event)?)?.1 == json!(["admin"]), "N11");
    bench.put(membership("acme", &["member"], "active"))?;
    ensure!(rights(&bench.answer(&event)?)?.1 == json!(["member"]), "N11");
    bench.put(membership("acme", &["member"], "suspended"))?;
    ensure!(rights(&bench.answer(&event)?)?.0 == json!(null), "N11");
    Ok(())
}

#[test]
fn a_machine_gets_only_what_its_client_is_given() -> Result<()> {
    let mut bench = Bench::start("pre-token-generation")?;
    // N10, N03: no user, and null wherever there could be one.
    for request in [
        json!({"userAttributes": {}, "groupConfiguration": {}, "scopes": ["items/read"]}),
        json!({"userAttributes": null, "groupConfiguration": null, "scopes": null}),
        json!(null),
    ] {
        let mut event = event("TokenGeneration_ClientCredentials", "3", request);
        event["userName"] = json!(null);
        let response = bench.answer(&event)?;
        let access = &response["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
        ensure!(access["claimsToAddOrOverride"] == json!({"channel": "machine"}), "N10 {response}");
        ensure!(response["claimsAndScopeOverrideDetails"].get("idTokenGeneration").is_none(), "N10 {response}");
    }
    ensure!(items(&bench)?.is_empty(), "N10 a machine was provisioned");
    // N03, T05: a user without groups.
    for groups in
        [json!(null), json!({}), json!({"groupsToOverride": null, "iamRolesToOverride": null, "preferredRole": null})]
    {
        let event = token(
            "TokenGeneration_Authentication",
            json!({"userAttributes": attributes(), "groupConfiguration": groups}),
        );
        ensure!(rights(&bench.answer(&event)?)?.0 == json!("acme"), "N03 {groups}");
    }
    Ok(())
}

#[test]
fn a_user_whose_provisioning_was_missed_is_healed_by_one_token() -> Result<()> {
    let mut bench = Bench::start("pre-token-generation")?;
    let event = token("TokenGeneration_NewPasswordChallenge", json!({"userAttributes": attributes()}));
    ensure!(rights(&bench.answer(&event)?)? == (json!("acme"), json!(["member"])), "O08");
    ensure!(items(&bench)? == provisioned(), "O08 {:?}", items(&bench)?);
    let first = bench.services.items(DIRECTORY_TABLE)?;
    ensure!(rights(&bench.answer(&event)?)? == (json!("acme"), json!(["member"])), "O08");
    ensure!(bench.services.items(DIRECTORY_TABLE)? == first, "O08 the second token wrote again");
    // An address that nobody has checked places nobody.
    let mut bench = Bench::start("pre-token-generation")?;
    let mut unproved = attributes();
    unproved["email_verified"] = json!("false");
    let event = token("TokenGeneration_Authentication", json!({ "userAttributes": unproved }));
    ensure!(rights(&bench.answer(&event)?)?.0 == json!(null), "N05 an unproved address gave a tenant");
    Ok(())
}

fn arrival(address: &str) -> Value {
    json!({
        "pk": {"S": "LEGACY#old-7"}, "sk": {"S": "ARRIVAL"}, "address": {"S": address}, "groups": {"SS": ["staff"]},
        "memberships": {"L": [{"M": {"tenant": {"S": "globex"}, "roles": {"SS": ["admin"]}}}]},
        "written_at": {"N": "1767225600"},
    })
}

#[test]
fn what_another_brought_along_cannot_be_had_by_writing_his_identifier() -> Result<()> {
    // U26, N05: no client may write the attribute; one that could gets nothing by it.
    let mut claimed = attributes();
    claimed["custom:legacy_id"] = json!("old-7");
    for (address, expected) in [
        ("victim@allowed.example", (json!("acme"), json!(["member"]))),
        // His own: two tenants, and none chosen yet.
        ("ann@allowed.example", (json!(null), json!(null))),
    ] {
        let mut bench = Bench::start("pre-token-generation")?;
        bench.put(arrival(address))?;
        let event = token("TokenGeneration_Authentication", json!({ "userAttributes": claimed }));
        ensure!(rights(&bench.answer(&event)?)? == expected, "N05 {address}");
        let keys = items(&bench)?;
        let own = address == "ann@allowed.example";
        ensure!(keys.contains(&format!("globex#members {SUB}")) == own, "N05 {address}: {keys:?}");
        ensure!(keys.contains(&"LEGACY#old-7 ARRIVAL".to_owned()) != own, "N05 {address}: {keys:?}");
        let joined = bench.services.calls().iter().filter(|call| call.contains("\"staff\"")).count();
        ensure!(joined == usize::from(own), "N05 {address}: {:?}", bench.services.calls());
    }
    Ok(())
}
