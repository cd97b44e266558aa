//! The calls of the story: what a page or an app would send.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::Stage;
use super::authorizer::Authorizer;
use super::shown::{brief, short_ids, without_secrets};
use super::token::Token;

/// The deployed stack, as its users reach it.
#[derive(Debug)]
pub(super) struct World<'a> {
    http: reqwest::Client,
    pub(super) gateway: &'a str,
    api: &'a str,
    authorizer: Authorizer,
    pub(super) client: &'a str,
    /// The client of those who come from another company.
    pub(super) federated_client: &'a str,
    pub(super) pool_id: &'a str,
    pub(super) identity_pool: &'a str,
    pub(super) files: &'a str,
    pub(super) records: &'a str,
    /// The other company's provider.
    pub(super) issuer: &'a str,
    pub(super) directory_table: &'a str,
    pub(super) items_table: &'a str,
    pub(super) legacy_table: &'a str,
    pub(super) attempts_table: &'a str,
    pub(super) tenant_role: &'a str,
    pub(super) administrator_role: &'a str,
    pub(super) owner: &'a aws_config::SdkConfig,
    pub(super) dynamo: aws_sdk_dynamodb::Client,
    /// The user pool, for the operator's steps.
    pub(super) pool: aws_sdk_cognitoidentityprovider::Client,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) version: Option<String>,
}

/// One call to the API.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) token: Option<&'a Token>,
    pub(super) header: Option<(&'a str, &'a str)>,
    pub(super) body: Option<Value>,
}

impl<'a> Request<'a> {
    pub(super) fn new(method: &'a str, path: &'a str, token: &'a Token) -> Self {
        Self { method, path, token: Some(token), header: None, body: None }
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// A call without a token.
    pub(super) fn open(method: &'a str, path: &'a str) -> Self {
        Self { method, path, token: None, header: None, body: None }
    }

    /// The call as the story shows it: whose token is said by the step.
    pub(super) fn shown(&self) -> String {
        let header = self.header.map(|(name, value)| format!("  {name}: {value}")).unwrap_or_default();
        let body = self.body.as_ref().map(|body| format!("  {}", without_secrets(body))).unwrap_or_default();
        format!("{} {}{header}{body}", self.method, short_ids(self.path))
    }
}

impl<'a> World<'a> {
    pub(super) async fn new(stage: &'a Stage<'a>) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self {
            http,
            gateway: stage.gateway,
            authorizer: Authorizer::find(stage.owner, stage.outputs.get("ApiId")?).await?,
            api: stage.outputs.get("ApiId")?,
            client: stage.outputs.get("WebClientId")?,
            federated_client: stage.outputs.get("FederatedClientId")?,
            pool_id: stage.outputs.get("UserPoolId")?,
            identity_pool: stage.outputs.get("IdentityPoolId")?,
            files: stage.outputs.get("FilesBucketName")?,
            records: stage.outputs.get("RecordsTableName")?,
            issuer: stage.issuer,
            directory_table: stage.outputs.get("DirectoryTableName")?,
            items_table: stage.outputs.get("ItemsTableName")?,
            legacy_table: stage.outputs.get("LegacyUsersTableName")?,
            attempts_table: stage.outputs.get("SignInAttemptsTableName")?,
            tenant_role: stage.outputs.get("AdminTenantRoleArn")?,
            administrator_role: stage.outputs.get("AdministratorRoleArn")?,
            owner: stage.owner,
            dynamo: aws_sdk_dynamodb::Client::new(stage.owner),
            pool: aws_sdk_cognitoidentityprovider::Client::new(stage.owner),
        })
    }

    /// A user pool call that needs no AWS credentials.
    pub(super) async fn cognito(&self, action: &str, body: &Value) -> Result<Answer> {
        self.unsigned(&format!("AWSCognitoIdentityProviderService.{action}"), body).await
    }

    /// An identity pool call; those of users need no AWS credentials either.
    pub(super) async fn identity(&self, action: &str, body: &Value) -> Result<Answer> {
        self.unsigned(&format!("AWSCognitoIdentityService.{action}"), body).await
    }

    async fn unsigned(&self, target: &str, body: &Value) -> Result<Answer> {
        let request = self
            .http
            .post(format!("{}/", self.gateway))
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_string());
        Answer::read(request.send().await?).await
    }

    /// A form, as an app posts it for its tokens.
    pub(super) async fn form(&self, url: &str, form: String) -> Result<Answer> {
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
        Answer::read(request.send().await?).await
    }

    /// A call to the HTTP API.
    pub(super) async fn api(&self, request: &Request<'_>) -> Result<Answer> {
        let url = format!("{}{}", api_url(self.gateway, self.api), request.path);
        let mut call = self.http.request(request.method.parse()?, url);
        if let Some(token) = request.token {
            call = call.bearer_auth(token.as_str());
        }
        if let Some((name, value)) = request.header {
            call = call.header(name, value);
        }
        if let Some(body) = &request.body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        Answer::read(call.send().await?).await
    }

    /// A call to another API, with these headers; status and body.
    pub(super) async fn call(
        &self,
        method: &str,
        url: &str,
        authorization: Option<&str>,
        host: Option<&str>,
        body: Option<Value>,
    ) -> Result<(u16, Value)> {
        let mut call = self.http.request(method.parse()?, url);
        for (name, value) in [("authorization", authorization), ("host", host)] {
            if let Some(value) = value {
                call = call.header(name, value);
            }
        }
        if let Some(body) = &body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let answer = Answer::read(call.send().await?).await?;
        Ok((answer.status, answer.body))
    }

    /// The authorizer's own reason code for a call.
    pub(super) async fn reason(&self, request: &Request<'_>) -> Result<String> {
        let token = request.token.context("a call without a token never reaches the authorizer")?;
        self.authorizer.reason(request.method, request.path, token).await
    }

    /// The code in the last mail to an address, as the person would read it.
    pub(super) async fn mailed_code(&self, email: &str) -> Result<String> {
        let mails = self.mails(email).await?;
        let text = mails.last().with_context(|| format!("no mail came to {email}"))?;
        let mut words = text.split(|sign: char| !sign.is_ascii_digit());
        words.find(|word| word.len() == 6).map(str::to_owned).context("the mail holds no code")
    }

    /// The texts of all mails to an address, the newest last.
    pub(super) async fn mails(&self, email: &str) -> Result<Vec<String>> {
        let url = format!("{}/_ministack/ses/messages", self.gateway);
        let answer = Answer::read(self.http.get(url).send().await?).await?;
        let boxes = answer.body.get("messages").and_then(Value::as_object).context("the mails cannot be read")?;
        let mails = boxes.values().filter_map(Value::as_array).flatten();
        let own = mails.filter(|mail| mail.get("To").is_some_and(|to| super::list(Some(to)) == format!("[{email}]")));
        Ok(own.filter_map(|mail| Some(mail.get("BodyText")?.as_str()?.to_owned())).collect())
    }

    /// The sort keys of a partition, read by the operator.
    pub(super) async fn keys(&self, table: &str, partition: &str) -> Result<Vec<String>> {
        let query = self.dynamo.query().table_name(table).key_condition_expression("pk = :pk");
        let found = query.expression_attribute_values(":pk", AttributeValue::S(partition.to_owned())).send().await?;
        let keys = found.items().iter().filter_map(|item| item.get("sk")?.as_s().ok().cloned());
        Ok(keys.collect())
    }
}

