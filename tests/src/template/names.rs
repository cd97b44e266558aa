//! Which resources a part of a template names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{at, texts};

/// Collects what may be names of resources.
pub(super) fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(array) => array.iter().for_each(|value| collect_names(value, names)),
        Value::Object(object) => {
            for (key, value) in object {
                match key.as_str() {
                    "Ref" | "DependsOn" => names.extend(texts(value)),
                    "Fn::GetAtt" => names.extend(texts(at(value, "/0"))),
                    "Fn::Sub" => names.extend(substituted(value.as_str().unwrap_or_default())),
                    _ => collect_names(value, names),
                }
            }
        }
        _ => {}
    }
}

/// The names between `${` and `}`, without their attributes.
fn substituted(text: &str) -> impl Iterator<Item = String> {
    let names = text.split("${").skip(1).filter(|part| !part.starts_with('!'));
    names.filter_map(|part| part.split(['}', '.']).next()).map(str::to_owned)
}
