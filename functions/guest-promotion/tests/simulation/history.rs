//! What guests and users wrote, and how to know it again wherever it is.

use std::collections::BTreeMap;

use records::schedule::Random;
use records::testing::{binaries, binary};
use records::{Item, Value, text};

/// Numbers from here on name a version; no other number in the table is so large.
const FIRST: u64 = 9_000_000_000_000;

/// Who wrote a version into his own partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    Guest(usize),
    User(usize),
}

/// An item as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) writer: Writer,
    pub(crate) item: Item,
    /// The turn in which it was written.
    pub(crate) born: u64,
    /// Overwritten or deleted by whoever may, or ended.
    pub(crate) gone: bool,
    /// Whether the user has had the very same from the beginning.
    pub(crate) twin: bool,
}

/// All versions by their numbers.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) versions: BTreeMap<u64, Version>,
    next: u64,
}

impl History {
    /// A number that no version has yet.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        FIRST + self.next
    }

    /// Notes what was written, and that what stood there is gone.
    pub(crate) fn write(&mut self, writer: Writer, born: u64, item: Item, stood: Option<&Item>) {
        self.end(stood);
        let Some(number) = number_of(&item) else { panic!("a version without a number: {item:?}") };
        self.versions.insert(number, Version { writer, item, born, gone: false, twin: false });
    }

    /// Notes that what stood there is gone.
    pub(crate) fn end(&mut self, stood: Option<&Item>) {
        let number = stood.and_then(number_of);
        if let Some(version) = number.and_then(|number| self.versions.get_mut(&number)) {
            version.gone = true;
        }
    }
}

/// The version that an item is: the highest number anywhere in it.
pub(crate) fn number_of(item: &Item) -> Option<u64> {
    item.iter().filter(|(name, _)| *name != "pk" && *name != "sk").filter_map(|(_, value)| in_value(value)).max()
}

fn in_value(value: &Value) -> Option<u64> {
    let named = |text: &str| text.strip_prefix("v#")?.split('#').next()?.parse().ok();
    let number = |text: &str| text.parse().ok().filter(|number| *number > FIRST);
    match value {
        Value::S(text) => named(text),
        Value::N(text) => number(text),
        Value::B(bytes) => named(std::str::from_utf8(bytes.as_ref()).ok()?),
        Value::Ss(all) => all.iter().filter_map(|text| named(text)).max(),
        Value::Ns(all) => all.iter().filter_map(|text| number(text)).max(),
        Value::Bs(all) => all.iter().filter_map(|bytes| named(std::str::from_utf8(bytes.as_ref()).ok()?)).max(),
        Value::L(all) => all.iter().filter_map(in_value).max(),
        Value::M(all) => all.values().filter_map(in_value).max(),
        _ => None,
    }
}

/// A value of some type that carries a version's number and so many bytes more.
pub(crate) fn carrier(random: &mut Random, number: u64, more: usize) -> Value {
    let named = format!("v#{number}#{}", "x".repeat(more));
    match random.below(9) {
        0 => Value::N(number.to_string()),
        1 => binary(named),
        2 => Value::Ss(vec![named, "b".to_owned(), "a".to_owned()]),
        3 => Value::Ns(vec![number.to_string(), "10".to_owned(), "9".to_owned()]),
        4 => binaries([named.into_bytes(), vec![0, 255]]),
        5 => Value::L(vec![text(named), Value::Bool(true), Value::Null(true), Value::L(vec![])]),
        6 => Value::M([("at".to_owned(), text(named)), ("é".to_owned(), Value::Bool(false))].into()),
        _ => text(named),
    }
}
