//! The values of a TOML document as the types of the rules.
//!
//! The TOML reader has a way of its own, which is written anew for each of some sixty
//! types: it was a tenth of a whole package. This one does no more than rules need.

use std::fmt;
use std::ops::Range;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A value that does not fit.
#[derive(Debug)]
pub(super) struct Unfit(Box<Details>);

#[derive(Debug)]
struct Details {
    message: String,
    span: Option<Range<usize>>,
}

impl Unfit {
    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    pub(super) fn span(&self) -> Option<Range<usize>> {
        self.0.span.clone()
    }

    /// Says where, unless something within has said it.
    fn within(mut self, span: Range<usize>) -> Self {
        self.0.span.get_or_insert(span);
        self
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Unfit {}

impl serde::de::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Details { message: message.to_string(), span: None }))
    }
}

/// One value of a document that outlives what is read of it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(pub(super) &'a Spanned<DeValue<'a>>);

type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

impl<'a> Node<'a> {
    fn value(self) -> &'a DeValue<'a> {
        self.0.get_ref()
    }

    /// What a value is that has no other values in it.
    fn scalar(self) -> Result<Scalar<'a>, Unfit> {
        let too_large = || Unfit::custom("the number is too large, or none").within(self.0.span());
        match self.value() {
            DeValue::String(text) => Ok(Scalar::Text(text)),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).map(Scalar::Integer).map_err(|_| too_large())
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(read) if read.is_finite() => Ok(Scalar::Float(read)),
                // Infinity and what is no number mean nothing in a rule.
                _ => Err(too_large()),
            },
            DeValue::Boolean(set) => Ok(Scalar::Boolean(*set)),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => Ok(Scalar::Date),
        }
    }
}

#[derive(Clone, Copy)]
enum Scalar<'a> {
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Nothing in a rule file is one.
    Date,
}

impl<'a> Deserializer<'a> for Node<'a> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.value() {
            DeValue::Array(items) => visitor.visit_seq(Items(items.iter())),
            DeValue::Table(table) => visitor.visit_map(Members { entries: Entries::of(table), value: None }),
            _ => match self.scalar()? {
                Scalar::Text(text) => visitor.visit_borrowed_str(text),
                Scalar::Integer(number) => visitor.visit_i64(number),
                Scalar::Float(number) => visitor.visit_f64(number),
                Scalar::Boolean(set) => visitor.visit_bool(set),
                Scalar::Date => Err(Unfit::invalid_type(Unexpected::Other("date"), &visitor)),
            },
        }
    }

    /// What is not there is not asked about.
    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    /// A text, or a table with the variant as its only key.
    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let mut entries = match self.value() {
            DeValue::String(text) => return visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            DeValue::Table(table) => Entries::of(table),
            _ => return Err(Unfit::custom("wanted string or table")),
        };
        match (entries.next(), entries.next()) {
            (Some((name, value)), None) => visitor.visit_enum(Variant { name, value: Node(value) }),
            _ => Err(Unfit::custom("wanted exactly 1 element")),
        }
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The items of an array.
struct Items<'a>(std::slice::Iter<'a, Spanned<DeValue<'a>>>);

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let Some(item) = self.0.next() else { return Ok(None) };
        seed.deserialize(Node(item)).map(Some).map_err(|unfit| unfit.within(item.span()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The entries of a table.
struct Entries<'a>(Box<dyn Iterator<Item = Entry<'a>> + 'a>);

impl<'a> Entries<'a> {
    fn of(table: &'a DeTable<'a>) -> Self {
        Self(Box::new(table.iter()))
    }

    fn next(&mut self) -> Option<Entry<'a>> {
        self.0.next()
    }
}

/// The members of a table, one after the other.
struct Members<'a> {
    entries: Entries<'a>,
    value: Option<&'a Spanned<DeValue<'a>>>,
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some((name, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        let key = seed.deserialize(BorrowedStrDeserializer::new(name.get_ref()));
        key.map(Some).map_err(|unfit: Unfit| unfit.within(name.span()))
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        let value = self.value.take().ok_or_else(|| Unfit::custom("a value without a key"))?;
        seed.deserialize(Node(value)).map_err(|unfit| unfit.within(value.span()))
    }
}

/// A variant with values of its own.
struct Variant<'a> {
    name: &'a Spanned<DeString<'a>>,
    value: Node<'a>,
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Unfit;
    type Variant = Node<'a>;

    fn variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<(T::Value, Node<'a>), Unfit> {
        let name = seed.deserialize(BorrowedStrDeserializer::new(self.name.get_ref()));
        name.map(|name| (name, self.value)).map_err(|unfit: Unfit| unfit.within(self.name.span()))
    }
}

impl<'a> VariantAccess<'a> for Node<'a> {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        Err(Unfit::custom("wanted the name alone").within(self.0.span()))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self).map_err(|unfit| unfit.within(self.0.span()))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_any(visitor).map_err(|unfit| unfit.within(self.0.span()))
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_any(visitor).map_err(|unfit| unfit.within(self.0.span()))
    }
}
