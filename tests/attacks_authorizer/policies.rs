//! Rows A23 to A31 and P: paths, and the policies that open them.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::edit::with;
use tests::gateway::Passage::Allowed;
use tests::gateway::{API, arn, http_v2, passage, rest_request, rest_token};
use tests::{Reply, TokenIssuer, Verdict, evaluate, workspace_root};

use crate::{Gate, setting};

#[test]
fn a_path_is_taken_as_it_stands() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let token = gate.token.clone();
    let exactly = format!("/items/{}", "x".repeat(1_600 - arn("GET", "/items/").len()));
    let table = [
        ("A27", "GET", "/items/", "no trailing slash"),
        ("A27", "GET", "//items", "no empty segment"),
        ("A27", "GET", "/items//x", "no empty segment inside"),
        ("A29", "ANY", "/items", "no such verb"),
        ("A29", "get", "/items", "verbs are in capitals"),
        ("A29", "HEAD", "/items", "GET is not HEAD"),
        ("A29", "OPTIONS", "/items", "GET is not OPTIONS"),
        ("A29", "Get", "/items", "nor in both"),
        ("A29", "POST", "/items", "GET is not POST"),
        ("A29", "TRACE", "/items", "GET is not TRACE"),
        ("A29", "GET ", "/items", "a verb ends with its last letter"),
        ("A29", "GET%20", "/items", "and has no escapes"),
        ("A29", "*", "/items", "a star is no verb"),
        ("A29", "DELETE", "/items/1", "another verb of the same path"),
        ("A27", "GET", "/items/1/", "no trailing slash behind a place"),
        ("A27", "GET", "/items/1//", "nor two"),
        ("A27", "GET", "/items/?", "no empty query"),
        ("A27", "GET", "/items;x=1", "no parameters of a path"),
        ("A27", "GET", "/ITEMS", "paths keep their case"),
        ("A27", "GET", "/items%2f", "no escaped slash behind"),
        ("A27", "GET", "/items%00", "no NUL"),
        ("A27", "GET", "/./items", "no dot in front"),
        ("A27", "GET", "/x/../items", "no way back"),
        ("A27", "GET", "/items\n", "no line's end"),
        ("A27", "GET", "\\items", "no other slash"),
        ("A27", "GET", "/item\u{455}", "no letter that looks alike"),
        ("P04", "GET", "/users/1/orders", "a member has no orders"),
        ("P04", "GET", "/users/1/orders/2", "nor what is below them"),
        ("P04", "GET", "/users//orders", "nor those of nobody"),
        ("P04", "GET", "/admin/members", "a member is no administrator"),
        ("P04", "GET", "/admin/members/", "nor with a slash"),
        ("P04", "GET", "/admin", "nor above"),
        ("P04", "GET", "/tenants/globex", "nor of another tenant"),
        ("P04", "GET", "/tenants/acme-2", "nor of one that begins alike"),
        ("P04", "GET", "/tenants/acme/x", "nor below his own"),
        ("P04", "GET", "/tenants/*", "nor of all tenants"),
        ("P05", "GET", "/tenants/????", "nor of any tenant of that length"),
        ("P05", "GET", "/tenants/${aws:PrincipalTag/tenant}", "nor of whichever it may be"),
        ("P05", "GET", "/???", "no question marks"),
        ("P08", "GET", "/*", "no star as path"),
        ("P08", "*", "*", "no star at all"),
        ("A24", "x", "/GET/items", "no slash in a stage"),
        ("A17", "$default", "", "no message of a WebSocket"),
        ("A17", "$connect", "", "no connection of a WebSocket"),
        ("A23", "GET", &format!("/items/{}", "x".repeat(600)), "longer than a resource may be"),
        ("A23", "GET", &exactly, "as long as a name may be"),
        ("P04", "GET", "/users/1/admin/delete", "a segment is one segment"),
        ("P04", "GET", "/items/..", "no dots"),
        ("P04", "GET", "/items/%2e%2e", "no escaped dots"),
        ("P04", "GET", "/items/a%2Fb", "no escaped slash"),
        ("P05", "GET", "/items/*", "no star"),
        ("P05", "GET", "/item?", "no question mark"),
        ("P08", "*", "/*", "no star as verb"),
        ("A23", "GET", &format!("/items/{}", "x".repeat(1_600)), "a very long path"),
    ];
    for (id, method, path, says) in table {
        for event in [rest_token(&token, method, path), http_v2(&token, method, path)] {
            let outcome = gate.send(event.to_string())?;
            let heard = passage(&outcome, &arn(method, path));
            // In a policy a template's parameter is a star, which takes any one segment; and a request that is too
            // long to be named in a policy is still the same route.
            let one_segment = path.strip_prefix("/items/").is_some_and(|id| !id.is_empty() && !id.contains('/'));
            let passes = (one_segment && event["type"] == "TOKEN") || (id == "A23" && event["version"] == "2.0");
            ensure!(heard != Allowed || passes, "{id} {says}: {method} {path:.40} is {heard:?}");
            if let Ok(answer) = outcome.json() {
                check_policy(&answer["policyDocument"]).with_context(|| format!("{id} {says}"))?;
            }
        }
    }
    // A29: a header that asks for another verb changes nothing.
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let place = format!("/headers/{name}");
        let event = with(rest_request(&token, "GET", "/items/1"), &place, json!("DELETE"));
        let policy = gate.send(event.to_string())?.json()?["policyDocument"].take();
        ensure!(evaluate(&policy, &arn("DELETE", "/items/1")) != Verdict::Allow, "A29 {name} is believed");
        let event = with(http_v2(&token, "DELETE", "/items/1"), &place.to_lowercase(), json!("GET"));
        let heard = passage(&gate.send(event.to_string())?, &arn("DELETE", "/items/1"));
        ensure!(heard != Allowed, "A29 {name} is believed the other way");
    }
    // L02: no path breaks a line of the log.
    for path in ["/a\r\nALLOW", "/\u{1b}[2J", "/%n${jndi:ldap://x}", "/\u{2028}x", "/\0", "/\",\"code\":\"Allowed"] {
        for event in [rest_token(&token, "GET", path), http_v2(&token, "GET", path)] {
            let outcome = gate.send(event.to_string()).with_context(|| format!("L02 {path:?}"))?;
            ensure!(passage(&outcome, &arn("GET", path)) != Allowed, "L02 {path:?}: {:?}", outcome.reply);
        }
    }
    gate.still_serves()
}

