//! Where everything is, for whoever wants to go on by hand.

use anyhow::Result;

use super::Stage;
use super::browser::query;
use super::federation::APP;
use super::world::api_url;
use crate::cloud::REGION;
use crate::oidc::CORP;
use crate::say::Say;

/// The outputs that are said.
const NAMES: [&str; 11] = [
    "UserPoolId",
    "WebClientId",
    "FederatedClientId",
    "ServerClientId",
    "Issuer",
    "IdentityPoolId",
    "FilesBucketName",
    "RecordsTableName",
    "DirectoryTableName",
    "ItemsTableName",
    "LegacyUsersTableName",
];

/// Says the addresses and ids, and how to call them.
pub fn tell(say: &Say, stage: &Stage<'_>) -> Result<()> {
    let Stage { gateway, outputs, .. } = stage;
    let (client, api) = (outputs.get("WebClientId")?, api_url(gateway, outputs.get("ApiId")?));
    say.heading("It stays up; Ctrl-C ends it and everything it started");
    say.prepared("API", &api);
    say.prepared(
        "Cognito",
        &format!("{gateway}  (region us-east-1, any SDK: AWS_ENDPOINT_URL={gateway}, keys test / test)"),
    );
    say.prepared("mails", &format!("{gateway}/_ministack/ses/messages"));
    say.prepared("provider", &format!("{}  (OpenID Connect, {CORP} in the pool)", stage.issuer));
    for name in NAMES {
        say.prepared("", &format!("{name:<20} {}", outputs.get(name)?));
    }
    say.heading("By hand");
    let target = "AWSCognitoIdentityProviderService";
    let cognito = |action: &str, body: &str| {
        format!(
            "curl -s {gateway}/ -H 'Content-Type: application/x-amz-json-1.1' \\\n       -H 'X-Amz-Target: {target}.{action}' -d '{body}'"
        )
    };
    let lines = [
        cognito(
            "SignUp",
            &format!(
                r#"{{"ClientId":"{client}","Username":"me@acme.example","Password":"Try-me-12-times!","UserAttributes":[{{"Name":"email","Value":"me@acme.example"}}]}}"#
            ),
        ),
        cognito(
            "ConfirmSignUp",
            &format!(r#"{{"ClientId":"{client}","Username":"me@acme.example","ConfirmationCode":"123456"}}"#),
        ),
        format!(
            "TOKEN=$({} \\\n       | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"AuthenticationResult\"][\"AccessToken\"])')",
            cognito(
                "InitiateAuth",
                &format!(
                    r#"{{"ClientId":"{client}","AuthFlow":"USER_PASSWORD_AUTH","AuthParameters":{{"USERNAME":"me@acme.example","PASSWORD":"Try-me-12-times!"}}}}"#
                )
            )
        ),
        format!("curl -s '{api}/me' -H \"Authorization: Bearer $TOKEN\""),
        format!(
            "curl -s -X PUT '{api}/items/first' -H \"Authorization: Bearer $TOKEN\" \\\n       -H 'Content-Type: application/json' -H 'If-None-Match: *' -d '{{\"title\":\"First\",\"body\":{{}}}}'"
        ),
        format!("curl -s '{api}/items' -H \"Authorization: Bearer $TOKEN\""),
    ];
    for line in lines {
        say.line(&format!("  {line}"));
    }
    by_a_company(say, stage)?;
    to_aws(say, stage)?;
    say.line("");
    Ok(())
}

/// How to come by another company in a browser.
fn by_a_company(say: &Say, stage: &Stage<'_>) -> Result<()> {
    let (gateway, client) = (stage.gateway, stage.outputs.get("FederatedClientId")?);
    let asked = [
        ("identity_provider", CORP),
        ("client_id", client),
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("redirect_uri", APP),
    ];
    say.heading("By another company: open this in a browser, sign in there as Nora-7QxK with any password");
    say.line(&format!("  {gateway}/oauth2/authorize?{}", query(&asked)?));
    say.line("  The browser ends at an address that nobody serves; the code in it gives the tokens:");
    say.line(&format!(
        "  curl -s {gateway}/oauth2/token -d grant_type=authorization_code -d client_id={client} \\\n       \
         -d redirect_uri={APP} -d code=…"
    ));
    Ok(())
}

/// How to change an ID token for AWS credentials.
fn to_aws(say: &Say, stage: &Stage<'_>) -> Result<()> {
    let (gateway, pool) = (stage.gateway, stage.outputs.get("UserPoolId")?);
    let (identity_pool, files) = (stage.outputs.get("IdentityPoolId")?, stage.outputs.get("FilesBucketName")?);
    let login = format!("cognito-idp.{REGION}.amazonaws.com/{pool}=$ID_TOKEN");
    say.heading("AWS credentials for an ID token of either way (with the AWS command line)");
    let lines = [
        format!("export AWS_ENDPOINT_URL={gateway} AWS_DEFAULT_REGION={REGION} ID_TOKEN=…"),
        format!(
            "IDENTITY=$(aws cognito-identity get-id --no-sign-request --identity-pool-id {identity_pool} \\\n       \
             --logins {login} --query IdentityId --output text)"
        ),
        format!(
            "aws cognito-identity get-credentials-for-identity --no-sign-request --identity-id $IDENTITY \\\n       \
             --logins {login}"
        ),
        "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_SESSION_TOKEN=…".to_owned(),
        format!("aws s3 cp s3://{files}/public/welcome.txt -"),
    ];
    for line in lines {
        say.line(&format!("  {line}"));
    }
    Ok(())
}
