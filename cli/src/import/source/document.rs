//! One JSON document: an object with an array `users`, or several such in an
//! array, as an export of all realms is. Everything else in it is passed over
//! without being held.

use std::fmt;
use std::io::BufRead;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::bounded::{Bounded, NextRow};
use super::{Fields, Row};

pub(super) fn read<R: BufRead>(reader: Bounded<R>, take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), String> {
    let mut walk = Walk { next_row: reader.next_row(), take, number: 0, users: 0, ended: false };
    let mut json = serde_json::Deserializer::from_reader(reader);
    let result = Realms(&mut walk).deserialize(&mut json).and_then(|()| json.end());
    match result {
        _ if walk.ended => Ok(()),
        Ok(()) if walk.users == 0 => Err("there is no array \"users\" in it".to_owned()),
        Ok(()) => Ok(()),
        Err(error) => Err(message(&error)),
    }
}

/// Where the walk is.
struct Walk<'a> {
    next_row: NextRow,
    take: &'a mut dyn FnMut(Row) -> ControlFlow<()>,
    number: u64,
    /// How many arrays of users there were.
    users: u64,
    /// Whether nobody wants more; what follows is an error that nobody sees.
    ended: bool,
}

impl Walk<'_> {
    fn users<'de, A: SeqAccess<'de>>(&mut self, mut users: A) -> Result<(), A::Error> {
        self.users += 1;
        loop {
            self.next_row.begins();
            let Some(user) = users.next_element::<Box<RawValue>>()? else { break };
            self.number += 1;
            let fields = serde_json::from_str(user.get()).ok().map(Fields::of_object);
            if (self.take)(Row { number: self.number, fields }).is_break() {
                self.ended = true;
                return Err(A::Error::custom("enough"));
            }
        }
        self.next_row.passes_over();
        Ok(())
    }

    fn realm<'de, A: MapAccess<'de>>(&mut self, mut realm: A) -> Result<(), A::Error> {
        while let Some(name) = realm.next_key::<String>()? {
            if name == "users" {
                realm.next_value_seed(Users(self))?;
            } else {
                realm.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A realm, or an array of realms.
struct Realms<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Realms<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.next_row.passes_over();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Realms<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with an array \"users\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, realm: A) -> Result<(), A::Error> {
        self.0.realm(realm)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut realms: A) -> Result<(), A::Error> {
        while realms.next_element_seed(Realms(self.0))?.is_some() {}
        Ok(())
    }
}

/// The array of users.
struct Users<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Users<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Users<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, users: A) -> Result<(), A::Error> {
        self.0.users(users)
    }
}

/// The crate's own texts could quote the file.
fn message(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Io => error.to_string(),
        serde_json::error::Category::Eof => format!("the document ends too early, at line {line}"),
        serde_json::error::Category::Syntax => format!("this is not JSON at line {line}, column {column}"),
        serde_json::error::Category::Data => {
            format!("line {line}, column {column} is not what an object with an array \"users\" has there")
        }
    }
}
