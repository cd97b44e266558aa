//! Reads the real template and writes the copy that is deployed.
//!
//! `sam build` replaces each function's `CodeUri` by the folder of its built
//! artefact and leaves everything else alone; so does this, without building
//! for release.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/using-sam-cli-build.html>

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

/// What a template says about artefacts, by the resource's logical id.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Artefacts {
    /// Functions and the binary that each of them runs.
    pub functions: BTreeMap<String, String>,
    /// Layers and the folder that each of them carries, relative to the template.
    pub layers: BTreeMap<String, String>,
}

/// The parts of a resource that say where its artefact comes from.
#[derive(Default)]
struct Resource<'a> {
    name: &'a str,
    kind: Option<&'a str>,
    binary: Option<&'a str>,
    folder: Option<&'a str>,
}

impl Artefacts {
    /// Finds the functions and layers of a template. One that does not say
    /// what it runs is an error, not left out.
    pub fn read(template: &str) -> Result<Self> {
        let mut found = Self::default();
        for resource in resources(template) {
            match (resource.kind, resource.binary, resource.folder) {
                (Some("AWS::Serverless::Function"), Some(binary), Some(_)) => {
                    found.functions.insert(resource.name.to_owned(), binary.to_owned());
                }
                (Some("AWS::Serverless::LayerVersion"), _, Some(folder)) => {
                    found.layers.insert(resource.name.to_owned(), folder.to_owned());
                }
                (Some("AWS::Serverless::Function" | "AWS::Serverless::LayerVersion"), ..) => {
                    bail!("template.yaml does not say which binary or folder {} carries", resource.name)
                }
                _ => {}
            }
        }
        if found.functions.is_empty() {
            bail!("template.yaml holds no function");
        }
        Ok(found)
    }
}

/// A parameter of a template.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The default, where it is a number.
    pub number: Option<String>,
}

/// The template with the default of each `Number` parameter in place of a user
/// pool's and its clients' references to it.
///
/// CloudFormation gives them the number; the local AWS gives them the number's
/// text, which it cannot compare with the length of a password, and which no SDK
/// can read.
pub fn with_numbers(template: &str) -> String {
    let known = parameters(template);
    let number = |value: &str| {
        let name = value.strip_prefix("!Ref ")?;
        known.iter().find(|parameter| parameter.name == name)?.number.as_deref()
    };
    let (mut of_a_pool, mut written) = (false, String::with_capacity(template.len()));
    for line in template.lines() {
        match key_value(line) {
            Some((0 | 2, ..)) => of_a_pool = false,
            Some((4, "Type", kind)) => of_a_pool = kind.starts_with("AWS::Cognito::UserPool"),
            _ => {}
        }
        match key_value(line).and_then(|(_, _, value)| Some((value, number(value)?))) {
            Some((value, number)) if of_a_pool => {
                written.push_str(line.trim_end().strip_suffix(value).unwrap_or(line));
                written.push_str(number);
            }
            _ => written.push_str(line),
        }
        written.push('\n');
    }
    written
}

/// The template with each artefact's folder in place of its source.
pub fn with_artefacts(template: &str, folder_of: impl Fn(&str) -> std::path::PathBuf) -> String {
    let mut resource = "";
    let mut inside = false;
    let mut written = String::with_capacity(template.len());
    for line in template.lines() {
        (inside, resource) = position(line, inside, resource);
        match key_value(line) {
            Some((4.., key @ ("CodeUri" | "ContentUri"), _)) if inside => {
                let indent: String = line.chars().take_while(|sign| *sign == ' ').collect();
                written.push_str(&format!("{indent}{key}: {}", quoted(&folder_of(resource))));
            }
            _ => written.push_str(line),
        }
        written.push('\n');
    }
    written
}

/// The template's parameters.
pub fn parameters(template: &str) -> Vec<Parameter> {
    let section = template.lines().skip_while(|line| !line.starts_with("Parameters:")).skip(1);
    let lines = section.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let (mut all, mut numeric): (Vec<Parameter>, _) = (Vec::new(), false);
    for (indent, key, value) in lines.filter_map(key_value) {
        match (indent, key, all.last_mut()) {
            (2, name, _) => all.push(Parameter { name: name.to_owned(), number: None }),
            (4, "Type", _) => numeric = value == "Number",
            (4, "Default", Some(parameter)) if numeric => parameter.number = Some(value.to_owned()),
            _ => {}
        }
    }
    all
}

