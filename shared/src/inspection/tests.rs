//! A pool that obeys everything, and for each finding what breaks it.

#![expect(clippy::disallowed_macros, reason = "these tests are about the files that ship")]

use serde_json::{Value, json};

use super::*;
use crate::findings::Severity;

const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:tokens";
const IDENTITY_POOL: &str = "us-east-1:11111111-2222-4333-8444-555555555555";
const USER_ROLE: &str = "arn:aws:iam::123456789012:role/user";
const ADMIN_ROLE: &str = "arn:aws:iam::123456789012:role/admin";
const GUEST_ROLE: &str = "arn:aws:iam::123456789012:role/guest";

/// As the shipped template makes it.
fn good() -> Value {
    let trust = |amr: &str, actions: Value| {
        json!({"seen": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": actions,
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": IDENTITY_POOL},
                "ForAnyValue:StringEquals": {"cognito-identity.amazonaws.com:amr": amr},
            },
        }]}})
    };
    let policy = |statement: Value| json!({"seen": {"calls": {"Version": "2012-10-17", "Statement": [statement]}}});
    let both = json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]);
    let own = json!({
        "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["USER#${aws:PrincipalTag/subject}"]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    });
    json!({
        "pool": {"seen": {
            "Arn": POOL, "Id": "us-east-1_AbCdEfGhI", "UserPoolTier": "ESSENTIALS",
            "UsernameConfiguration": {"CaseSensitive": false},
            "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": false},
            "LambdaConfig": {
                "PreSignUp": FUNCTION,
                "PreTokenGeneration": FUNCTION,
                "PreTokenGenerationConfig": {"LambdaArn": FUNCTION, "LambdaVersion": "V2_0"},
            },
        }},
        "clients": {"web": {"seen": {
            "ClientName": "web",
            "WriteAttributes": ["email", "name"],
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "SupportedIdentityProviders": ["COGNITO"],
            "AllowedOAuthFlowsUserPoolClient": true,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid"],
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": true,
        }}},
        "groups": {"seen": [{"GroupName": "users", "Precedence": 100}]},
        "identity_pool": {"seen": {
            "IdentityPoolId": IDENTITY_POOL,
            "AllowClassicFlow": false,
            "AllowUnauthenticatedIdentities": true,
            "CognitoIdentityProviders": [{
                "ProviderName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI",
                "ClientId": "web", "ServerSideTokenCheck": true,
            }],
        }},
        "identity_pool_roles": {"seen": {
            "Roles": {"authenticated": USER_ROLE, "unauthenticated": GUEST_ROLE},
            "RoleMappings": {"cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI:web": {
                "Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole",
                "RulesConfiguration": {"Rules": [
                    {"Claim": "identity_role", "MatchType": "Equals", "Value": "admin", "RoleARN": ADMIN_ROLE},
                ]},
            }},
        }},
        "principal_tags": {"seen": {"UseDefaults": false, "PrincipalTags": {"tenant": "tenant", "subject": "sub"}}},
        "roles": {
            USER_ROLE: {"trust": trust("authenticated", both.clone()), "policies": policy(own.clone())},
            ADMIN_ROLE: {"trust": trust("authenticated", both), "policies": policy(own)},
            GUEST_ROLE: {
                "trust": trust("unauthenticated", json!("sts:AssumeRoleWithWebIdentity")),
                "policies": policy(json!({
                    "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/public/*",
                })),
            },
        },
        "functions": {FUNCTION: {
            "function": {"seen": {"FunctionArn": FUNCTION}},
            "policy": {"seen": {"Statement": [{
                "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": FUNCTION,
                "Principal": {"Service": "cognito-idp.amazonaws.com"},
                "Condition": {
                    "ArnLike": {"AWS:SourceArn": POOL}, "StringEquals": {"AWS:SourceAccount": "123456789012"},
                },
            }]}},
        }},
        "authorizers": {"seen": [{
            "authorizerId": "a1", "name": "tokens", "authorizerType": "REQUEST", "enableSimpleResponses": true,
            "authorizerResultTtlInSeconds": 0,
            "identitySource": ["$request.header.Authorization", "$context.routeKey", "$context.path"],
        }]},
        "routes": {"seen": [
            {"routeKey": "GET /me", "authorizationType": "CUSTOM", "authorizerId": "a1"},
            {"routeKey": "GET /items/{id}", "authorizationType": "CUSTOM", "authorizerId": "a1"},
            {"routeKey": "OPTIONS /me", "authorizationType": "NONE"},
        ]},
    })
}

