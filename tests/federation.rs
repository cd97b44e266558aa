//! The ways in through external providers and through the identity pool, as
//! `template.yaml` deploys them.

#![expect(clippy::unwrap_used, reason = "a check fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;
use shared::claims::{Membership, Source, TokenKind, Tokens};
use shared::rules::Rules;
use tests::template::{Template, items, members, texts};
use tests::workspace_root;

/// The parameters of a deployment that differ from the defaults.
type Parameters<'a> = &'a [(&'a str, &'a str)];

/// A provider: its parameters, its resource, its name in the pool.
type Row<'a> = (Parameters<'a>, &'a str, &'a str);

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sign-in-a1b2c3";

/// Every provider that the template makes.
const PROVIDERS: [Row<'static>; 7] = [
    (&[("GoogleClientId", "g.apps"), ("GoogleSecret", "google")], "GoogleProvider", "Google"),
    (&[("FacebookClientId", "123"), ("FacebookSecret", "facebook")], "FacebookProvider", "Facebook"),
    (&[("AmazonClientId", "amzn1"), ("AmazonSecret", SECRET)], "AmazonProvider", "LoginWithAmazon"),
    (
        &[
            ("AppleServicesId", "com.example"),
            ("AppleTeamId", "ABCDE12345"),
            ("AppleKeyId", "KEY1234567"),
            ("AppleSecret", "apple"),
        ],
        "AppleProvider",
        "SignInWithApple",
    ),
    (
        &[
            ("OidcName", "Example"),
            ("OidcIssuer", "https://id.example"),
            ("OidcClientId", "pool"),
            ("OidcSecret", "oidc"),
        ],
        "OidcProvider",
        "Example",
    ),
    (&[("SamlName", "Saml"), ("SamlMetadataUrl", "https://saml.example/metadata")], "SamlProvider", "Saml"),
    (&[("SamlMetadataDocument", "<EntityDescriptor/>")], "SamlProvider", "CorpSAML"),
];

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::read().unwrap());

fn deployed(parameters: Parameters<'_>) -> Template {
    parameters.iter().fold(TEMPLATE.clone(), |template, (name, value)| template.with(name, value).unwrap())
}

fn properties(template: &Template, id: &str) -> Value {
    template.resolve(&template.resource(id).unwrap()["Properties"]).unwrap()
}

fn made<'a>(template: &'a Template, kind: &'a str) -> BTreeSet<String> {
    let made = template.of_type(kind).filter(|(_, resource)| template.is_made(resource).unwrap());
    made.map(|(id, _)| id.to_owned()).collect()
}

