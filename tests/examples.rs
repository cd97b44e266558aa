//! The examples: each is whole, its rules are ones that the function takes, and
//! rules and API agree.

#![expect(clippy::indexing_slicing, reason = "a helper of a test may stop at a missing member, as a test may")]

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use authorizer::Settings;
use serde_json::Value;
use shared::connect::TokenPlace;
use shared::rules::Rules;
use tests::template::{Template, items};
use tests::workspace_root;

const EXAMPLES: [&str; 3] = ["appsync", "rest", "websocket"];

fn read(example: &str, file: &str) -> Result<String> {
    let path = workspace_root().join("examples").join(example).join(file);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

fn template(example: &str) -> Result<Template> {
    // What a user gives at the deployment.
    let template = Template::parse(&read(example, "template.yaml")?)?;
    template.with("UserPoolId", "us-east-1_EXAMPLE01")?.with("ClientIds", "1example23456789,2example23456789")
}

fn rules(example: &str) -> Result<Rules> {
    Ok(Rules::read(&read(example, "rules/rules.toml")?)?)
}

/// The event sources of a function that are of an API, as method, path and what
/// else they say.
fn requests(template: &Template) -> Vec<(String, String, Value)> {
    let functions = template.of_type("AWS::Serverless::Function");
    let events = functions.filter_map(|(_, function)| function.pointer("/Properties/Events")?.as_object());
    let api = events.flat_map(serde_json::Map::values).filter(|event| event["Type"] == "Api");
    let text = |event: &Value, member: &str| event["Properties"][member].as_str().unwrap_or_default().to_owned();
    api.map(|event| (text(event, "Method"), text(event, "Path"), event["Properties"].clone())).collect()
}

#[test]
fn every_example_is_here_and_says_how_it_is_deployed() -> Result<()> {
    let folder = workspace_root().join("examples");
    let found = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let found: BTreeSet<String> = found.collect::<Result<_>>()?;
    ensure!(found == EXAMPLES.map(str::to_owned).into(), "{found:?}");
    for example in EXAMPLES {
        let readme = read(example, "README.md")?;
        ensure!(readme.contains("sam deploy"), "{example} does not say how");
        ensure!(readme.contains(&format!("sam build -t examples/{example}/template.yaml")), "{example}");
    }
    Ok(())
}

#[test]
fn the_authorizer_is_set_as_it_asks_to_be() -> Result<()> {
    for example in EXAMPLES {
        let template = template(example)?;
        let environment = template.environment("AuthorizerFunction")?;
        let settings = Settings::with_rules(&|key| environment.get(key).cloned(), rules(example)?)
            .with_context(|| example.to_owned())?;
        let issuers: Vec<&str> = settings.tokens.issuers.iter().map(|issuer| issuer.address.as_str()).collect();
        ensure!(issuers == ["https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01"], "{issuers:?}");
        let function = template.resource("AuthorizerFunction")?;
        ensure!(function["Metadata"]["BuildProperties"]["Binary"] == "authorizer", "{example}");
        // Whoever may call it is one API, and no role may do more than log.
        for (id, permission) in template.of_type("AWS::Lambda::Permission") {
            ensure!(permission["Properties"].get("SourceArn").is_some(), "{example}: {id} is open to every API");
        }
        ensure!(function["Properties"].get("Policies").is_none(), "{example}: more than logs");
    }
    Ok(())
}

#[test]
fn a_rest_api_has_the_routes_of_its_rules_and_both_kinds_of_authorizer() -> Result<()> {
    let (template, rules) = (template("rest")?, rules("rest")?);
    let requests = requests(&template);
    let of_api: BTreeSet<String> = requests.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let of_rules: BTreeSet<String> =
        rules.routes.rules().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
    ensure!(of_api == of_rules, "{of_api:?} {of_rules:?}");
    let auth = &template.resource("Api")?["Properties"]["Auth"];
    ensure!(auth["DefaultAuthorizer"] == "ByToken", "{auth}");
    let cached = |name: &str| auth["Authorizers"][name]["Identity"]["ReauthorizeEvery"].as_u64();
    ensure!(cached("ByToken") == Some(300) && cached("ByRequest") == Some(300), "{auth}");
    ensure!(auth["Authorizers"]["ByRequest"]["FunctionPayloadType"] == "REQUEST", "{auth}");
    // Routes that a policy cannot tell apart have the path in the key of the cache.
    ensure!(items(&auth["Authorizers"]["ByRequest"]["Identity"]["Context"]).any(|key| key == "path"), "{auth}");
    for (method, path, event) in &requests {
        let by_request = event["Auth"]["Authorizer"] == "ByRequest";
        ensure!(by_request == path.starts_with("/users/"), "{method} {path}");
        ensure!(event["Auth"].get("Authorizer").is_none() || by_request, "{method} {path} goes round");
    }
    Ok(())
}

#[test]
fn a_web_socket_api_looks_for_the_token_where_its_rules_do() -> Result<()> {
    let (template, rules) = (template("websocket")?, rules("websocket")?);
    let connect = rules.connect.context("no [connect]")?;
    ensure!(connect.token_from == TokenPlace::Subprotocol);
    let authorizer = &template.resource("Authorizer")?["Properties"];
    let sources: Vec<&Value> = items(&authorizer["IdentitySource"]).collect();
    ensure!(sources == ["route.request.header.Sec-WebSocket-Protocol"], "{sources:?}");
    let guarded =
        template.of_type("AWS::ApiGatewayV2::Route").filter(|(_, route)| route["Properties"]["RouteKey"] == "$connect");
    let guarded: Vec<&Value> = guarded.map(|(_, route)| &route["Properties"]["AuthorizationType"]).collect();
    ensure!(guarded == ["CUSTOM"], "{guarded:?}");
    // A browser drops a connection whose answer does not take what it offered.
    let code =
        template.resource("ListenerFunction")?["Properties"]["InlineCode"].as_str().unwrap_or_default().to_owned();
    ensure!(code.contains(&format!("\"Sec-WebSocket-Protocol\": \"{}\"", connect.name())), "{code}");
    Ok(())
}

#[test]
fn every_field_of_the_root_types_has_a_rule() -> Result<()> {
    let (template, rules) = (template("appsync")?, rules("appsync")?);
    let graphql = rules.graphql.context("no [graphql]")?;
    let schema = template.resource("Schema")?["Properties"]["Definition"].as_str().unwrap_or_default().to_owned();
    let mut of_schema = BTreeSet::new();
    for root in ["Query", "Mutation", "Subscription"] {
        let Some((_, body)) = schema.split_once(&format!("type {root} {{")) else { continue };
        let (body, _) = body.split_once('}').context("a type ends")?;
        // Arguments first, then what stands before each colon.
        let mut fields = String::new();
        let mut depth = 0_i32;
        for sign in body.chars() {
            depth += i32::from(sign == '(') - i32::from(sign == ')');
            if depth == 0 && sign != ')' {
                fields.push(sign);
            }
        }
        let before_colons = fields.split(':').rev().skip(1).filter_map(|part| part.split_whitespace().next_back());
        of_schema.extend(before_colons.map(|field| format!("{root}.{field}")));
    }
    let named: BTreeSet<String> = graphql.fields.iter().map(|rule| format!("{}.{}", rule.parent, rule.field)).collect();
    ensure!(of_schema.len() == 3 && of_schema.is_subset(&named), "{of_schema:?} {named:?}");
    let resolvers = template.of_type("AWS::AppSync::Resolver").map(|(_, resolver)| &resolver["Properties"]);
    let resolved: BTreeSet<String> = resolvers
        .map(|one| format!("{}.{}", one["TypeName"].as_str().unwrap_or("?"), one["FieldName"].as_str().unwrap_or("?")))
        .collect();
    ensure!(resolved == of_schema, "{resolved:?}");
    let config = &template.resource("Api")?["Properties"]["LambdaAuthorizerConfig"];
    ensure!(config["AuthorizerResultTtlInSeconds"] == 0, "each answer says it itself: {config}");
    Ok(())
}