impl Answer {
    async fn read(answer: reqwest::Response) -> Result<Self> {
        let status = answer.status().as_u16();
        let version = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = answer.bytes().await?;
        Ok(Self { status, version, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    /// The kind of an error, as Cognito names it.
    pub(super) fn error(&self) -> Option<&str> {
        self.body.get("__type")?.as_str()?.rsplit('#').next()
    }

    /// Status and body, without anything secret.
    pub(super) fn shown(&self) -> String {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let version = self.version.as_ref().map(|tag| format!("  etag {tag}")).unwrap_or_default();
        let said = match &self.body {
            _ if self.error().is_some() => format!(" {}: {}", self.error().unwrap_or_default(), text("message")),
            _ if self.body.get("code").is_some() => format!(" {}: {}", text("code"), text("detail")),
            Value::Object(members) if !members.is_empty() => format!("  {}", brief(members)),
            _ => String::new(),
        };
        format!("{}{version}{said}", self.status)
    }
}

/// The address of the API below the gateway.
pub(super) fn api_url(gateway: &str, api: &str) -> String {
    format!("{gateway}/_aws/execute-api/{api}/$default")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        Answer { status, body, version: None }
    }

    #[test]
    fn what_is_shown_holds_no_token() {
        let table = [
            (json!({}), "200"),
            (json!({ "AccessToken": "a.b.c", "Session": "s", "AuthenticationResult": { "IdToken": "a" } }), "200  {}"),
            (json!({ "a": 1, "IdToken": "a.b.c" }), r#"200  {"a":1}"#),
            (json!({ "__type": "x#Refused", "message": "no" }), "200 Refused: no"),
            (json!({ "code": "NotFound", "detail": "No.", "instance": "urn" }), "200 NotFound: No."),
        ];
        for (body, expected) in table {
            assert_eq!(answer(200, body.clone()).shown(), expected, "{body}");
        }
    }

    #[test]
    fn what_is_sent_is_shown_without_what_proves_a_guest() {
        let body = json!({ "guestToken": "a.b.c", "claimSecret": "s", "identityId": "us-east-1:x" });
        let request = Request::open("PUT", "/guest/claim").body(body);
        let expected = r#"PUT /guest/claim  {"claimSecret":"…","guestToken":"…","identityId":"us-east-1:x"}"#;
        assert_eq!(request.shown(), expected);
    }
}
