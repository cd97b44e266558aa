//! Items of the table as types, and back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use shared::address::EmailAddress;
use shared::names::{LegacyId, RoleName, TenantId};
use shared::provisioning::{Arrival, Invitation};
use shared::tenants::{Membership, Status};

use crate::{Corrupt, Subject};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The index by which a person's items are found together.
pub(crate) const BY_SUBJECT: &str = "by-subject";

/// The sort key of every profile.
pub(crate) const PROFILE: &str = "PROFILE";

/// The sort key of every arrival.
pub(crate) const ARRIVAL: &str = "ARRIVAL";

/// Everything the directory knows of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// `None` when the user was never provisioned.
    pub profile: Option<Profile>,
    /// All memberships, suspended ones too.
    pub memberships: Vec<Membership>,
}

/// What is kept of a user beside memberships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The tenant that the user chose; whether it counts is decided elsewhere.
    pub active_tenant: Option<TenantId>,
    /// The verified address at the time of provisioning.
    pub email: Option<EmailAddress>,
    /// In seconds since 1970.
    pub created_at: u64,
    /// Rises with each change.
    pub version: u64,
}

/// A membership with what an administrator needs to see and to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub subject: Subject,
    /// Where, and with which roles.
    pub membership: Membership,
    /// The verified address at the time of provisioning.
    pub email: Option<EmailAddress>,
    /// In seconds since 1970.
    pub created_at: u64,
    /// Rises with each change; a change names the version it is based on.
    pub version: u64,
}

pub(crate) fn user_key(subject: &Subject) -> String {
    format!("USER#{subject}")
}

pub(crate) fn members_key(tenant: &TenantId) -> String {
    format!("{tenant}#members")
}

pub(crate) fn invitations_key(tenant: &TenantId) -> String {
    format!("{tenant}#invitations")
}

pub(crate) fn address_key(address: &EmailAddress) -> String {
    format!("EMAIL#{}", address.as_str())
}