fn rules() -> Rules {
    Rules::read(include_str!("../../../rules/rules.toml")).unwrap()
}

/// Puts a value at a pointer; `null` takes the member away.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    let last = last.replace("~1", "/");
    match parent {
        Value::Object(members) if value.is_null() => _ = members.remove(&last).unwrap_or_else(|| panic!("{pointer}")),
        Value::Object(members) => _ = members.insert(last, value),
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
}

fn codes(documents: &Value, rules: Option<&Rules>) -> Vec<String> {
    let documents: Documents = serde_json::from_value(documents.clone()).unwrap_or_else(|error| panic!("{error}"));
    findings(&documents, rules).into_iter().map(|one| format!("{} {}", one.severity.as_str(), one.code)).collect()
}

/// An authorizer whose simple answers are kept by these sources.
fn kept(sources: &[&str]) -> Value {
    json!({"authorizerId": "a1", "name": "tokens", "authorizerType": "REQUEST", "enableSimpleResponses": true,
        "authorizerResultTtlInSeconds": 60, "identitySource": sources})
}

fn at(arn: &str, rest: &str) -> String {
    format!("/roles/{}{rest}", arn.replace('/', "~1"))
}

#[test]
fn what_the_template_makes_is_not_dangerous() {
    assert_eq!(codes(&good(), Some(&rules())), [""; 0]);
    assert_eq!(codes(&good(), None), [""; 0]);
}

