//! Where everything is, for whoever wants to go on by hand.

use anyhow::Result;

use super::Stage;
use super::world::api_url;
use crate::say::Say;

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
    for name in ["UserPoolId", "WebClientId", "ServerClientId", "Issuer", "DirectoryTableName", "ItemsTableName"] {
        say.prepared("", &format!("{name:<19} {}", outputs.get(name)?));
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
    say.line("");
    Ok(())
}
