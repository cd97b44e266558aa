//! `poolhouse doctor`: what is fetched, what is found, and what could not be seen.

use serde_json::{Value, json};

use crate::support::services::{Answers, Reply, Services};
use crate::support::tool::{Folder, project, run};

const POOL: &str = "us-east-1_AbCdEfGhI";
const POOL_ARN: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:tokens";
const IDENTITY_POOL: &str = "us-east-1:11111111-2222-4333-8444-555555555555";
const ROLE: &str = "arn:aws:iam::123456789012:role/path/user";

/// A pool in good order, as the services would answer.
fn good() -> Answers {
    let provider = format!("cognito-idp.us-east-1.amazonaws.com/{POOL}");
    let trust = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
        "Condition": {
            "StringEquals": {"cognito-identity.amazonaws.com:aud": IDENTITY_POOL},
            "ForAnyValue:StringEquals": {"cognito-identity.amazonaws.com:amr": "authenticated"},
        },
    }]});
    let permission = json!({"Statement": [{
        "Effect": "Allow", "Action": "lambda:InvokeFunction", "Principal": {"Service": "cognito-idp.amazonaws.com"},
        "Condition": {"ArnLike": {"AWS:SourceArn": POOL_ARN}, "StringEquals": {"AWS:SourceAccount": "123456789012"}},
    }]});
    let own = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AGetObject%22%7D%5D%7D";
    let role = format!(
        "<Role><Path>/path/</Path><RoleName>user</RoleName><RoleId>A</RoleId><Arn>{ROLE}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument></Role>",
        trust.to_string().replace('"', "%22")
    );
    let json = |name: &str, value: Value| (name.to_owned(), Reply::Json(value));
    Answers::from([
        json(
            "DescribeUserPool",
            json!({"UserPool": {
                "Id": POOL, "Arn": POOL_ARN, "UserPoolTier": "ESSENTIALS",
                "UsernameConfiguration": {"CaseSensitive": false},
                "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
                "LambdaConfig": {
                    "PreSignUp": FUNCTION, "PreTokenGeneration": FUNCTION,
                    "PreTokenGenerationConfig": {"LambdaArn": FUNCTION, "LambdaVersion": "V2_0"},
                },
                "SettingOfTomorrow": {"AsItIs": true},
            }}),
        ),
        json("ListUserPoolClients", json!({"UserPoolClients": [{"ClientId": "web", "UserPoolId": POOL}]})),
        json(
            "DescribeUserPoolClient web",
            json!({"UserPoolClient": {
                "ClientId": "web", "ClientName": "web", "ClientSecret": "TOP-SECRET-OF-THE-CLIENT",
                "WriteAttributes": ["name"], "PreventUserExistenceErrors": "ENABLED", "EnableTokenRevocation": true,
            }}),
        ),
        json("ListGroups", json!({"Groups": [{"GroupName": "users", "Precedence": 100}]})),
        json(
            "ListIdentityPools",
            json!({"IdentityPools": [{"IdentityPoolId": IDENTITY_POOL, "IdentityPoolName": "p"}]}),
        ),
        json(
            "DescribeIdentityPool",
            json!({
                "IdentityPoolId": IDENTITY_POOL, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false,
                "AllowClassicFlow": false,
                "CognitoIdentityProviders": [{"ProviderName": provider, "ClientId": "web", "ServerSideTokenCheck": true}],
            }),
        ),
        json(
            "GetIdentityPoolRoles",
            json!({
                "IdentityPoolId": IDENTITY_POOL, "Roles": {"authenticated": ROLE},
                "RoleMappings": {format!("{provider}:web"): {
                    "Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole",
                    "RulesConfiguration": {"Rules": [
                        {"Claim": "identity_role", "MatchType": "Equals", "Value": "admin", "RoleARN": ROLE},
                    ]},
                }},
            }),
        ),
        json("GetPrincipalTagAttributeMap", json!({"UseDefaults": false, "PrincipalTags": {"tenant": "tenant"}})),
        json(
            &format!("GET /2015-03-31/functions/{FUNCTION}/configuration"),
            json!({
                "FunctionArn": FUNCTION, "Environment": {"Variables": {"KEY": "TOP-SECRET-OF-THE-FUNCTION"}},
            }),
        ),
        json(&format!("GET /2015-03-31/functions/{FUNCTION}/policy"), json!({"Policy": permission.to_string()})),
        ("GetRole user".to_owned(), Reply::Xml(role)),
        (
            "ListRolePolicies user".to_owned(),
            Reply::Xml("<PolicyNames><member>own</member></PolicyNames><IsTruncated>false</IsTruncated>".to_owned()),
        ),
        (
            "GetRolePolicy user own".to_owned(),
            Reply::Xml(format!(
                "<RoleName>user</RoleName><PolicyName>own</PolicyName><PolicyDocument>{own}</PolicyDocument>",
            )),
        ),
        (
            "ListAttachedRolePolicies user".to_owned(),
            Reply::Xml("<AttachedPolicies/><IsTruncated>false</IsTruncated>".to_owned()),
        ),
        json(
            "GET /v2/apis/a1/authorizers",
            json!({"items": [{
                "authorizerId": "x1", "name": "tokens", "authorizerType": "REQUEST", "enableSimpleResponses": true,
                "authorizerResultTtlInSeconds": 0,
                "identitySource": ["$request.header.Authorization", "$context.routeKey", "$context.path"],
            }]}),
        ),
        json(
            "GET /v2/apis/a1/routes",
            json!({"items": [
                {"routeKey": "GET /me", "authorizationType": "CUSTOM", "authorizerId": "x1"},
            ]}),
        ),
    ])
}