#[test]
fn each_danger_is_found_where_one_setting_makes_it() {
    let client = |member: &str| format!("/clients/web/seen/{member}");
    let pool = |member: &str| format!("/pool/seen/{member}");
    let identity = |member: &str| format!("/identity_pool/seen/{member}");
    let mapping = |member: &str| {
        format!(
            "/identity_pool_roles/seen/RoleMappings/cognito-idp.us-east-1.amazonaws.com~1us-east-1_AbCdEfGhI:web{member}"
        )
    };
    let trust = |role: &str, member: &str| at(role, &format!("/trust/seen/Statement/0/{member}"));
    let guest = at(GUEST_ROLE, "/policies/seen/calls/Statement/0");
    let user = at(USER_ROLE, "/policies/seen/calls/Statement/0");
    let function = format!("/functions/{FUNCTION}");
    let permission = format!("{function}/policy/seen/Statement/0");
    let allow = |action: Value| json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    let keys = |action: &str, condition: Value| json!({"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition});
    let aud = "cognito-identity.amazonaws.com:aud";
    let amr = "cognito-identity.amazonaws.com:amr";
    let table: Vec<(&str, String, Value, &str)> = vec![
        // The pool.
        ("case counts", pool("UsernameConfiguration"), json!({"CaseSensitive": true}), "warning PoolCaseSensitive"),
        ("case counts unless it is said", pool("UsernameConfiguration"), Value::Null, "warning PoolCaseSensitive"),
        ("I15 an unproved address", pool("UserAttributeUpdateSettings"), Value::Null, "error AddressChangeUnverified"),
        (
            "I15 only the phone is proved",
            pool("UserAttributeUpdateSettings"),
            json!({"AttributesRequireVerificationBeforeUpdate": ["phone_number"]}),
            "error AddressChangeUnverified",
        ),
        (
            "another event",
            pool("LambdaConfig/PreTokenGenerationConfig/LambdaVersion"),
            json!("V1_0"),
            "error TokenEventVersionDiffers",
        ),
        (
            "a newer event",
            pool("LambdaConfig/PreTokenGenerationConfig/LambdaVersion"),
            json!("V3_0"),
            "error TokenEventVersionDiffers",
        ),
        ("two functions", pool("LambdaConfig/PreTokenGeneration"), json!("arn:other"), "error TriggersDiffer"),
        ("the plan", pool("UserPoolTier"), json!("LITE"), "error PlanTooSmall"),
        ("no sign-up trigger", pool("LambdaConfig/PreSignUp"), Value::Null, "error TriggerMissing"),
        // Triggers.
        ("a function that is gone", format!("{function}/function"), json!("missing"), "error TriggerFunctionMissing"),
        ("no policy at all", format!("{function}/policy"), json!("missing"), "error TriggerWithoutPermission"),
        (
            "a permission for another pool",
            format!("{permission}/Condition/ArnLike"),
            json!({"AWS:SourceArn": format!("{POOL}2")}),
            "error TriggerWithoutPermission",
        ),
        (
            "a permission for another service",
            format!("{permission}/Principal"),
            json!({"Service": "s3.amazonaws.com"}),
            "error TriggerWithoutPermission",
        ),
        (
            "a permission for all pools",
            format!("{permission}/Condition"),
            json!({"StringEquals": {"AWS:SourceAccount": "123456789012"}}),
            "warning TriggerPermissionOpen",
        ),
        (
            "a permission without account",
            format!("{permission}/Condition"),
            json!({"ArnLike": {"AWS:SourceArn": POOL}}),
            "warning TriggerPermissionOpen",
        ),
        // Clients.
        ("I14 no list", client("WriteAttributes"), Value::Null, "error NoWriteAttributeList"),
        ("I14 an empty list", client("WriteAttributes"), json!([]), "error NoWriteAttributeList"),
        (
            "I14 the tenant",
            client("WriteAttributes"),
            json!(["email", "custom:tenant"]),
            "error RightsAttributeWritable",
        ),
        ("I14 the role", client("WriteAttributes"), json!(["custom:role"]), "error RightsAttributeWritable"),
        (
            "I14 what a claim is taken from",
            client("WriteAttributes"),
            json!(["custom:plan"]),
            "error RightsAttributeWritable",
        ),
        (
            "I14 the provider's subject",
            client("WriteAttributes"),
            json!(["custom:provider_subject"]),
            "error RightsAttributeWritable",
        ),
        ("I15 existence errors", client("PreventUserExistenceErrors"), json!("LEGACY"), "warning UserExistenceErrors"),
        (
            "I15 existence errors by default",
            client("PreventUserExistenceErrors"),
            Value::Null,
            "warning UserExistenceErrors",
        ),
        ("I15 no revocation", client("EnableTokenRevocation"), json!(false), "warning TokenRevocationOff"),
        ("I15 implicit grant", client("AllowedOAuthFlows"), json!(["code", "implicit"]), "error ImplicitGrant"),
        (
            "I15 the scope for one's own account",
            client("AllowedOAuthScopes"),
            json!(["openid", "aws.cognito.signin.user.admin"]),
            "warning SelfServiceScope",
        ),
        // The identity pool.
        ("I11 classic flow", identity("AllowClassicFlow"), json!(true), "error ClassicFlow"),
        (
            "tokens of the signed-out",
            identity("CognitoIdentityProviders/0/ServerSideTokenCheck"),
            json!(false),
            "warning TokenCheckOff",
        ),
        ("I09 no mapping", mapping(""), Value::Null, "error RoleMappingMissing"),
        ("I09 another type", mapping("/Type"), json!("Token"), "error RoleMappingDiffers"),
        ("I09 another fallback", mapping("/AmbiguousRoleResolution"), json!("Deny"), "error RoleMappingDiffers"),
        ("I09 another value", mapping("/RulesConfiguration/Rules/0/Value"), json!("user"), "error RoleMappingDiffers"),
        ("I09 a deleted role", at(ADMIN_ROLE, "/trust"), json!("missing"), "error RoleMissing"),
        (
            "I01 tag keys alike",
            "/principal_tags/seen/PrincipalTags/Tenant".to_owned(),
            json!("tenant"),
            "error TagKeysAlike",
        ),
        (
            "I01 a tag that users write",
            "/principal_tags/seen/PrincipalTags/tenant".to_owned(),
            json!("name"),
            "error TagFromOpenAttribute",
        ),
        // Trust.
        ("no trust", trust(USER_ROLE, "Principal"), json!({"Service": "ec2.amazonaws.com"}), "error TrustMissing"),
        ("every pool", trust(USER_ROLE, "Condition/StringEquals"), Value::Null, "error TrustWithoutAud"),
        (
            "every pool, as if it were a condition",
            trust(USER_ROLE, "Condition/StringEquals"),
            json!({aud: null}),
            "error TrustWithoutAud",
        ),
        (
            "another pool",
            trust(USER_ROLE, "Condition/StringEquals"),
            json!({aud: "us-east-1:x"}),
            "error TrustForeignAud",
        ),
        (
            "two pools",
            trust(USER_ROLE, "Condition/StringEquals"),
            json!({aud: [IDENTITY_POOL, "us-east-1:x"]}),
            "warning TrustForeignAud",
        ),
        ("no amr", trust(USER_ROLE, "Condition/ForAnyValue:StringEquals"), Value::Null, "error TrustWithoutAmr"),
        (
            "guests in a user's role",
            trust(USER_ROLE, "Condition/ForAnyValue:StringEquals"),
            json!({amr: "unauthenticated"}),
            "error TrustTakesGuests",
        ),
        (
            "users in the guests' role",
            trust(GUEST_ROLE, "Condition/ForAnyValue:StringEquals"),
            json!({amr: ["unauthenticated", "authenticated"]}),
            "warning TrustTakesUsers",
        ),
        (
            "guests' role without amr",
            trust(GUEST_ROLE, "Condition/ForAnyValue:StringEquals"),
            Value::Null,
            "error TrustWithoutAmr",
        ),
        ("no tags", trust(USER_ROLE, "Action"), json!("sts:AssumeRoleWithWebIdentity"), "error TagSessionMissing"),
        // Guests.
        (
            "I12 everything",
            guest.clone(),
            allow(json!("*")),
            "error GuestRoleTooBroad, error GuestRoleTooBroad, error GuestRoleTooBroad",
        ),
        ("I12 the user pool", guest.clone(), allow(json!("cognito-idp:*")), "error GuestRoleTooBroad"),
        ("I12 an administrator's call", guest.clone(), allow(json!("cognito-idp:Admin*")), "error GuestRoleTooBroad"),
        ("I12 a call that needs no credentials", guest.clone(), allow(json!("cognito-idp:SignUp")), ""),
        ("I12 items without a partition", guest.clone(), allow(json!(["dynamodb:GetItem"])), "error GuestRoleTooBroad"),
        ("I12 items by a wider word", guest.clone(), allow(json!("dynamodb:Get*")), "error GuestRoleTooBroad"),
        (
            "I12 own items",
            guest.clone(),
            keys(
                "dynamodb:GetItem",
                json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["GUEST#${cognito-identity.amazonaws.com:sub}"]}}),
            ),
            "",
        ),
        ("I12 a listing", guest.clone(), allow(json!("s3:ListBucket")), "error GuestRoleTooBroad"),
        ("I12 a listing by a wider word", guest.clone(), allow(json!("s3:List*")), "error GuestRoleTooBroad"),
        (
            "I12 a listing below a prefix",
            guest.clone(),
            keys("s3:ListBucket", json!({"StringLike": {"s3:prefix": "public/*"}})),
            "warning GuestRoleTooBroad",
        ),
        (
            "I12 all but",
            guest,
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            "error GuestRoleTooBroad",
        ),
        // Signed-in users.
        ("everything", user.clone(), allow(json!("*")), "error RoleTooBroad"),
        (
            "I02 a prefix without a delimiter",
            format!("{user}/Condition/ForAllValues:StringEquals"),
            json!({"dynamodb:LeadingKeys": ["${aws:PrincipalTag/tenant}*"]}),
            "error LeadingKeysPrefix",
        ),
        (
            "I02 a prefix with one",
            format!("{user}/Condition/ForAllValues:StringEquals"),
            json!({"dynamodb:LeadingKeys": ["${aws:PrincipalTag/tenant}#*"]}),
            "",
        ),
        (
            "a scan",
            user,
            keys("dynamodb:Scan", json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a"]}})),
            "error LeadingKeysVacuous",
        ),
        // The API.
        (
            "no token",
            "/authorizers/seen/0/identitySource".to_owned(),
            json!(["$context.routeKey", "$context.path"]),
            "error AuthorizerWithoutToken",
        ),
        (
            "a yes for every route",
            "/authorizers/seen/0".to_owned(),
            kept(&["$request.header.Authorization", "$context.path"]),
            "error AuthorizerCacheTooWide",
        ),
        (
            "a yes for every tenant",
            "/authorizers/seen/0".to_owned(),
            kept(&["$request.header.Authorization", "$context.routeKey"]),
            "error AuthorizerCacheTooWide",
        ),
        (
            "a yes for longer than a token may live",
            "/authorizers/seen/0".to_owned(),
            kept(&["$request.header.Authorization", "$context.routeKey", "$context.path"]),
            "note AnswerMayOutliveToken",
        ),
        (
            "an open route of the rules",
            "/routes/seen/0/authorizationType".to_owned(),
            json!("NONE"),
            "error RouteWithoutAuthorizer",
        ),
        (
            "an open route",
            "/routes/seen/0".to_owned(),
            json!({"routeKey": "GET /health", "authorizationType": "NONE"}),
            "warning RouteWithoutAuthorizer",
        ),
        // What could not be looked at.
        (
            "no permission to look",
            "/groups".to_owned(),
            json!({"unseen": {"call": "ListGroups", "why": "AccessDenied"}}),
            "warning NotLookedAt",
        ),
        (
            "a client nobody may see",
            "/clients/x".to_owned(),
            json!({"unseen": {"call": "DescribeUserPoolClient", "why": "AccessDenied"}}),
            "warning NotLookedAt",
        ),
        (
            "a role nobody may see",
            at(USER_ROLE, "/policies"),
            json!({"unseen": {"call": "ListRolePolicies", "why": "AccessDenied"}}),
            "warning NotLookedAt",
        ),
        (
            "a function nobody may see",
            format!("{function}/policy"),
            json!({"unseen": {"call": "GetPolicy", "why": "AccessDenied"}}),
            "warning NotLookedAt",
        ),
        ("no API", "/routes".to_owned(), json!("not-asked"), "note NotLookedAt"),
    ];
    for (name, pointer, value, expected) in table {
        let mut documents = good();
        put(&mut documents, &pointer, value);
        assert_eq!(codes(&documents, Some(&rules())).join(", "), expected, "{name}");
    }
}

