//! Items, and how DynamoDB measures and compares them.

use std::collections::HashMap;

pub use aws_sdk_dynamodb::types::AttributeValue as Value;

use crate::{PK, SK};

/// An item: its attributes by name.
pub type Item = HashMap<String, Value>;

/// A text.
pub fn text(text: impl Into<String>) -> Value {
    Value::S(text.into())
}

/// A whole number.
pub fn number(number: u64) -> Value {
    Value::N(number.to_string())
}

/// The key of an item; `None` when it is not made of two texts.
pub fn key_of(item: &Item) -> Option<(&str, &str)> {
    let part = |name: &str| item.get(name)?.as_s().ok().map(String::as_str);
    Some((part(PK)?, part(SK)?))
}

/// The size of an item as DynamoDB counts it. Of numbers its page says
/// "approximately".
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// Of a list or a map: three bytes, and one for each member.
const CONTAINER: usize = 3;

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::S(text) => text.len(),
        Value::N(number) => number_bytes(number),
        Value::B(bytes) => bytes.as_ref().len(),
        Value::Ss(texts) => texts.iter().map(String::len).sum(),
        Value::Ns(numbers) => numbers.iter().map(|number| number_bytes(number)).sum(),
        Value::Bs(all) => all.iter().map(|bytes| bytes.as_ref().len()).sum(),
        Value::L(values) => CONTAINER + values.iter().map(|value| 1 + value_bytes(value)).sum::<usize>(),
        Value::M(members) => {
            CONTAINER + members.iter().map(|(name, value)| 1 + name.len() + value_bytes(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// Two digits in a byte on either side of the point, one byte more, and one for a
/// sign. Zeros at either end do not count.
fn number_bytes(number: &str) -> usize {
    let mantissa = number.trim_start_matches(['-', '+']).split(['e', 'E']).next().unwrap_or_default();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
    let fraction = if whole.is_empty() { fraction.trim_start_matches('0') } else { fraction };
    whole.len().div_ceil(2) + fraction.len().div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}

/// Whether two items hold the same, but for the attributes that are left out.
/// Sets are compared without order, as DynamoDB does.
pub fn same(one: &Item, other: &Item, except: &[&str]) -> bool {
    let counted = |item: &Item| item.keys().filter(|name| !except.contains(&name.as_str())).count();
    counted(one) == counted(other)
        && one
            .iter()
            .filter(|(name, _)| !except.contains(&name.as_str()))
            .all(|(name, value)| other.get(name).is_some_and(|found| same_value(value, found)))
}

pub(crate) fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Ss(one), Value::Ss(other)) | (Value::Ns(one), Value::Ns(other)) => {
            one.len() == other.len() && one.iter().all(|member| other.contains(member))
        }
        (Value::Bs(one), Value::Bs(other)) => {
            one.len() == other.len() && one.iter().all(|member| other.contains(member))
        }
        (Value::L(one), Value::L(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::M(one), Value::M(other)) => same(one, other, &[]),
        _ => one == other,
    }
}
