//! Reads `template.yaml`, so that tests can hold code and template together.
//!
//! The short tags of CloudFormation (`!Ref`, `!GetAtt`, ...) become the long
//! form that JSON templates have, and [`Template::resolve`] works them out with
//! the parameters' defaults and made-up names for what only a deployment knows.

mod attributes;
mod names;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::{Map, Value, json};

use crate::workspace_root;

use attributes::get_att;
use names::collect_names;
use yaml::json_of;

/// The account that every made-up ARN names.
pub const ACCOUNT: &str = "123456789012";

/// The region that every made-up ARN names.
pub const REGION: &str = "us-east-1";

/// The id of the identity pool here.
pub const IDENTITY_POOL: &str = "us-east-1:11111111-2222-4333-8444-555555555555";

/// The template, its parameters filled in.
#[derive(Clone, Debug)]
pub struct Template {
    root: Value,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Reads the project's template, every parameter at its default.
    pub fn read() -> Result<Self> {
        let path = workspace_root().join("template.yaml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::parse(&text)
    }

    /// Reads a template from its text.
    pub fn parse(text: &str) -> Result<Self> {
        let documents = Yaml::load_from_str(text).context("the template is not YAML")?;
        let [document] = documents.as_slice() else { bail!("a template is one document") };
        let root = json_of(document)?;
        let defaults = members(at(&root, "/Parameters")).filter_map(|(name, parameter)| {
            let default = parameter.get("Default")?;
            Some((name.clone(), typed(parameter, default)))
        });
        let parameters = defaults.collect();
        Ok(Self { root, parameters })
    }

    /// The same template, deployed with another value for one parameter.
    pub fn with(mut self, parameter: &str, value: &str) -> Result<Self> {
        let declared =
            at(&self.root, "/Parameters").get(parameter).with_context(|| format!("no parameter {parameter}"))?;
        let value = typed(declared, &json!(value));
        self.parameters.insert(parameter.to_owned(), value);
        Ok(self)
    }

    /// The project's template, deployed with these parameters.
    pub fn deployed(parameters: &[(&str, &str)]) -> Result<Self> {
        parameters.iter().try_fold(Self::read()?, |template, (name, value)| template.with(name, value))
    }

    /// One section of the template, as it is written.
    pub fn section(&self, name: &str) -> &Value {
        self.root.get(name).unwrap_or(&Value::Null)
    }

    /// Every resource by its logical id, as it is written.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        members(at(&self.root, "/Resources")).map(|(id, resource)| (id.as_str(), resource))
    }

