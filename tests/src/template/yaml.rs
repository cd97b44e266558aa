//! YAML as JSON, CloudFormation's short tags in their long form.

use anyhow::{Context as _, Result, bail};
use saphyr::{Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::text_of;

/// One YAML node as JSON.
pub(super) fn json_of(yaml: &Yaml<'_>) -> Result<Value> {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(sequence) => Value::Array(sequence.iter().map(json_of).collect::<Result<_>>()?),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                object.insert(text_of(&json_of(key)?)?, json_of(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, inner) => long_form(&tag.suffix, json_of(inner)?)?,
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => bail!("unreadable YAML: {yaml:?}"),
    })
}

fn long_form(tag: &str, value: Value) -> Result<Value> {
    Ok(match tag {
        "Ref" | "Condition" => json!({ tag: value }),
        "GetAtt" => {
            let text = text_of(&value)?;
            let (id, attribute) = text.split_once('.').context("GetAtt names an attribute")?;
            json!({ "Fn::GetAtt": [id, attribute] })
        }
        "Sub" | "Join" | "Split" | "Select" | "If" | "Not" | "And" | "Or" | "Equals" => {
            json!({ format!("Fn::{tag}"): value })
        }
        other => bail!("unknown tag !{other}"),
    })
}