#[test]
fn what_the_rules_say_of_sign_up_is_compared_with_the_pool() {
    let text = include_str!("../../../rules/rules.toml");
    let with = |mode: &str| Rules::read(&text.replace("mode = \"open\"", &format!("mode = \"{mode}\""))).unwrap();
    let table = [
        ("open", false, true, ""),
        ("invited", false, true, ""),
        ("closed", false, true, "warning SelfSignUpOpen"),
        ("closed", true, true, ""),
        ("closed", false, false, "error SelfSignUpOpen"),
        ("invited", false, false, "error SelfSignUpOpen"),
        ("closed", true, false, ""),
        ("open", false, false, "error TriggerMissing"),
    ];
    for (mode, only_admins, has_trigger, expected) in table {
        let mut documents = good();
        put(&mut documents, "/pool/seen/AdminCreateUserConfig/AllowAdminCreateUserOnly", json!(only_admins));
        if !has_trigger {
            put(&mut documents, "/pool/seen/LambdaConfig/PreSignUp", Value::Null);
        }
        assert_eq!(codes(&documents, Some(&with(mode))).join(", "), expected, "{mode} {only_admins} {has_trigger}");
    }
}

#[test]
fn guests_without_rules_for_them_are_named() {
    let text = include_str!("../../../rules/rules.toml");
    let (before, rest) = text.split_once("[guests]").unwrap();
    let (_, after) = rest.split_once("[claims]").unwrap();
    let without = Rules::read(&format!("{before}[claims]{after}")).unwrap();
    assert_eq!(codes(&good(), Some(&without)), ["warning GuestsOpen"]);
    let mut documents = good();
    put(&mut documents, "/identity_pool/seen/AllowUnauthenticatedIdentities", json!(false));
    assert_eq!(codes(&documents, Some(&without)), [""; 0]);
}

