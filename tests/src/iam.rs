//! Puts the template's policy documents to an IAM evaluator that is not ours.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use iam_rs::{Arn, Context, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use serde_json::{Value, json};

use crate::template::{ACCOUNT, Template, items, texts};

/// What a role may do, as IAM would see it.
#[derive(Clone, Debug)]
pub struct Role(Vec<Value>);

impl Role {
    /// The policies of a role of the template, its own and those attached.
    pub fn of(template: &Template, id: &str) -> Result<Self> {
        template.statements(id).map(Self)
    }

    /// Whether the role may take `action` on `resource` in a context.
    pub fn may(&self, action: &str, resource: &str, context: &Context) -> Result<bool> {
        let principal = Principal::Aws(PrincipalId::String(format!("arn:aws:iam::{ACCOUNT}:role/any")));
        allows(&self.0, principal, action, resource, context)
    }

    /// What the role may do in a context, to be asked often.
    pub fn within<'a>(&self, context: &'a Context) -> Result<Document<'a>> {
        Document::of(&self.0, context)
    }

    /// Every action that some statement names.
    pub fn actions(&self) -> BTreeSet<String> {
        self.0.iter().flat_map(|statement| texts(statement.get("Action").unwrap_or(&Value::Null))).collect()
    }
}

/// Who may take a role, as statements that the evaluator can be asked about.
pub fn trust(template: &Template, role: &str) -> Result<Vec<Value>> {
    let document = template.resource(role)?.pointer("/Properties/AssumeRolePolicyDocument/Statement");
    let mut statements: Vec<Value> =
        items(&template.resolve(document.context("a role has a trust policy")?)?).cloned().collect();
    for statement in statements.iter_mut().filter_map(Value::as_object_mut) {
        // A trust policy is about the role that it hangs on.
        statement.insert("Resource".to_owned(), json!("*"));
    }
    Ok(statements)
}

/// Whether statements let a principal take an action.
pub fn allows(
    statements: &[Value],
    principal: Principal,
    action: &str,
    resource: &str,
    context: &Context,
) -> Result<bool> {
    Document::of(statements, context)?.allows(principal, action, resource)
}

/// Statements that are asked about many requests of one context.
#[derive(Debug)]
pub struct Document<'a> {
    evaluator: PolicyEvaluator,
    context: &'a Context,
}

impl<'a> Document<'a> {
    /// Reads statements, with the context's values in place of their variables.
    pub fn of(statements: &[Value], context: &'a Context) -> Result<Self> {
        let filled = statements.iter().map(|statement| fill_in(statement, context)).collect::<Result<Vec<Value>>>()?;
        let document = json!({ "Version": "2012-10-17", "Statement": filled });
        let document: IAMPolicy = serde_json::from_value(document)?;
        Ok(Self { evaluator: PolicyEvaluator::with_policies(vec![document]), context })
    }

    /// Whether they let a principal take an action.
    pub fn allows(&self, principal: Principal, action: &str, resource: &str) -> Result<bool> {
        let resource = Arn::parse(resource)?;
        let request = IAMRequest::new_with_context(principal, action, resource, self.context.clone());
        Ok(self.evaluator.evaluate(&request)?.decision == Decision::Allow)
    }
}

/// The evaluator fills in variables in resources only; in conditions it is done
/// here, with its own function. An absent variable becomes nothing, which is
/// laxer than IAM.
fn fill_in(statement: &Value, context: &Context) -> Result<Value> {
    let mut statement = statement.clone();
    let Some(operators) = statement.get_mut("Condition").and_then(Value::as_object_mut) else { return Ok(statement) };
    for (_, keys) in operators.iter_mut() {
        for (_, wanted) in keys.as_object_mut().context("a condition names keys")?.iter_mut() {
            let filled = items(wanted).map(|text| {
                let text = text.as_str().context("conditions hold texts")?;
                Ok(json!(iam_rs::interpolate_variables(text, context)?))
            });
            *wanted = match filled.collect::<Result<Vec<_>>>()? {
                one if one.len() == 1 => one.into_iter().next().unwrap_or_default(),
                many => Value::Array(many),
            };
        }
    }
    Ok(statement)
}