fn resources(template: &str) -> Vec<Resource<'_>> {
    let (mut inside, mut name) = (false, "");
    let mut all: Vec<Resource<'_>> = Vec::new();
    for line in template.lines() {
        let before = name;
        (inside, name) = position(line, inside, name);
        if inside && name != before {
            all.push(Resource { name, ..Resource::default() });
        }
        let (Some(resource), Some((indent, key, value)), true) = (all.last_mut(), key_value(line), inside) else {
            continue;
        };
        match key {
            "Type" if indent == 4 => resource.kind = Some(value),
            "Binary" => resource.binary = Some(value),
            "CodeUri" | "ContentUri" => resource.folder = Some(value),
            _ => {}
        }
    }
    all
}

/// Whether a line lies among the resources, and in which of them.
fn position<'a>(line: &'a str, inside: bool, resource: &'a str) -> (bool, &'a str) {
    match key_value(line) {
        Some((0, key, _)) => (key == "Resources", ""),
        Some((2, key, "")) if inside => (true, key),
        _ => (inside, resource),
    }
}

/// A line `key: value` with its indent; comments and list items are none.
fn key_value(line: &str) -> Option<(usize, &str, &str)> {
    let text = line.trim_start_matches(' ');
    let (key, value) = text.split_once(':')?;
    let plain = !key.is_empty() && key.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_');
    plain.then(|| (line.len() - text.len(), key, value.trim()))
}

/// A path as a YAML text, whatever it holds.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "\
Parameters:
  # ---- Functions
  LogLevel:
    Type: String
    Default: info

  Days:
    Type: Number
    Default: 3
  KeySetUrl:
    Type: String
    Default: 5
Globals:
  Function:
    Runtime: provided.al2023
Resources:
  # one layer
  RulesLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: rules/
  SignUpFunction:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties:
        Binary: pre-sign-up
    Properties:
      CodeUri: functions/pre-sign-up
      Role: !GetAtt Role.Arn
      Timeout: !Ref Days
      Level: !Ref LogLevel
      Text: !Sub ${Days}
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      MinimumLength: !Ref Days
      Tier: !Ref LogLevel
  Table:
    Type: AWS::DynamoDB::Table
Outputs:
  CodeUri:
    Value: !Ref Days
";

    #[test]
    fn functions_and_layers_are_found_with_what_they_carry() {
        let found = Artefacts::read(TEMPLATE).unwrap();
        assert_eq!(found.functions.into_iter().collect::<Vec<_>>(), [("SignUpFunction".into(), "pre-sign-up".into())]);
        assert_eq!(found.layers.into_iter().collect::<Vec<_>>(), [("RulesLayer".into(), "rules/".into())]);
        let named = parameters(TEMPLATE);
        let named: Vec<_> = named.iter().map(|one| (one.name.as_str(), one.number.as_deref())).collect();
        assert_eq!(named, [("LogLevel", None), ("Days", Some("3")), ("KeySetUrl", None)]);
    }

    #[test]
    fn a_function_without_a_binary_is_named() {
        let error = Artefacts::read(&TEMPLATE.replace("Binary:", "Other:")).unwrap_err().to_string();
        assert!(error.contains("SignUpFunction"), "{error}");
    }

    fn changed(written: &str) -> Vec<(&str, &str)> {
        assert_eq!(written.lines().count(), TEMPLATE.lines().count());
        written.lines().zip(TEMPLATE.lines()).filter(|(new, old)| new != old).collect()
    }

    #[test]
    fn only_the_sources_are_replaced() {
        let written = with_artefacts(TEMPLATE, |name| format!("/it's/{name}").into());
        let expected = [
            ("      ContentUri: '/it''s/RulesLayer'", "      ContentUri: rules/"),
            ("      CodeUri: '/it''s/SignUpFunction'", "      CodeUri: functions/pre-sign-up"),
        ];
        assert_eq!(changed(&written), expected);
    }

    #[test]
    fn only_a_pools_references_to_numbers_become_numbers() {
        let written = with_numbers(TEMPLATE);
        assert_eq!(changed(&written), [("      MinimumLength: 3", "      MinimumLength: !Ref Days")]);
    }
}