fn rules() -> Rules {
    Rules::read(&std::fs::read_to_string(workspace_root().join("rules/rules.toml")).unwrap()).unwrap()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The keys of an object; none of anything else.
fn keys(value: &Value) -> BTreeSet<String> {
    members(value).map(|(key, _)| key.clone()).collect()
}

const PROVIDER: &str = "AWS::Cognito::UserPoolIdentityProvider";

// ---- Providers of the user pool

#[test]
fn the_shipped_rules_name_the_oidc_provider_as_the_template_does() {
    let (values, id, _) = PROVIDERS[4];
    let values: Vec<_> = values.iter().copied().filter(|(name, _)| *name != "OidcName").collect();
    let name = properties(&deployed(&values), id)["ProviderName"].clone();
    assert!(rules().providers.iter().any(|provider| provider.name == name), "rules/rules.toml does not name {name}");
}

#[test]
fn a_provider_is_there_when_it_is_given_and_the_client_takes_it() {
    for (parameters, id, name) in PROVIDERS {
        let template = deployed(parameters);
        assert_eq!(made(&template, PROVIDER), set(&[id]));
        assert_eq!(properties(&template, id)["ProviderName"], name);
        let client = properties(&template, "FederatedClient");
        assert_eq!(texts(&client["SupportedIdentityProviders"]), set(&[name]));
        assert!(
            template.needs(template.resource("FederatedClient").unwrap()).unwrap().contains(id),
            "{id} comes first"
        );
    }
    let all: Vec<(&str, &str)> = PROVIDERS.iter().take(6).flat_map(|(parameters, ..)| *parameters).copied().collect();
    let template = deployed(&[all.as_slice(), &[("OtherProviders", "CorpOIDC, Okta")]].concat());
    let names =
        set(&["Google", "Facebook", "LoginWithAmazon", "SignInWithApple", "Example", "Saml", "CorpOIDC", "Okta"]);
    assert_eq!(texts(&properties(&template, "FederatedClient")["SupportedIdentityProviders"]), names);
}

#[test]
fn without_a_provider_nothing_of_them_is_there() {
    let template = deployed(&[]);
    assert_eq!(made(&template, PROVIDER), set(&[]));
    for id in ["FederatedClient", "FederatedClientBranding", "PreSignUpLinking"] {
        assert!(!template.is_made(template.resource(id).unwrap()).unwrap(), "{id}");
    }
    assert!(template.is_made(deployed(&[]).resource("WebClient").unwrap()).unwrap());
    // Passwords and external accounts come in through different clients.
    let template = deployed(&[("OtherProviders", "CorpOIDC")]);
    assert_eq!(texts(&properties(&template, "WebClient")["SupportedIdentityProviders"]), set(&["COGNITO"]));
    assert_eq!(texts(&properties(&template, "FederatedClient")["SupportedIdentityProviders"]), set(&["CorpOIDC"]));
}

/// What AWS asks of each type of provider, and where its subject is.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html>
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html>
#[test]
fn each_type_of_provider_has_its_details_and_its_own_subject() {
    let oauth = ["client_id", "client_secret", "authorize_scopes"];
    let name_id = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";
    let rows: BTreeMap<&str, (Vec<&str>, &str, bool)> = BTreeMap::from([
        ("Google", (oauth.to_vec(), "sub", true)),
        ("Facebook", ([oauth.as_slice(), &["api_version"]].concat(), "id", false)),
        ("LoginWithAmazon", (oauth.to_vec(), "user_id", false)),
        ("SignInWithApple", (vec!["client_id", "team_id", "key_id", "private_key", "authorize_scopes"], "sub", true)),
        ("OIDC", ([oauth.as_slice(), &["oidc_issuer", "attributes_request_method"]].concat(), "sub", true)),
        ("SAML", (vec!["MetadataURL"], name_id, false)),
    ]);
    for (parameters, id, _) in PROVIDERS.iter().take(6) {
        let provider = properties(&deployed(parameters), id);
        let (details, subject, verifies) = &rows[provider["ProviderType"].as_str().unwrap()];
        assert_eq!(keys(&provider["ProviderDetails"]), set(details), "{id}");
        let mapping = &provider["AttributeMapping"];
        assert_eq!(mapping["custom:provider_subject"], *subject, "{id}");
        assert!(mapping["email"].is_string(), "{id}: the pool signs in by address");
        // Mapped from nothing it would look unverified; mapped wrongly, verified.
        assert_eq!(mapping["email_verified"].as_str(), verifies.then_some("email_verified"), "{id}");
    }
    let by_document = properties(&deployed(&[("SamlMetadataDocument", "<EntityDescriptor/>")]), "SamlProvider");
    assert_eq!(keys(&by_document["ProviderDetails"]), set(&["MetadataFile"]));
    let checked = [("SamlMetadataUrl", "https://saml.example"), ("SamlEmailVerifiedAttribute", "proved")];
    assert_eq!(properties(&deployed(&checked), "SamlProvider")["AttributeMapping"]["email_verified"], "proved");
    for types in rows.keys() {
        assert!(deployed(&[]).of_type(PROVIDER).any(|(_, one)| one["Properties"]["ProviderType"] == *types), "{types}");
    }
}

#[test]
fn what_a_provider_sends_can_be_written_and_read_by_nobody_else() {
    let template = deployed(&[("OtherProviders", "CorpOIDC")]);
    let schema = properties(&template, "UserPool")["Schema"].clone();
    let client = properties(&template, "FederatedClient");
    let (write, read) = (texts(&client["WriteAttributes"]), texts(&client["ReadAttributes"]));
    let mut mapped = BTreeSet::new();
    for (id, provider) in template.of_type(PROVIDER) {
        for attribute in keys(&provider["Properties"]["AttributeMapping"]) {
            if let Some(custom) = attribute.strip_prefix("custom:") {
                let entry = items(&schema).find(|entry| entry["Name"] == custom).expect("the pool has the attribute");
                // Cognito writes them at each sign-in, and fails where it cannot.
                assert_eq!(entry["Mutable"], true, "{id}: {attribute}");
                assert!(!read.contains(&attribute), "{attribute} is nobody's business");
            }
            mapped.insert(attribute);
        }
    }
    // No client may write email_verified, and Cognito writes it all the same.
    assert!(mapped.remove("email_verified"));
    assert_eq!(write, mapped, "what is mapped, and nothing that is not");
}

#[test]
fn nobody_writes_his_own_subject() {
    let template = deployed(&[("OtherProviders", "CorpOIDC"), ("PasswordSignIn", "true")]);
    let guarded = set(&["custom:provider_subject", "custom:legacy_id"]);
    for (id, client) in template.of_type("AWS::Cognito::UserPoolClient").filter(|(id, _)| *id != "FederatedClient") {
        let write = texts(&client["Properties"]["WriteAttributes"]);
        assert!(write.is_disjoint(&guarded), "{id} writes {write:?}");
    }
    // The one client that may: its tokens cannot ask for a change, it takes no
    // password, and a sign-up that brings the attribute is refused.
    // https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html#user-pool-settings-attribute-permissions-and-scopes
    let client = properties(&template, "FederatedClient");
    assert_eq!(texts(&client["ExplicitAuthFlows"]), set(&["ALLOW_REFRESH_TOKEN_AUTH"]));
    assert_eq!(texts(&client["AllowedOAuthFlows"]), set(&["code"]));
    assert_eq!(texts(&client["AllowedOAuthScopes"]), set(&["openid", "email", "profile"]));
    assert!(!texts(&client["WriteAttributes"]).contains("custom:legacy_id"));
    let forbidden: BTreeSet<String> = rules().sign_up.forbidden_attributes.iter().cloned().collect();
    assert!(guarded.is_subset(&forbidden), "{forbidden:?}");
}

#[test]
fn the_shipped_rules_read_the_subject_where_the_template_maps_it() {
    for provider in rules().providers {
        let attribute = provider.subject_attribute.expect("user names lose the case of their letters");
        for (id, made) in deployed(&[]).of_type(PROVIDER) {
            assert!(!made["Properties"]["AttributeMapping"][&attribute].is_null(), "{}: {id}", provider.name);
        }
    }
}

// ---- Secrets

#[test]
fn no_secret_is_a_parameter() {
    let template = deployed(&[]);
    let mut resolved = BTreeSet::new();
    for (id, provider) in template.of_type(PROVIDER) {
        for (key, value) in members(&provider["Properties"]["ProviderDetails"]) {
            if ["client_secret", "private_key"].contains(&key.as_str()) {
                let text = value["Fn::Sub"].as_str().expect("a secret is looked up by CloudFormation");
                let (before, after) = text.split_once("${").unwrap();
                assert_eq!(before, "{{resolve:secretsmanager:", "{id}");
                let (parameter, rest) = after.split_once('}').unwrap();
                assert_eq!(rest, format!(":SecretString:{key}}}}}"), "{id}");
                resolved.insert(parameter.to_owned());
            }
        }
    }
    let named = keys(template.section("Parameters")).into_iter().filter(|name| name.ends_with("Secret"));
    assert_eq!(resolved, named.collect());
    // They are names: nothing else looks at them, and the rules only whether they are given.
    let elsewhere: Vec<&str> = template
        .resources()
        .filter(|(_, resource)| resource["Type"] != PROVIDER)
        .filter(|(_, resource)| resolved.iter().any(|name| resource.to_string().contains(&format!("\"{name}\""))))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(elsewhere, [""; 0]);
    assert!(!template.section("Outputs").to_string().contains("Secret\""));
}

// ---- Identity pool

/// What the identity pool takes: clients, social providers, OIDC ARNs, SAML ARNs.
type Logins<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], &'a [&'a str]);