#[test]
fn only_a_client_for_providers_alone_may_write_their_subject_i14() {
    let federated = [
        ("ExplicitAuthFlows", json!(["ALLOW_REFRESH_TOKEN_AUTH"])),
        ("SupportedIdentityProviders", json!(["Google"])),
        ("WriteAttributes", json!(["email", "custom:provider_subject"])),
    ];
    let mut documents = good();
    for (member, value) in federated {
        put(&mut documents, &format!("/clients/web/seen/{member}"), value);
    }
    assert_eq!(codes(&documents, Some(&rules())), [""; 0]);
    let breaks = [
        ("ExplicitAuthFlows", json!(["ALLOW_USER_SRP_AUTH"])),
        ("ExplicitAuthFlows", json!([])),
        ("SupportedIdentityProviders", json!(["Google", "COGNITO"])),
        ("WriteAttributes", json!(["custom:legacy_id"])),
    ];
    for (member, value) in breaks {
        let mut broken = documents.clone();
        put(&mut broken, &format!("/clients/web/seen/{member}"), value.clone());
        assert_eq!(codes(&broken, Some(&rules())), ["error RightsAttributeWritable"], "{member} {value}");
    }
}

#[test]
fn a_role_by_what_users_write_and_a_tie_of_groups_are_found_i09() {
    let mut documents = good();
    let key = "/identity_pool_roles/seen/RoleMappings/cognito-idp.us-east-1.amazonaws.com~1us-east-1_AbCdEfGhI:web";
    put(&mut documents, &format!("{key}/RulesConfiguration/Rules/0/Claim"), json!("name"));
    assert_eq!(codes(&documents, None), ["error RoleByOpenAttribute"]);
    let mut documents = good();
    put(&mut documents, &format!("{key}/Type"), json!("Token"));
    assert_eq!(codes(&documents, None), [""; 0]);
    let group =
        |name: &str, precedence: u32, role: &str| json!({"GroupName": name, "Precedence": precedence, "RoleArn": role});
    put(&mut documents, "/groups/seen", json!([group("a", 1, USER_ROLE), group("b", 1, ADMIN_ROLE)]));
    assert_eq!(codes(&documents, None), ["warning PrecedenceTie"]);
    put(&mut documents, "/groups/seen", json!([group("a", 1, USER_ROLE), group("b", 2, ADMIN_ROLE)]));
    assert_eq!(codes(&documents, None), [""; 0]);
}

