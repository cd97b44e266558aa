//! Credentials for one tenant, from STS.

use std::fmt;

use aws_sdk_sts::operation::assume_role::AssumeRoleInput;
use aws_sdk_sts::types::Tag;
use shared::names::TenantId;
use shell::aws::{Client, Credentials};

use crate::{IssueError, Issued, Issuer};

/// What the back ends' own roles must allow for the calls in this file.
pub const ACTIONS: &[&str] = &["sts:AssumeRole", "sts:TagSession"];

/// The session tag that the tenant role's policy compares keys with.
const TAG: &str = "tenant";

/// The shortest session that STS gives. A tenant's rights that are taken away
/// with the role end with it.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const DURATION_SECONDS: i32 = 900;

/// Assumes the tenant role and hands out clients bound to one tenant.
#[derive(Clone)]
pub struct TenantRole {
    client: Client,
    role_arn: String,
}

impl fmt::Debug for TenantRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRole").field("role_arn", &self.role_arn).finish_non_exhaustive()
    }
}

impl TenantRole {
    /// Works with the function's own credentials, which may only assume the role.
    pub fn new(client: Client, role_arn: String) -> Self {
        Self { client, role_arn }
    }
}

impl Issuer for TenantRole {
    type Access = Client;

    async fn issue(&self, tenant: &TenantId) -> Result<Issued<Self::Access>, IssueError> {
        let tag = Tag::builder().key(TAG).value(tenant.as_str()).build().map_err(|error| IssueError(error.into()))?;
        let call = AssumeRoleInput::builder()
            .role_arn(&self.role_arn)
            .role_session_name(session_name(tenant))
            .duration_seconds(DURATION_SECONDS)
            .tags(tag);
        let answer = self.client.send(call.build()).await.map_err(|error| IssueError(error.into()))?;
        let given = answer.credentials.ok_or_else(|| IssueError("STS answered without credentials".into()))?;
        let expires_at = u64::try_from(given.expiration.secs()).unwrap_or_default();
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            None,
            "tenant-role",
        );
        // INVARIANT: no credentials but the tenant's own.
        Ok(Issued { access: self.client.with_credentials(credentials), expires_at })
    }
}

/// The session's name, as CloudTrail shows it: 2 to 64 of `[\w+=,.@-]`. A tenant
/// has 1 to 63 of `[a-z0-9-]`, so one character in front always fits.
fn session_name(tenant: &TenantId) -> String {
    format!("@{tenant}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemInput;
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    /// STS and DynamoDB on loopback: answers as both would, keeps what was sent.
    async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<String>>>) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                while let Some(request) = read(&mut stream).await {
                    let body = reply(&request);
                    seen.lock().unwrap().push(request);
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all((head + &body).as_bytes()).await.unwrap();
                }
            });
        }
    }

    async fn read(stream: &mut TcpStream) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap_or("0").parse().unwrap() {
                    return Some(text);
                }
            }
            let mut part = [0; 4096];
            let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&part[..count]);
        }
    }

    fn reply(request: &str) -> String {
        let Some((_, rest)) = request.split_once("Tags.member.1.Value=") else {
            return "{}".to_owned();
        };
        let tenant = rest.split('&').next().unwrap();
        format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>KEY-{tenant}</AccessKeyId><SecretAccessKey>secret-{tenant}</SecretAccessKey>\
             <SessionToken>token-{tenant}</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>\
             </Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
    }

    async fn loopback() -> (Client, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::default();
        tokio::spawn(serve(listener, Arc::clone(&seen)));
        let credentials = Credentials::new("KEY-function", "secret-function", None, None, "test");
        (Client::local(&url).with_credentials(credentials), seen)
    }

    #[tokio::test]
    async fn each_tenant_gets_credentials_with_its_own_tag_and_they_sign_its_calls() {
        let (client, seen) = loopback().await;
        let role = TenantRole::new(client, "arn:aws:iam::123456789012:role/tenant".to_owned());
        let tenants = ["acme", "acme2", "a"].map(|name| TenantId::parse(name).unwrap());
        let mut clients = Vec::new();
        for tenant in &tenants {
            let issued = role.issue(tenant).await.unwrap();
            assert_eq!(issued.expires_at, 1_893_456_000);
            clients.push(issued.access);
        }
        let calls = std::mem::take(&mut *seen.lock().unwrap());
        for (call, tenant) in calls.iter().zip(&tenants) {
            let (head, body) = call.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("Credential=KEY-function/"), "{head}");
            let mut fields: Vec<_> = body.split('&').collect();
            fields.sort_unstable();
            let expected = [
                "Action=AssumeRole".to_owned(),
                "DurationSeconds=900".to_owned(),
                "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftenant".to_owned(),
                format!("RoleSessionName=%40{tenant}"),
                "Tags.member.1.Key=tenant".to_owned(),
                format!("Tags.member.1.Value={tenant}"),
                "Version=2011-06-15".to_owned(),
            ];
            assert_eq!(fields, expected);
        }
        // Back and forth, so that a credential kept by one client would show in another.
        for index in [0, 1, 2, 1, 0, 2, 0] {
            let call = GetItemInput::builder().table_name("t").key("pk", text("x")).build();
            clients[index].send(call).await.unwrap();
            let call = seen.lock().unwrap().pop().unwrap();
            let tenant = &tenants[index];
            assert!(call.contains(&format!("Credential=KEY-{tenant}/")), "{tenant}: {call}");
            assert!(call.contains(&format!("x-amz-security-token: token-{tenant}\r\n")), "{tenant}: {call}");
        }
    }

    fn text(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
        aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
    }

    #[tokio::test]
    async fn nothing_that_is_printed_holds_a_secret() {
        let (client, _) = loopback().await;
        let role = TenantRole::new(client, "arn:aws:iam::123456789012:role/tenant".to_owned());
        let issued = role.issue(&TenantId::parse("acme").unwrap()).await.unwrap();
        let printed = format!("{role:?} {issued:?} {:?}", issued.access);
        assert!(!printed.contains("secret-") && !printed.contains("token-acme"), "{printed}");
    }

    #[test]
    fn a_session_name_fits_every_tenant() {
        for name in ["a", &"a".repeat(63), "a-b-1"] {
            let session = session_name(&TenantId::parse(name).unwrap());
            assert!((2..=64).contains(&session.len()), "{session}");
        }
    }
}