#[test]
fn each_architecture_has_its_own_logins_and_no_others() {
    const OIDC: &str = "arn:aws:iam::123456789012:oidc-provider/id.example";
    const SAML: &str = "arn:aws:iam::123456789012:saml-provider/corp";
    let direct = [
        ("DirectGoogleClientId", "g"),
        ("DirectFacebookAppId", "1"),
        ("DirectAmazonAppId", "a"),
        ("DirectAppleServicesId", "s"),
        ("DirectOidcProviderArns", OIDC),
        ("DirectSamlProviderArns", SAML),
    ];
    let social = ["accounts.google.com", "appleid.apple.com", "graph.facebook.com", "www.amazon.com"];
    let all = |trusts: &'static str, others: &'static str| {
        [direct.as_slice(), &[("IdentityPoolTrusts", trusts), ("OtherProviders", others)]].concat()
    };
    let google = [("IdentityPoolTrusts", "external"), ("DirectGoogleClientId", "g")];
    let rows: [(Vec<(&str, &str)>, Logins<'_>); 7] = [
        (vec![], (&["WebClient"], &[], &[], &[])),
        (vec![("OtherProviders", "CorpOIDC")], (&["WebClient", "FederatedClient"], &[], &[], &[])),
        // What is given and not trusted opens nothing.
        (all("user-pool", ""), (&["WebClient"], &[], &[], &[])),
        (all("external", "CorpOIDC"), (&[], &social, &[OIDC], &[SAML])),
        (google.to_vec(), (&[], &["accounts.google.com"], &[], &[])),
        (all("both", ""), (&["WebClient"], &social, &[OIDC], &[SAML])),
        (all("both", "CorpOIDC"), (&["WebClient", "FederatedClient"], &social, &[OIDC], &[SAML])),
    ];
    for (parameters, (clients, social, oidc, saml)) in rows {
        let template = deployed(&parameters);
        let pool = properties(&template, "IdentityPool");
        let mut taken = BTreeSet::new();
        for login in items(&pool["CognitoIdentityProviders"]) {
            // Otherwise a token that was revoked is as good as before.
            assert_eq!(login["ServerSideTokenCheck"], true);
            assert_eq!(login["ProviderName"], "cognito-idp.us-east-1.amazonaws.com/us-east-1_UserPool");
            taken.insert(login["ClientId"].as_str().unwrap().to_owned());
        }
        assert_eq!(taken, set(clients), "{parameters:?}");
        assert_eq!(keys(&pool["SupportedLoginProviders"]), set(social), "{parameters:?}");
        assert_eq!(texts(&pool["OpenIdConnectProviderARNs"]), set(oidc), "{parameters:?}");
        assert_eq!(texts(&pool["SamlProviderARNs"]), set(saml), "{parameters:?}");

        // A role by rule, and tags, for the user pool's users only: of the others
        // nobody has said anything.
        let mappings = properties(&template, "IdentityPoolRoles")["RoleMappings"].clone();
        assert_eq!(keys(&mappings), set(clients), "{parameters:?}");
        for (client, mapping) in members(&mappings) {
            let provider = format!("cognito-idp.us-east-1.amazonaws.com/us-east-1_UserPool:{client}");
            assert_eq!(mapping["IdentityProvider"], provider);
        }
        for id in ["IdentityPoolTags", "AdministratorRole"] {
            let is_made = template.is_made(template.resource(id).unwrap()).unwrap();
            assert_eq!(is_made, !clients.is_empty(), "{id} {parameters:?}");
        }
    }
}

#[test]
fn the_pool_chooses_the_role_and_guests_come_only_where_they_are_let_in() {
    for (guests, is_let_in) in [("false", false), ("true", true)] {
        for trusts in ["user-pool", "external", "both"] {
            let template = deployed(&[("GuestAccess", guests), ("IdentityPoolTrusts", trusts)]);
            let pool = properties(&template, "IdentityPool");
            // In the classic flow the caller names the role himself.
            // https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
            assert_eq!(pool["AllowClassicFlow"], false);
            assert_eq!(pool["AllowUnauthenticatedIdentities"], is_let_in);
            let roles = properties(&template, "IdentityPoolRoles")["Roles"].clone();
            let expected = if is_let_in { set(&["authenticated", "unauthenticated"]) } else { set(&["authenticated"]) };
            assert_eq!(keys(&roles), expected);
            assert_eq!(template.is_made(template.resource("GuestRole").unwrap()).unwrap(), is_let_in);
        }
    }
}

#[test]
fn tags_come_from_claims_that_no_user_can_write() {
    let template = deployed(&[]);
    let tags = properties(&template, "IdentityPoolTags");
    assert_eq!(tags["UseDefaults"], false);
    let expected = serde_json::json!({ "tenant": "tenant", "role": "identity_role", "subject": "sub" });
    assert_eq!(tags["PrincipalTags"], expected);
    let rules = rules();
    for claim in ["tenant", "identity_role"] {
        for entry in rules.claims.map.iter().filter(|entry| entry.name == claim) {
            assert!(!matches!(entry.from, Source::Attribute(_)), "{claim} is what an attribute says");
        }
    }
    // What the shipped rules choose the administrators' role by.
    let entry = rules.claims.map.iter().find(|entry| entry.name == "identity_role").expect("the claim is written");
    assert_eq!(entry.token, Tokens::Id, "identity pools read ID tokens");
    let role = entry.when.as_ref().and_then(|condition| condition.role.as_ref()).expect("not everybody is one");
    assert_eq!(role.as_str(), "admin");
    let tenant = rules.claims.claim_name(Membership::Tenant, TokenKind::Id);
    assert_eq!(tenant, Some("tenant"));
}

#[test]
fn the_bucket_is_open_to_nobody_else() {
    let template = deployed(&[]);
    let bucket = properties(&template, "FilesBucket");
    let blocks = &bucket["PublicAccessBlockConfiguration"];
    assert_eq!(blocks.as_object().unwrap().len(), 4);
    assert!(members(blocks).all(|(_, blocked)| blocked == true), "{blocks}");
    assert_eq!(bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced");
    assert!(bucket["BucketEncryption"].is_object());
    let policy = template.resource("FilesBucketPolicy").unwrap();
    assert!(template.is_made(policy).unwrap());
    let statement = template.resolve(&policy["Properties"]["PolicyDocument"]["Statement"][0]).unwrap();
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Condition"], serde_json::json!({ "Bool": { "aws:SecureTransport": "false" } }));
    assert_eq!(texts(&statement["Resource"]), set(&["arn:aws:s3:::filesbucket", "arn:aws:s3:::filesbucket/*"]));
    assert!(bucket["CorsConfiguration"].is_null(), "pages of no origin, unless one is given");
    let origin = properties(&deployed(&[("AllowedOrigins", "https://app.example")]), "FilesBucket");
    assert_eq!(origin["CorsConfiguration"]["CorsRules"][0]["AllowedOrigins"][0], "https://app.example");
}

// ---- Conditions

/// CloudFormation refuses a resource that names one which is not made.
#[test]
fn whatever_is_deployed_names_only_what_is_there() {
    let old_pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Old";
    let axes: [&[Parameters<'_>]; 5] = [
        &[&[], &[("OtherProviders", "CorpOIDC")], PROVIDERS[0].0, PROVIDERS[5].0],
        &[
            &[],
            &[("MakeIdentityPool", "false")],
            &[("IdentityPoolTrusts", "external")],
            &[("IdentityPoolTrusts", "both")],
        ],
        &[&[], &[("GuestAccess", "true")]],
        &[
            &[],
            &[("MigrationStore", "table"), ("DomainPrefix", "x")],
            &[("MigrationStore", "pool"), ("OldUserPoolArn", old_pool), ("OldClientId", "a"), ("DomainPrefix", "x")],
            &[("MigrationStore", "endpoint"), ("MigrationEndpointUrl", "https://x"), ("MigrationSecretArn", SECRET)],
        ],
        &[&[], &[("MachineClient", "true"), ("BrandingColor", "00ff00ff"), ("BrandingLogo", "PHN2Zy8+")]],
    ];
    let mut deployments: Vec<Vec<(&str, &str)>> = vec![vec![]];
    for axis in axes {
        let with =
            |deployment: &Vec<_>| axis.iter().map(|more| [deployment.as_slice(), more].concat()).collect::<Vec<_>>();
        deployments = deployments.iter().flat_map(with).collect();
    }
    for parameters in deployments {
        let template = deployed(&parameters);
        let made: BTreeSet<&str> = template
            .resources()
            .filter(|(_, resource)| template.is_made(resource).unwrap())
            .map(|(id, _)| id)
            .collect();
        let outputs = members(template.section("Outputs")).map(|(id, output)| (id.as_str(), output));
        for (id, part) in template.resources().chain(outputs).filter(|(_, part)| template.is_made(part).unwrap()) {
            for needed in template.needs(part).unwrap() {
                assert!(made.contains(needed.as_str()), "{id} needs {needed} with {parameters:?}");
            }
        }
    }
}

#[test]
fn managed_login_has_the_given_look() {
    let plain = deployed(&[("DomainPrefix", "x"), ("OtherProviders", "CorpOIDC")]);
    let styled = plain.clone().with("BrandingColor", "00ff00ff").unwrap().with("BrandingLogo", "PHN2Zy8+").unwrap();
    for id in ["WebClientBranding", "FederatedClientBranding"] {
        assert!(plain.is_made(plain.resource(id).unwrap()).unwrap(), "{id}");
        let (plain, styled) = (properties(&plain, id), properties(&styled, id));
        // Cognito takes its own values or ours, never both.
        // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateManagedLoginBranding.html
        assert_eq!(plain["UseCognitoProvidedValues"], true, "{id}");
        assert!(plain["Settings"].is_null() && plain["Assets"].is_null(), "{id}");
        assert!(styled["UseCognitoProvidedValues"].is_null(), "{id}");
        let components = &styled["Settings"]["components"];
        for mode in ["lightMode", "darkMode"] {
            assert_eq!(components["primaryButton"][mode]["defaults"]["backgroundColor"], "00ff00ff", "{id}");
        }
        assert_eq!(components["form"]["logo"]["enabled"], true, "{id}: a logo that is given is shown");
        assert_eq!(styled["Assets"][0]["Bytes"], "PHN2Zy8+", "{id}");
        assert_eq!(styled["Assets"][0]["Category"], "FORM_LOGO", "{id}");
    }
}
