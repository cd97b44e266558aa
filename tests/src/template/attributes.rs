//! What a deployment would make up.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{ACCOUNT, REGION, at, text_of};

/// Made-up values of the attributes that the template asks for.
pub(super) fn get_att(attribute: &Value) -> Result<Value> {
    let (id, name) = (text_of(at(attribute, "/0"))?, text_of(at(attribute, "/1"))?);
    let place = format!("{REGION}:{ACCOUNT}");
    let made_up = match name.as_str() {
        "ProviderName" => format!("cognito-idp.{REGION}.amazonaws.com/{REGION}_{id}"),
        "Arn" if id.ends_with("Table") => format!("arn:aws:dynamodb:{place}:table/{id}"),
        "StreamArn" if id.ends_with("Table") => {
            format!("arn:aws:dynamodb:{place}:table/{id}/stream/2026-01-01T00:00:00.000")
        }
        "Arn" if id.ends_with("Queue") => format!("arn:aws:sqs:{place}:{id}"),
        "QueueName" => id,
        "Arn" if id.ends_with("Role") => format!("arn:aws:iam::{ACCOUNT}:role/{id}"),
        "Arn" if id.ends_with("Function") => format!("arn:aws:lambda:{place}:function:{id}"),
        "Arn" if id.ends_with("Bucket") => format!("arn:aws:s3:::{}", id.to_lowercase()),
        "Arn" if id.ends_with("Logs") => format!("arn:aws:logs:{place}:log-group:{id}:*"),
        "Arn" if id == "UserPool" => format!("arn:aws:cognito-idp:{place}:userpool/{REGION}_{id}"),
        _ => bail!("{id}.{name} is not known here"),
    };
    Ok(json!(made_up))
}