#[test]
fn a_cache_that_remembers_nothing_is_never_too_wide() {
    for (member, value) in [("authorizerResultTtlInSeconds", json!(0)), ("enableSimpleResponses", json!(false))] {
        let mut documents = good();
        put(&mut documents, "/authorizers/seen/0", kept(&["$request.header.Authorization"]));
        put(&mut documents, &format!("/authorizers/seen/0/{member}"), value);
        assert_eq!(codes(&documents, None), [""; 0], "{member}");
    }
}

/// The same documents with an API of another kind.
fn with_api(authorizers: Value, routes: Value, rest_authorizers: Value, rest_resources: Value) -> Value {
    let mut documents = good();
    for (name, items) in [
        ("authorizers", authorizers),
        ("routes", routes),
        ("rest_authorizers", rest_authorizers),
        ("rest_resources", rest_resources),
    ] {
        let look = if items.is_null() { json!("not-asked") } else { json!({"seen": items}) };
        put(&mut documents, &format!("/{name}"), look);
    }
    documents
}

#[test]
fn a_rest_api_is_looked_at_too() {
    let authorizer =
        |source: &str| json!([{"id": "r1", "name": "tokens", "type": "REQUEST", "identitySource": source}]);
    let resources = |authorization: &str, path: &str, method: &str| {
        let method = json!({method: {"httpMethod": method, "authorizationType": authorization}});
        json!([{"id": "x", "path": "/"}, {"id": "y", "path": path, "resourceMethods": method}])
    };
    let header = "method.request.header.Authorization";
    let two = "context.path, method.request.header.authorization";
    let table: [(&str, Value, Value, &[&str]); 7] = [
        ("in good order", authorizer(header), resources("CUSTOM", "/me", "GET"), &[]),
        ("by two sources", authorizer(two), resources("CUSTOM", "/me", "GET"), &[]),
        ("signed calls", authorizer(header), resources("AWS_IAM", "/me", "GET"), &[]),
        ("a browser's question", authorizer(header), resources("NONE", "/me", "OPTIONS"), &[]),
        (
            "not by the token",
            authorizer("context.path"),
            resources("CUSTOM", "/me", "GET"),
            &["error AuthorizerWithoutToken"],
        ),
        (
            "an open route of the rules",
            authorizer(header),
            resources("NONE", "/me", "GET"),
            &["error RouteWithoutAuthorizer"],
        ),
        ("an open route", authorizer(header), resources("NONE", "/health", "GET"), &["warning RouteWithoutAuthorizer"]),
    ];
    for (name, authorizers, resources, expected) in table {
        let documents = with_api(Value::Null, Value::Null, authorizers, resources);
        assert_eq!(codes(&documents, Some(&rules())), expected, "{name}");
    }
}

#[test]
fn of_a_websocket_api_only_the_connection_counts() {
    let route = |key: &str, kind: &str| json!({"routeKey": key, "authorizationType": kind});
    let authorizer = json!([{
        "authorizerId": "w1", "name": "tokens", "authorizerType": "REQUEST",
        "identitySource": ["route.request.querystring.token"],
    }]);
    for (connect, expected) in [("CUSTOM", [].as_slice()), ("NONE", &["warning RouteWithoutAuthorizer"])] {
        let routes = json!([route("$connect", connect), route("$default", "NONE"), route("$disconnect", "NONE")]);
        let documents = with_api(authorizer.clone(), routes, Value::Null, Value::Null);
        assert_eq!(codes(&documents, Some(&rules())), expected, "{connect}");
    }
}