    /// The resources of one type.
    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.resources().filter(move |(_, resource)| at(resource, "/Type") == kind)
    }

    /// One resource, as it is written.
    pub fn resource(&self, id: &str) -> Result<&Value> {
        at(&self.root, "/Resources").get(id).with_context(|| format!("no resource {id}"))
    }

    /// Whether a resource is made at all, its own condition regarded.
    pub fn is_made(&self, resource: &Value) -> Result<bool> {
        at(resource, "/Condition").as_str().map_or(Ok(true), |condition| self.condition(condition))
    }

    /// The resources that `id` names, whatever the conditions.
    pub fn named_by(&self, id: &str) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        collect_names(self.resource(id)?, &mut names);
        // What every function has stands in the globals.
        if at(self.resource(id)?, "/Type") == "AWS::Serverless::Function" {
            collect_names(at(&self.root, "/Globals/Function"), &mut names);
        }
        names.retain(|name| self.resource(name).is_ok());
        Ok(names)
    }

    /// The resources that a part of the template names in this deployment: only
    /// the branches that are taken count.
    pub fn needs(&self, part: &Value) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        collect_names(&self.taken(part)?, &mut names);
        names.retain(|name| self.resource(name).is_ok());
        Ok(names)
    }

    /// A part of the template with each `Fn::If` replaced by what it gives.
    fn taken(&self, part: &Value) -> Result<Value> {
        Ok(match part {
            Value::Object(object) => match sole(object) {
                Some(("Fn::If", branches)) => {
                    let holds = self.condition(&text_of(at(branches, "/0"))?)?;
                    self.taken(at(branches, if holds { "/1" } else { "/2" }))?
                }
                _ => {
                    let taken = object.iter().map(|(key, value)| Ok((key.clone(), self.taken(value)?)));
                    Value::Object(taken.collect::<Result<_>>()?)
                }
            },
            Value::Array(array) => Value::Array(array.iter().map(|value| self.taken(value)).collect::<Result<_>>()?),
            plain => plain.clone(),
        })
    }

    /// The environment that a function is deployed with.
    pub fn environment(&self, function: &str) -> Result<BTreeMap<String, String>> {
        let own = at(self.resource(function)?, "/Properties/Environment/Variables");
        let common = at(&self.root, "/Globals/Function/Environment/Variables");
        let mut environment = BTreeMap::new();
        for (key, value) in members(common).chain(members(own)) {
            let value = self.resolve(value)?;
            if !value.is_null() {
                environment.insert(key.clone(), text_of(&value)?);
            }
        }
        Ok(environment)
    }

    /// All that IAM lets a role do: its own policies and those attached to it.
    pub fn statements(&self, role: &str) -> Result<Vec<Value>> {
        let mut documents = Vec::new();
        for policy in items(at(self.resource(role)?, "/Properties/Policies")) {
            documents.push(at(policy, "/PolicyDocument"));
        }
        let apart = self.of_type("AWS::IAM::Policy").chain(self.of_type("AWS::IAM::ManagedPolicy"));
        for (_, policy) in apart {
            let hangs_on_it = items(at(policy, "/Properties/Roles")).any(|named| at(named, "/Ref") == role);
            if hangs_on_it && self.is_made(policy)? {
                documents.push(at(policy, "/Properties/PolicyDocument"));
            }
        }
        let mut statements = Vec::new();
        for document in documents {
            statements.extend(items(at(&self.resolve(document)?, "/Statement")).cloned());
        }
        Ok(statements)
    }

    /// Works out the intrinsic functions in `value`.
    pub fn resolve(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Object(object) => match sole(object) {
                Some(("Ref", name)) => self.reference(&text_of(name)?),
                Some(("Fn::GetAtt", attribute)) => get_att(attribute),
                Some(("Fn::Sub", text)) => self.substitute(&text_of(text)?),
                Some(("Fn::Join", parts)) => self.join(parts),
                Some(("Fn::Split", parts)) => self.split(parts),
                Some(("Fn::Select", parts)) => self.select(parts),
                Some(("Fn::If", branches)) => {
                    let holds = self.condition(&text_of(at(branches, "/0"))?)?;
                    self.resolve(at(branches, if holds { "/1" } else { "/2" }))
                }
                _ => {
                    let mut resolved = Map::new();
                    for (key, value) in object {
                        let value = self.resolve(value)?;
                        if !value.is_null() {
                            resolved.insert(key.clone(), value);
                        }
                    }
                    Ok(Value::Object(resolved))
                }
            },
            Value::Array(array) => {
                let resolved = array.iter().map(|value| self.resolve(value));
                let kept = resolved.filter(|value| !matches!(value, Ok(Value::Null)));
                kept.collect::<Result<Vec<_>>>().map(Value::Array)
            }
            plain => Ok(plain.clone()),
        }
    }

    /// Whether a condition holds.
    pub fn condition(&self, name: &str) -> Result<bool> {
        let condition = at(&self.root, "/Conditions").get(name).with_context(|| format!("no condition {name}"))?;
        self.holds(condition)
    }

    fn holds(&self, condition: &Value) -> Result<bool> {
        let object = condition.as_object().context("a condition is an object")?;
        match sole(object) {
            Some(("Condition", name)) => self.condition(&text_of(name)?),
            Some(("Fn::Not", inner)) => Ok(!self.holds(at(inner, "/0"))?),
            Some(("Fn::And", all)) => {
                let each = items(all).map(|one| self.holds(one)).collect::<Result<Vec<_>>>()?;
                Ok(each.into_iter().all(|held| held))
            }
            Some(("Fn::Or", any)) => {
                let each = items(any).map(|one| self.holds(one)).collect::<Result<Vec<_>>>()?;
                Ok(each.into_iter().any(|held| held))
            }
            Some(("Fn::Equals", pair)) => {
                Ok(text_of(&self.resolve(at(pair, "/0"))?)? == text_of(&self.resolve(at(pair, "/1"))?)?)
            }
            _ => bail!("unknown condition {condition}"),
        }
    }

    fn reference(&self, name: &str) -> Result<Value> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        Ok(match name {
            "AWS::NoValue" => Value::Null,
            "AWS::AccountId" => json!(ACCOUNT),
            "AWS::Region" => json!(REGION),
            "AWS::Partition" => json!("aws"),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            "AWS::StackName" => json!("stack"),
            id => match self.resource(id)? {
                // The kinds here that are not named by what CloudFormation makes up.
                queue if at(queue, "/Type") == "AWS::SQS::Queue" => {
                    json!(format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{id}"))
                }
                provider if at(provider, "/Type") == "AWS::Cognito::UserPoolIdentityProvider" => {
                    self.resolve(at(provider, "/Properties/ProviderName"))?
                }
                pool if at(pool, "/Type") == "AWS::Cognito::IdentityPool" => json!(IDENTITY_POOL),
                _ => json!(id),
            },
        })
    }

    fn substitute(&self, text: &str) -> Result<Value> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').context("an unclosed ${")?;
            out.push_str(before);
            let value = match (name.strip_prefix('!'), name.split_once('.')) {
                // What IAM fills in later.
                (Some(literal), _) => json!(format!("${{{literal}}}")),
                (None, None) => self.reference(name)?,
                (None, Some((id, attribute))) => get_att(&json!([id, attribute]))?,
            };
            out.push_str(&text_of(&value)?);
            rest = tail;
        }
        out.push_str(rest);
        Ok(json!(out))
    }

    fn join(&self, parts: &Value) -> Result<Value> {
        let separator = text_of(at(parts, "/0"))?;
        let list = self.resolve(at(parts, "/1"))?;
        let texts = items(&list).map(text_of).collect::<Result<Vec<_>>>()?;
        Ok(json!(texts.join(&separator)))
    }

    fn split(&self, parts: &Value) -> Result<Value> {
        let separator = text_of(at(parts, "/0"))?;
        let text = text_of(&self.resolve(at(parts, "/1"))?)?;
        Ok(text.split(&separator).collect())
    }

    fn select(&self, parts: &Value) -> Result<Value> {
        let index: usize = text_of(at(parts, "/0"))?.parse()?;
        let list = self.resolve(at(parts, "/1"))?;
        items(&list).nth(index).cloned().with_context(|| format!("no entry {index} in {list}"))
    }
}

