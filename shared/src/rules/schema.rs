//! The JSON Schema of the rule file, for editors.

use serde_json::Value;

use super::RuleFile;

/// The schema. Draft 7 is what editors of TOML understand.
pub fn schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<RuleFile>().to_value();
    drop_null(&mut schema);
    schema
}

/// TOML has no null: what may be left out is left out.
fn drop_null(schema: &mut Value) {
    let null = Value::from("null");
    match schema {
        Value::Array(items) => items.iter_mut().for_each(drop_null),
        Value::Object(members) => {
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|kind| *kind != null);
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&null));
            }
            members.values_mut().for_each(drop_null);
        }
        _ => {}
    }
}