async fn looked(answers: Answers, arguments: &[&str]) -> (Option<i32>, Value) {
    let services = Services::start(answers);
    let rules = project("rules/rules.toml");
    let always = ["doctor", "--output", "json", "--pool", POOL, "--api", "a1", "--rules", &rules];
    let run = run(services.url(), &[always.as_slice(), arguments].concat()).await;
    (run.code, serde_json::from_str(&run.out).expect("JSON"))
}

fn codes(answer: &Value) -> Vec<(&str, &str)> {
    let findings = answer["findings"].as_array().expect("a list");
    findings
        .iter()
        .map(|one| (one["code"].as_str().unwrap_or_default(), one["subject"].as_str().unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn a_pool_in_good_order_gives_no_finding_and_every_call_was_made() {
    let services = Services::start(good());
    let rules = project("rules/rules.toml");
    let run = run(services.url(), &["doctor", "--pool", POOL, "--api", "a1", "--rules", &rules]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("0 errors, 0 warnings, 0 notes"), "{run:?}");
    let calls = services.calls();
    for call in good().keys() {
        assert!(calls.contains(call), "{call} was not made: {calls:?}");
    }
}

#[tokio::test]
async fn what_is_dangerous_is_found_in_what_the_services_answer() {
    let with = |name: &str, pointer: &str, value: Value| {
        let mut answers = good();
        let Some(Reply::Json(answer)) = answers.get_mut(name) else { unreachable!("{name}") };
        *answer.pointer_mut(pointer).expect("a place") = value;
        answers
    };
    let table = [
        (
            with("DescribeUserPoolClient web", "/UserPoolClient/WriteAttributes", json!(["custom:role"])),
            "RightsAttributeWritable",
            "client web (web)",
        ),
        (with("DescribeIdentityPool", "/AllowClassicFlow", json!(true)), "ClassicFlow", IDENTITY_POOL),
        (
            with("GET /v2/apis/a1/routes", "/items/0/authorizationType", json!("NONE")),
            "RouteWithoutAuthorizer",
            "route GET /me",
        ),
        (
            with("DescribeUserPool", "/UserPool/LambdaConfig/PreTokenGenerationConfig/LambdaVersion", json!("V1_0")),
            "TokenEventVersionDiffers",
            POOL_ARN,
        ),
        (
            with(&format!("GET /2015-03-31/functions/{FUNCTION}/policy"), "/Policy", json!("{}")),
            "TriggerWithoutPermission",
            FUNCTION,
        ),
    ];
    for (answers, code, subject) in table {
        let (exit, answer) = looked(answers, &[]).await;
        assert_eq!(codes(&answer), [(code, subject)]);
        assert_eq!(exit, Some(4), "{code}");
    }
}

#[tokio::test]
async fn an_id_that_is_no_http_api_may_be_a_rest_api() {
    let rest = |authorization: &str| {
        let mut answers = good();
        let gone = Reply::Error(404, "NotFoundException");
        answers.insert("GET /v2/apis/a1/authorizers".to_owned(), gone);
        let authorizer = json!({"id": "r1", "type": "TOKEN", "identitySource": "method.request.header.Authorization"});
        answers.insert("GET /restapis/a1/authorizers".to_owned(), Reply::Json(json!({"item": [authorizer]})));
        let methods = json!({"GET": {"httpMethod": "GET", "authorizationType": authorization}});
        let resources = json!({"item": [{"id": "x", "path": "/me", "resourceMethods": methods}]});
        answers.insert("GET /restapis/a1/resources".to_owned(), Reply::Json(resources));
        answers
    };
    let (exit, answer) = looked(rest("CUSTOM"), &[]).await;
    assert_eq!((exit, codes(&answer)), (Some(0), vec![]));
    let (exit, answer) = looked(rest("NONE"), &[]).await;
    assert_eq!((exit, codes(&answer)), (Some(4), vec![("RouteWithoutAuthorizer", "route GET /me")]));
    let mut neither = rest("CUSTOM");
    for call in ["GET /restapis/a1/authorizers", "GET /restapis/a1/resources"] {
        neither.insert(call.to_owned(), Reply::Error(404, "NotFoundException"));
    }
    let (_, answer) = looked(neither, &[]).await;
    assert_eq!(codes(&answer), [("NotLookedAt", "an API")]);
}

#[tokio::test]
async fn an_answer_that_the_sdk_cannot_read_is_looked_at_all_the_same() {
    let mut answers = good();
    let Some(Reply::Json(answer)) = answers.get_mut("GET /v2/apis/a1/authorizers") else { unreachable!() };
    answer["items"][0]["authorizerResultTtlInSeconds"] = json!("sixty");
    answer["items"][0]["identitySource"] = json!(["$context.path"]);
    let (exit, answer) = looked(answers, &[]).await;
    assert_eq!((exit, codes(&answer)), (Some(4), vec![("AuthorizerWithoutToken", "authorizer tokens (x1)")]));
}

#[tokio::test]
async fn what_is_gone_is_told_from_what_nobody_may_see() {
    let function = format!("GET /2015-03-31/functions/{FUNCTION}/configuration");
    let table = [
        ("GetRole user", Reply::Error(404, "NoSuchEntity"), "RoleMissing"),
        ("GetRole user", Reply::Error(403, "AccessDenied"), "NotLookedAt"),
        (&function, Reply::Error(404, "ResourceNotFoundException"), "TriggerFunctionMissing"),
        (&function, Reply::Error(403, "AccessDeniedException"), "NotLookedAt"),
        ("ListUserPoolClients", Reply::Error(400, "AccessDeniedException"), "NotLookedAt"),
        ("ListIdentityPools", Reply::Error(400, "AccessDeniedException"), "NotLookedAt"),
        ("ListRolePolicies user", Reply::Error(403, "AccessDenied"), "NotLookedAt"),
        ("GET /v2/apis/a1/authorizers", Reply::Error(403, "AccessDeniedException"), "NotLookedAt"),
    ];
    for (call, reply, code) in table {
        let mut answers = good();
        answers.insert(call.to_owned(), reply);
        let (exit, answer) = looked(answers, &["--fail-on", "warning"]).await;
        assert_eq!(codes(&answer).iter().map(|(code, _)| *code).collect::<Vec<_>>(), [code], "{call}");
        assert_eq!(exit, Some(4), "{call}");
    }
}

#[tokio::test]
async fn credentials_that_may_see_nothing_get_no_clean_bill() {
    let (exit, answer) = looked(Answers::new(), &[]).await;
    let codes = codes(&answer);
    assert!(codes.len() >= 5 && codes.iter().all(|(code, _)| *code == "NotLookedAt"), "{codes:?}");
    assert_eq!(exit, Some(0), "warnings count only when they are asked to");
    let (exit, _) = looked(Answers::new(), &["--fail-on", "warning"]).await;
    assert_eq!(exit, Some(4));
}

#[tokio::test]
async fn a_pool_that_is_not_there_is_a_failure() {
    let answers = Answers::from([("DescribeUserPool".to_owned(), Reply::Error(400, "ResourceNotFoundException"))]);
    let (exit, answer) = looked(answers, &[]).await;
    assert_eq!((exit, &answer["error"]["code"]), (Some(1), &json!("PoolMissing")));
}

#[tokio::test]
async fn what_is_saved_can_be_judged_again_and_holds_no_secret() {
    let folder = Folder::new();
    let saved = folder.path("pool.json");
    let mut answers = good();
    answers.insert("ListGroups".to_owned(), Reply::Error(400, "AccessDeniedException"));
    let (_, first) = looked(answers, &["--save", &saved]).await;
    let text = std::fs::read_to_string(&saved).expect("it is written");
    assert!(text.contains("SettingOfTomorrow"), "what this build does not know is kept");
    assert!(!text.contains("TOP-SECRET"), "{text}");
    let rules = project("rules/rules.toml");
    let again =
        run("http://127.0.0.1:1", &["doctor", "--output", "json", "--documents", &saved, "--rules", &rules]).await;
    let again: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(first, again);
    assert_eq!(codes(&again), [("NotLookedAt", "its groups")]);
}

#[tokio::test]
async fn sarif_has_a_result_for_each_finding() {
    let services = Services::start(Answers::new());
    let run = run(services.url(), &["doctor", "--output", "sarif", "--pool", POOL]).await;
    let sarif: Value = serde_json::from_str(&run.out).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    assert!(results.len() >= 4, "{sarif}");
    for result in results {
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
        assert!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].is_string(), "{result}");
    }
}