#[test]
fn where_guests_name_themselves_is_open_and_said() {
    let mut documents = good();
    put(&mut documents, "/routes/seen/0", json!({"routeKey": "PUT /guest/claim", "authorizationType": "NONE"}));
    assert_eq!(codes(&documents, Some(&rules())), ["note RouteWithoutAuthorizer"]);
    assert_eq!(codes(&documents, None), ["warning RouteWithoutAuthorizer"], "without rules there may be no guests");
}

#[test]
fn with_revocation_on_no_answer_is_remembered_and_every_token_names_its_session() {
    let shipped = include_str!("../../../rules/rules.toml");
    let on = shipped.replace("[revocation]\nmode = \"off\"", "[revocation]\nmode = \"on\"");
    let on = Rules::read(&on).unwrap();
    let mut kept = good();
    let ttl = "/authorizers/seen/0/authorizerResultTtlInSeconds";
    let mut asked = good();
    put(&mut asked, ttl, json!(0));
    let mut unnamed = asked.clone();
    put(&mut unnamed, "/clients/web/seen/EnableTokenRevocation", json!(false));
    put(&mut kept, ttl, json!(1));
    let table = [
        ("remembered, off", &kept, rules(), &["note AnswerMayOutliveToken"][..]),
        ("remembered, on", &kept, on.clone(), &["error RevocationCached", "note AnswerMayOutliveToken"]),
        ("asked each time, on", &asked, on.clone(), &[]),
        ("no session in tokens, off", &unnamed, rules(), &["warning TokenRevocationOff"]),
        ("no session in tokens, on", &unnamed, on, &["error TokenRevocationOff"]),
    ];
    for (name, documents, rules, expected) in table {
        assert_eq!(codes(documents, Some(&rules)), expected, "{name}");
    }
}

#[test]
fn a_rest_api_remembers_unless_it_is_told_not_to() {
    let shipped = include_str!("../../../rules/rules.toml");
    let on = shipped.replace("[revocation]\nmode = \"off\"", "[revocation]\nmode = \"on\"");
    let (on, off) = (Rules::read(&on).unwrap(), rules());
    let authorizer = |seconds: Value| {
        let source = "method.request.header.Authorization";
        json!([{"id": "r1", "type": "TOKEN", "identitySource": source, "authorizerResultTtlInSeconds": seconds}])
    };
    let cached = ["error RevocationCached"].as_slice();
    for (seconds, rules, expected) in
        [(Value::Null, &on, cached), (json!(300), &on, cached), (json!(0), &on, &[]), (Value::Null, &off, &[])]
    {
        let documents = with_api(Value::Null, Value::Null, authorizer(seconds.clone()), json!([]));
        assert_eq!(codes(&documents, Some(rules)), expected, "{seconds}");
    }
}

#[test]
fn the_worst_comes_first() {
    let mut documents = good();
    put(&mut documents, "/clients/web/seen/EnableTokenRevocation", json!(false));
    put(&mut documents, "/routes", json!("missing"));
    put(&mut documents, "/identity_pool/seen/AllowClassicFlow", json!(true));
    let documents: Documents = serde_json::from_value(documents).unwrap();
    let severities: Vec<_> = findings(&documents, None).into_iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Note]);
}

#[test]
fn nothing_at_all_is_not_a_clean_bill() {
    let documents = Documents {
        pool: Look::Unseen { call: "DescribeUserPool".to_owned(), why: "AccessDenied".to_owned() },
        ..Documents::default()
    };
    let codes: Vec<_> = findings(&documents, None).into_iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["NotLookedAt", "NotLookedAt", "NotLookedAt"]);
}

#[test]
fn a_pattern_means_what_iam_says() {
    let table = [
        ("*", "", true),
        ("*", "a:b/c", true),
        ("s3:List*", "s3:ListBucket", true),
        ("s3:List*", "s3:GetObject", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false),
        ("", "", true),
        ("", "a", false),
    ];
    for (pattern, text, expected) in table {
        assert_eq!(statements::is_like(pattern, text), expected, "{pattern} {text}");
    }
}
