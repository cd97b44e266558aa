//! Changes of recorded events.

use serde_json::Value;

/// The event with one member set.
pub fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(object) = event.pointer_mut(parent).and_then(Value::as_object_mut) {
        object.insert(name.to_owned(), value);
    }
    event
}

/// The event without one member.
pub fn without(mut event: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    if let Some(object) = event.pointer_mut(parent).and_then(Value::as_object_mut) {
        object.remove(name);
    }
    event
}