pub(crate) fn legacy_key(id: &LegacyId) -> String {
    format!("LEGACY#{id}")
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Roles as a set; `None` when empty, which DynamoDB cannot store.
pub(crate) fn role_set(roles: &BTreeSet<RoleName>) -> Option<AttributeValue> {
    let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then_some(AttributeValue::Ss(names))
}

/// Puts the items that the index returned for one user together.
pub(crate) fn person(subject: &Subject, items: &[Item]) -> Result<Person, Corrupt> {
    let mut person = Person::default();
    for item in items {
        let reader = Reader { kind: "item", item };
        if reader.text("sk")? == PROFILE {
            person.profile = Some(read_profile(subject, item)?);
        } else {
            let member = read_member(item)?;
            if member.subject != *subject {
                return Err(Corrupt { kind: "membership", attribute: "subject" });
            }
            person.memberships.push(member.membership);
        }
    }
    Ok(person)
}

fn read_profile(subject: &Subject, item: &Item) -> Result<Profile, Corrupt> {
    let reader = Reader { kind: "profile", item };
    if reader.text("pk")? != user_key(subject) {
        return Err(reader.corrupt("pk"));
    }
    Ok(Profile {
        active_tenant: reader.optional("active_tenant", TenantId::parse)?,
        email: reader.optional("email", EmailAddress::parse)?,
        created_at: reader.number("created_at")?,
        version: reader.number("version")?,
    })
}

pub(crate) fn read_member(item: &Item) -> Result<Member, Corrupt> {
    let reader = Reader { kind: "membership", item };
    let tenant = reader.parsed("tenant", TenantId::parse)?;
    // INVARIANT: the tenant is the one in the key, which is what IAM guards.
    if reader.text("pk")? != members_key(&tenant) {
        return Err(reader.corrupt("pk"));
    }
    let subject = reader.parsed("sk", Subject::parse)?;
    if reader.text("subject")? != user_key(&subject) {
        return Err(reader.corrupt("subject"));
    }
    let status = reader.parsed("status", read_status)?;
    Ok(Member {
        subject,
        membership: Membership { tenant, roles: reader.roles()?, status },
        email: reader.optional("email", EmailAddress::parse)?,
        created_at: reader.number("created_at")?,
        version: reader.number("version")?,
    })
}

pub(crate) fn read_invitation(address: &EmailAddress, item: &Item) -> Result<Invitation, Corrupt> {
    let reader = Reader { kind: "invitation", item };
    let tenant = reader.parsed("tenant", TenantId::parse)?;
    if reader.text("pk")? != invitations_key(&tenant) {
        return Err(reader.corrupt("pk"));
    }
    if reader.text("sk")? != address.as_str() {
        return Err(reader.corrupt("sk"));
    }
    Ok(Invitation { tenant, roles: reader.roles()?, expires_at: reader.number("expires_at")? })
}

pub(crate) fn read_arrival(id: &LegacyId, item: &Item) -> Result<Arrival, Corrupt> {
    let reader = Reader { kind: "arrival", item };
    let entries = item.get("memberships").and_then(|value| value.as_l().ok());
    let mut memberships = BTreeMap::new();
    for entry in entries.ok_or_else(|| reader.corrupt("memberships"))? {
        let entry = entry.as_m().map_err(|_| reader.corrupt("memberships"))?;
        let entry = Reader { kind: "arrival", item: entry };
        if memberships.insert(entry.parsed("tenant", TenantId::parse)?, entry.roles()?).is_some() {
            return Err(entry.corrupt("tenant"));
        }
    }
    let groups = match item.get("groups") {
        None => BTreeSet::new(),
        Some(value) => value.as_ss().map_err(|_| reader.corrupt("groups"))?.iter().cloned().collect(),
    };
    reader.number("written_at")?;
    Arrival::new(id.clone(), reader.text("address")?, memberships, groups).ok_or_else(|| reader.corrupt("content"))
}

pub(crate) fn profile_item(subject: &Subject, email: Option<&EmailAddress>, now: u64) -> Item {
    let mut item = Item::from([
        ("pk".to_owned(), text(user_key(subject))),
        ("sk".to_owned(), text(PROFILE)),
        ("subject".to_owned(), text(user_key(subject))),
        ("created_at".to_owned(), number(now)),
        ("version".to_owned(), number(1)),
    ]);
    item.extend(email.map(|email| ("email".to_owned(), text(email.as_str()))));
    item
}

pub(crate) fn membership_item(
    subject: &Subject,
    membership: &Membership,
    email: Option<&EmailAddress>,
    now: u64,
) -> Item {
    let mut item = Item::from([
        ("pk".to_owned(), text(members_key(&membership.tenant))),
        ("sk".to_owned(), text(subject.as_str())),
        ("subject".to_owned(), text(user_key(subject))),
        ("tenant".to_owned(), text(membership.tenant.as_str())),
        ("status".to_owned(), text(status_text(membership.status))),
        ("created_at".to_owned(), number(now)),
        ("version".to_owned(), number(1)),
    ]);
    item.extend(role_set(&membership.roles).map(|roles| ("roles".to_owned(), roles)));
    item.extend(email.map(|email| ("email".to_owned(), text(email.as_str()))));
    item
}

pub(crate) fn arrival_item(arrival: &Arrival, now: u64) -> Item {
    let membership = |(tenant, roles): (&TenantId, &BTreeSet<RoleName>)| {
        let mut entry = Item::from([("tenant".to_owned(), text(tenant.as_str()))]);
        entry.extend(role_set(roles).map(|roles| ("roles".to_owned(), roles)));
        AttributeValue::M(entry)
    };
    let mut item = Item::from([
        ("pk".to_owned(), text(legacy_key(arrival.id()))),
        ("sk".to_owned(), text(ARRIVAL)),
        ("address".to_owned(), text(arrival.address())),
        ("memberships".to_owned(), AttributeValue::L(arrival.memberships().iter().map(membership).collect())),
        ("written_at".to_owned(), number(now)),
    ]);
    if !arrival.groups().is_empty() {
        item.insert("groups".to_owned(), AttributeValue::Ss(arrival.groups().iter().cloned().collect()));
    }
    item
}

pub(crate) fn status_text(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Suspended => "suspended",
    }
}

fn read_status(text: &str) -> Option<Status> {
    [Status::Active, Status::Suspended].into_iter().find(|status| status_text(*status) == text)
}

/// Reads one item and says which attribute is wrong.
struct Reader<'a> {
    kind: &'static str,
    item: &'a Item,
}

impl<'a> Reader<'a> {
    fn corrupt(&self, attribute: &'static str) -> Corrupt {
        Corrupt { kind: self.kind, attribute }
    }

    fn text(&self, name: &'static str) -> Result<&'a str, Corrupt> {
        let value = self.item.get(name).and_then(|value| value.as_s().ok());
        value.map(String::as_str).ok_or_else(|| self.corrupt(name))
    }

    fn parsed<T>(&self, name: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, Corrupt> {
        parse(self.text(name)?).ok_or_else(|| self.corrupt(name))
    }

    fn optional<T>(&self, name: &'static str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Corrupt> {
        if self.item.contains_key(name) { self.parsed(name, parse).map(Some) } else { Ok(None) }
    }

    fn number(&self, name: &'static str) -> Result<u64, Corrupt> {
        let value = self.item.get(name).and_then(|value| value.as_n().ok());
        value.and_then(|digits| digits.parse().ok()).ok_or_else(|| self.corrupt(name))
    }

    fn roles(&self) -> Result<BTreeSet<RoleName>, Corrupt> {
        let Some(value) = self.item.get("roles") else {
            return Ok(BTreeSet::new());
        };
        let names = value.as_ss().map_err(|_| self.corrupt("roles"))?;
        names.iter().map(|name| RoleName::parse(name).ok_or_else(|| self.corrupt("roles"))).collect()
    }
}