/// What no policy may have: wildcards in verb, API or stage, or long resources.
fn check_policy(policy: &Value) -> Result<()> {
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        let resources = match &statement["Resource"] {
            Value::Array(resources) => resources.iter().collect(),
            one => vec![one],
        };
        ensure!(!resources.is_empty(), "a statement without a resource: {statement}");
        for resource in resources.into_iter().filter_map(Value::as_str) {
            ensure!(resource.len() <= 512, "P14 a resource of {} bytes", resource.len());
            if statement["Effect"] != "Allow" {
                continue;
            }
            let call = resource.strip_prefix(API).unwrap_or_default();
            let path = call.trim_start_matches('/').split_once('/');
            ensure!(
                path.is_some_and(
                    |(verb, path)| verb.bytes().all(|byte| byte.is_ascii_uppercase()) && !path.starts_with('*')
                ),
                "P08 {resource}"
            );
            ensure!(!resource.contains('?'), "P05 {resource}");
        }
    }
    Ok(())
}

#[test]
fn a_cached_policy_is_right_for_every_route() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let (member, admin) = (gate.token.clone(), gate.other.clone());
    // Verb, path, and whether the member of acme and the administrator of globex may.
    let calls = [
        ("GET", "/items", true, true),
        ("GET", "/items/1", true, true),
        ("DELETE", "/items/1", false, true),
        ("PUT", "/items/1", false, false),
        ("GET", "/items/1/2", false, false),
        ("GET", "/users/7", true, true),
        ("GET", "/users/7/orders", false, true),
        ("GET", "/users/7/8/orders", false, false),
        ("GET", "/users/1/admin/delete", false, false),
        ("GET", "/me", true, true),
        ("GET", "/me/", false, false),
        ("GET", "/profile", false, false),
        ("GET", "/scoped", false, false),
        ("GET", "/staff", false, false),
        ("GET", "/admin/members", false, true),
        ("GET", "/tenants/acme", true, false),
        ("GET", "/tenants/globex", false, true),
        ("GET", "/tenants/acme-2", false, false),
        ("POST", "/robots", false, false),
        ("GET", "/unknown", false, false),
    ];
    for (method, path, ..) in calls {
        let (of_member, of_admin) = (gate.policy(&member, method, path)?, gate.policy(&admin, method, path)?);
        for (who, policy) in [("member", &of_member), ("admin", &of_admin)] {
            check_policy(policy).with_context(|| format!("{who}, authorized at {method} {path}"))?;
            ensure!(policy["Statement"].as_array().is_some_and(|statements| !statements.is_empty()), "P06 {policy}");
        }
        for (method_2, path_2, member_may, admin_may) in calls {
            // P01, P02: whichever call the policy was made for, it says the same of another. A template that
            // cannot be written without opening another route is narrowed to the call at hand.
            let asked = arn(method_2, path_2);
            let same = (method, path) == (method_2, path_2);
            for (who, policy, may) in [("member", &of_member, member_may), ("admin", &of_admin, admin_may)] {
                let allowed = evaluate(policy, &asked) == Verdict::Allow;
                let narrowed = who == "admin" && path_2.starts_with("/users/") && !same;
                ensure!(
                    allowed == may || (narrowed && !allowed),
                    "P01 {who}: a policy made at {method} {path} says {allowed} of {method_2} {path_2}"
                );
            }
        }
        ensure!(gate.policy(&member, method, path)? == of_member, "P15 not the same twice");
    }
    Ok(())
}

