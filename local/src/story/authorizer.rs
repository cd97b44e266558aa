//! Asks the authorizer itself why it refuses.
//!
//! The caller of the API hears 403 and no more. So that the story can tell
//! whether a refusal has the right reason, the operator puts the same request to
//! the function once more and reads the line that it logs.

use anyhow::{Context, Result, bail};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::token::Token;
use crate::cloud::REGION;
use crate::deploy::STACK;

/// How often it is asked until its log is seen.
const TRIES: usize = 10;

/// The deployed authorizer.
#[derive(Debug)]
pub(super) struct Authorizer {
    lambda: aws_sdk_lambda::Client,
    function: String,
    api: String,
}

impl Authorizer {
    /// Finds the function by its name in the template.
    pub(super) async fn find(owner: &aws_config::SdkConfig, api: &str) -> Result<Self> {
        let lambda = aws_sdk_lambda::Client::new(owner);
        let all = lambda.list_functions().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?;
        let mut names = all.into_iter().filter_map(|function| function.function_name);
        // The examples have one each, in stacks of their own.
        let own = format!("{STACK}-AuthorizerFunction-");
        let function = names.find(|name| name.starts_with(&own)).context("there is no authorizer")?;
        Ok(Self { lambda, function, api: api.to_owned() })
    }

    /// The reason code that it logs for this request. The local AWS collects a
    /// log for a tenth of a second only, in which a busy machine may have written
    /// none: then it is asked again.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>
    pub(super) async fn reason(&self, method: &str, path: &str, token: &Token) -> Result<String> {
        let header = format!("Bearer {}", token.as_str());
        let event = json!({
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": format!("arn:aws:execute-api:{REGION}:000000000000:{}/$default/{method}{path}", self.api),
            "identitySource": [header],
            "rawPath": path,
            "headers": { "authorization": header },
            "requestContext": { "http": { "method": method, "path": path } },
        });
        for _ in 0..TRIES {
            if let Some(code) = self.logged(&event).await? {
                return Ok(code);
            }
        }
        bail!("the authorizer logged no reason")
    }

    /// The code in the last line that is logged for an event, if one is seen.
    async fn logged(&self, event: &Value) -> Result<Option<String>> {
        let call = self.lambda.invoke().function_name(&self.function).log_type(LogType::Tail);
        let output =
            call.payload(Blob::new(event.to_string())).send().await.context("the authorizer gives no answer")?;
        let log = STANDARD.decode(output.log_result.unwrap_or_default())?;
        let log = String::from_utf8_lossy(&log);
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(lines.filter_map(|line| line.get("code")?.as_str().map(str::to_owned)).next_back())
    }
}
