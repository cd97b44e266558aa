//! The calls, in the words of the problem.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use serde_json::{Value, json};
use shared::attachment::{Memory, Owner, Snapshot};
use shell::https::Bytes;
use tokio::time::Instant;

use crate::error::Error;
use crate::signed::{Call, Service, Signed};

/// What a standard parameter holds, in bytes.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html>
const LONGEST_PARAMETER: usize = 4_096;

/// The services, for one pool.
pub(crate) struct Aws<'a> {
    pub(crate) signed: &'a Signed,
    pub(crate) pool: &'a str,
    pub(crate) region: &'a str,
    pub(crate) name: &'a str,
    pub(crate) until: Instant,
}

/// Signs with the configuration's credentials.
pub(crate) fn signed(config: &SdkConfig) -> Signed {
    Signed::new(config)
}

impl Aws<'_> {
    // ---- The pool

    /// All of the pool; `None` when there is none. `clients` are read only where
    /// they are asked for: there may be many.
    pub(crate) async fn snapshot(&self, clients: bool) -> Result<Option<Snapshot>, Error> {
        let named = json!({ "UserPoolId": self.pool });
        let mut answer = match self.pools("DescribeUserPool", &named).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            answer => answer?,
        };
        let pool = answer.get_mut("UserPool").map(Value::take).unwrap_or_default();
        let mfa = self.pools("GetUserPoolMfaConfig", &named).await?;
        let clients = if clients { self.clients().await? } else { BTreeMap::new() };
        Ok(Some(Snapshot { pool, mfa, clients }))
    }

    /// Every client without its secret.
    async fn clients(&self) -> Result<BTreeMap<String, Value>, Error> {
        let (mut clients, mut next) = (BTreeMap::new(), Value::Null);
        loop {
            let mut request = json!({ "UserPoolId": self.pool, "MaxResults": 60 });
            if let (false, Some(members)) = (next.is_null(), request.as_object_mut()) {
                members.insert("NextToken".to_owned(), next);
            }
            let mut page = self.pools("ListUserPoolClients", &request).await?;
            for client in page.get("UserPoolClients").and_then(Value::as_array).into_iter().flatten() {
                let Some(id) = client.get("ClientId").and_then(Value::as_str) else { continue };
                if let Some(client) = self.client(id).await? {
                    clients.insert(id.to_owned(), client);
                }
            }
            next = page.get_mut("NextToken").map(Value::take).unwrap_or_default();
            if next.is_null() {
                return Ok(clients);
            }
        }
    }

    async fn client(&self, id: &str) -> Result<Option<Value>, Error> {
        let request = json!({ "UserPoolId": self.pool, "ClientId": id });
        let mut answer = match self.pools("DescribeUserPoolClient", &request).await {
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            answer => answer?,
        };
        let mut client = answer.get_mut("UserPoolClient").map(Value::take).unwrap_or_default();
        if let Some(members) = client.as_object_mut() {
            members.remove("ClientSecret");
        }
        Ok(Some(client))
    }

    /// Writes the pool once. Another update under way is an error of its own,
    /// see [`is_busy`].
    pub(crate) async fn update_pool(&self, request: &Value) -> Result<(), Error> {
        self.pools("UpdateUserPool", request).await.map(drop)
    }

    pub(crate) async fn set_mfa(&self, request: &Value) -> Result<(), Error> {
        self.pools("SetUserPoolMfaConfig", request).await.map(drop)
    }

    pub(crate) async fn update_client(&self, request: &Value) -> Result<(), Error> {
        self.pools("UpdateUserPoolClient", request).await.map(drop)
    }

    async fn pools(&self, operation: &'static str, request: &Value) -> Result<Value, Error> {
        self.json(Service::Pools, "AWSCognitoIdentityProviderService", operation, request).await
    }

    // ---- What is remembered

    pub(crate) async fn memory(&self) -> Result<Memory, Error> {
        let request = json!({ "Name": self.parameter() });
        let answer = match self.parameters("GetParameter", &request).await {
            Err(error) if error.is("ParameterNotFound") => return Ok(Memory::default()),
            answer => answer?,
        };
        let text = answer.pointer("/Parameter/Value").and_then(Value::as_str);
        Memory::read(text.ok_or(Error::Unreadable("GetParameter"))?).map_err(Error::Memory)
    }

    pub(crate) async fn remember(&self, memory: &Memory) -> Result<(), Error> {
        let request = json!({
            "Name": self.parameter(), "Type": "String", "Overwrite": true, "Value": memory.text(LONGEST_PARAMETER),
            "Description": "Triggers of a user pool that Poolhouse has replaced, to be put back",
        });
        self.parameters("PutParameter", &request).await.map(drop)
    }

    pub(crate) async fn forget(&self) -> Result<(), Error> {
        match self.parameters("DeleteParameter", &json!({ "Name": self.parameter() })).await {
            Err(error) if error.is("ParameterNotFound") => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn parameter(&self) -> String {
        format!("/poolhouse/attachment/{}/{}", self.name, self.pool)
    }

    async fn parameters(&self, operation: &'static str, request: &Value) -> Result<Value, Error> {
        self.json(Service::Parameters, "AmazonSSM", operation, request).await
    }

    // ---- Who may call the functions

    /// Lets the pool, and it alone, call a function. Both conditions are needed:
    /// an ARN can be used again by another account.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
    pub(crate) async fn permit(&self, function: &str, pool_arn: &str) -> Result<(), Error> {
        let account = pool_arn.split(':').nth(4).unwrap_or_default();
        let body = json!({
            "StatementId": self.statement(), "Action": "lambda:InvokeFunction",
            "Principal": "cognito-idp.amazonaws.com", "SourceArn": pool_arn, "SourceAccount": account,
        });
        match self.functions("AddPermission", "POST", function, "", body.to_string()).await {
            Err(error) if error.is("ResourceConflictException") => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Takes it back; a function or a statement that is gone needs nothing.
    pub(crate) async fn forbid(&self, function: &str) -> Result<(), Error> {
        let path = format!("/{}", self.statement());
        match self.functions("RemovePermission", "DELETE", function, &path, String::new()).await {
            Err(error) if error.is("ResourceNotFoundException") => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn statement(&self) -> String {
        format!("poolhouse-{}", self.pool)
    }

    async fn functions(
        &self,
        operation: &'static str,
        method: &'static str,
        function: &str,
        path: &str,
        body: String,
    ) -> Result<Bytes, Error> {
        // The name and, behind it, a version or alias; all of it plain signs.
        let mut parts = function.split(':').skip(6);
        let name = parts.next().unwrap_or_default();
        let qualifier = parts.next().map(|alias| format!("?Qualifier={}", alias.replace('$', "%24")));
        let target = format!("/2015-03-31/functions/{name}/policy{path}{}", qualifier.unwrap_or_default());
        let headers = vec![("content-type", "application/json".to_owned())];
        let service = Service::Functions;
        let call = Call { service, region: self.region, operation, method, target, headers, body };
        self.signed.call(&call, self.until).await
    }

    // ---- Whose the pool is

    /// The stack that made the pool. A pool carries no tag that says so for
    /// certain, but a stack can be asked for by what it made.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html>
    pub(crate) async fn owner(&self) -> Owner {
        let call = Call {
            service: Service::Stacks,
            region: self.region,
            operation: "DescribeStackResources",
            method: "POST",
            target: "/".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: format!("Action=DescribeStackResources&Version=2010-05-15&PhysicalResourceId={}", self.pool),
        };
        match self.signed.call(&call, self.until).await {
            Ok(answer) => stack_name(&String::from_utf8_lossy(&answer), self.pool).map_or(Owner::Nobody, Owner::Stack),
            Err(error) if error.is("ValidationError") => Owner::Nobody,
            Err(_) => Owner::Unknown,
        }
    }

    async fn json(
        &self,
        service: Service,
        prefix: &str,
        operation: &'static str,
        request: &Value,
    ) -> Result<Value, Error> {
        let call = Call {
            service,
            region: self.region,
            operation,
            method: "POST",
            target: "/".to_owned(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("{prefix}.{operation}")),
            ],
            body: request.to_string(),
        };
        let body = self.signed.call(&call, self.until).await?;
        if body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&body).map_err(|_| Error::Unreadable(operation))
    }
}

/// The answer lists all of the stack's resources, each with the stack's name.
fn stack_name(answer: &str, pool: &str) -> Option<String> {
    let member = answer.split("<member>").find(|member| member.contains(&format!(">{pool}<")))?;
    Some(member.split_once("<StackName>")?.1.split_once('<')?.0.to_owned())
}

/// Whether another update of the same pool is under way.
pub(crate) fn is_busy(error: &Error) -> bool {
    let busy = "Only one request to update this UserPool can be processed at a time";
    error.is("ConcurrentModificationException")
        || matches!(error, Error::Service { message, .. } if message.contains(busy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_of_the_pool_is_found_among_its_resources() {
        let member = |stack: &str, id: &str| {
            format!("<member><StackName>{stack}</StackName><PhysicalResourceId>{id}</PhysicalResourceId></member>")
        };
        let answer = format!("<StackResources>{}{}</StackResources>", member("a", "x"), member("a", "eu-west-1_P"));
        assert_eq!(stack_name(&answer, "eu-west-1_P").as_deref(), Some("a"));
        assert_eq!(stack_name(&answer, "eu-west-1_Q"), None);
        assert_eq!(stack_name("", "eu-west-1_P"), None);
    }
}