#[test]
fn two_callers_never_get_each_others_answer() -> Result<()> {
    let mut gate = Gate::open(&[("LOG_LEVEL", "info")])?;
    let (acme, globex) = (gate.token.clone(), gate.other.clone());
    let mut first: Vec<Reply> = Vec::new();
    // P03, P11: many times in turn, over one process. `POOLHOUSE_CALLS` says how many.
    for _ in 0..setting("POOLHOUSE_CALLS", 1_000)? / 4 {
        for (token, tenant) in [(&acme, "acme"), (&globex, "globex")] {
            let answer = gate.function.invoke_json(&http_v2(token, "GET", "/items")).json()?;
            ensure!(answer["context"]["tenant"] == tenant, "P03 {answer}");
            let names: Vec<&String> = answer["context"].as_object().context("no context")?.keys().collect();
            ensure!(names == ["clientId", "roles", "subject", "tenant", "tokenUse"], "P11 the context has {names:?}");
            let answer = gate.function.invoke_json(&rest_token(token, "GET", "/items")).json()?;
            ensure!(answer["principalId"] == TokenIssuer::SUBJECT, "P12 {answer}");
            ensure!(answer.get("usageIdentifierKey").is_none(), "A31 {answer}");
            // P15: byte for byte what it was the first time.
            let same =
                [http_v2, rest_token].map(|event| gate.function.invoke_json(&event(token, "GET", "/items")).reply);
            let at = if tenant == "acme" { 0 } else { 2 };
            if first.len() <= at {
                first.extend(same);
            } else {
                ensure!(first[at..at + 2] == same, "P15 {same:?}");
            }
            let foreign = if tenant == "acme" { "/tenants/globex" } else { "/tenants/acme" };
            ensure!(evaluate(&answer["policyDocument"], &arn("GET", foreign)) != Verdict::Allow, "P03 {answer}");
        }
    }
    ensure!(gate.issuer.fetches() == 1, "K02 the key set was asked for {} times", gate.issuer.fetches());
    gate.still_serves()
}

#[test]
fn more_routes_than_fit_make_a_policy_for_the_call_at_hand() -> Result<()> {
    let text = std::fs::read_to_string(workspace_root().join("tests/attacks.rules.toml"))?;
    let route =
        |(path, method): (usize, &str)| format!("[[routes]]\nmethod = \"{method}\"\npath = \"/many/{path}/{{id}}\"\n");
    let verbs = ["GET", "PUT", "DELETE"];
    let many: String = (0..500).flat_map(|path| verbs.map(|method| (path, method))).map(route).collect();
    let rules = std::env::temp_dir().join(format!("many-routes-{}.toml", std::process::id()));
    std::fs::write(&rules, format!("{text}\n{many}"))?;
    let gate = Gate::open(&[("RULES_FILE", &rules.display().to_string())]);
    std::fs::remove_file(&rules)?;
    let mut gate = gate?;
    let token = gate.token.clone();
    let calls = [("GET", "/many/0/1"), ("DELETE", "/many/499/x"), ("GET", "/items/1"), ("GET", "/tenants/acme")];
    for (method, path) in calls {
        let outcome = gate.send(rest_request(&token, method, path).to_string())?;
        let Reply::Answer(body) = &outcome.reply else { anyhow::bail!("P14 {:?}", outcome.reply) };
        ensure!(body.len() <= 8 * 1024, "P14 an answer of {} bytes", body.len());
        let policy = outcome.json()?["policyDocument"].take();
        check_policy(&policy)?;
        for (method_2, path_2) in
            calls.into_iter().chain([("POST", "/many/0/1"), ("GET", "/many/0/1/2"), ("GET", "/many/500/1")])
        {
            let allowed = evaluate(&policy, &arn(method_2, path_2)) == Verdict::Allow;
            ensure!(
                allowed == ((method, path) == (method_2, path_2)),
                "P14 {method} {path} says {allowed} of {method_2} {path_2}"
            );
        }
        ensure!(gate.policy(&token, method, path)? == policy, "P14 not the same twice");
    }
    gate.still_serves()
}