/// What lies at a JSON pointer; null when nothing does.
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// The entries of a list; a single value counts as a list of one, nothing as none.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(array) => array.as_slice(),
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
    .iter()
}

/// The texts of a list, in order.
pub fn texts(value: &Value) -> BTreeSet<String> {
    items(value).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The entries of an object; nothing else has any.
pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The only member of an object with one: how intrinsic functions look.
fn sole(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    let (name, value) = entries.next()?;
    entries.next().is_none().then_some((name.as_str(), value))
}

/// A parameter's value as the template sees it: a list where the type says so.
fn typed(parameter: &Value, value: &Value) -> Value {
    match (at(parameter, "/Type").as_str(), value.as_str()) {
        (Some("CommaDelimitedList"), Some(text)) => text.split(',').map(str::trim).collect(),
        _ => value.clone(),
    }
}

fn text_of(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => bail!("{other} is no text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
Parameters:
  Size: { Type: Number, Default: 3 }
  Names: { Type: CommaDelimitedList, Default: "a, b" }
Conditions:
  Big: !Not [!Equals [!Ref Size, "3"]]
  BigOrNot: !Or [!Condition Big, !Equals [!Ref Size, "3"]]
Globals: { Function: { Environment: { Variables: { LEVEL: info } } } }
Resources:
  ThingTable: { Type: T }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment: { Variables: { SIZE: !Ref Size, TABLE: !Sub "${ThingTable.Arn}/x" } }
  Other:
    Type: T
    Names: !Join ["+", !Ref Names]
    Big: !If [Big, yes-it-is, !Ref AWS::NoValue]
    Second: !Select [1, !Split ["+", !Join ["+", !Ref Names]]]
    Later: !Sub "${ThingTable.Arn}/${!aws:PrincipalTag/subject}"
  Rare: { Type: T, Condition: Big }
"#;

    #[test]
    fn short_tags_are_worked_out() {
        let template = Template::parse(TEXT).unwrap();
        let other = template.resolve(template.resource("Other").unwrap()).unwrap();
        let later = "arn:aws:dynamodb:us-east-1:123456789012:table/ThingTable/${aws:PrincipalTag/subject}";
        assert_eq!(other, json!({"Type": "T", "Names": "a+b", "Second": "b", "Later": later}));
        assert!(template.condition("BigOrNot").unwrap());
        assert!(!template.is_made(template.resource("Rare").unwrap()).unwrap());
        let big = template.clone().with("Size", "4").unwrap();
        assert!(big.is_made(big.resource("Rare").unwrap()).unwrap());
        assert!(big.is_made(big.resource("Other").unwrap()).unwrap());
        assert_eq!(big.resolve(big.resource("Other").unwrap()).unwrap()["Big"], "yes-it-is");
        let environment = template.environment("F").unwrap();
        assert_eq!(environment["LEVEL"], "info");
        assert_eq!(environment["SIZE"], "3");
        assert_eq!(environment["TABLE"], "arn:aws:dynamodb:us-east-1:123456789012:table/ThingTable/x");
        assert_eq!(template.named_by("F").unwrap(), BTreeSet::from(["ThingTable".to_owned()]));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["a: !Cidr x", "a: [", "a: 1\n---\nb: 2"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        let template = Template::parse("Resources: { A: { B: !Ref Nowhere } }").unwrap();
        assert!(template.resolve(template.resource("A").unwrap()).is_err());
        assert!(template.with("Nothing", "x").is_err());
    }
}
