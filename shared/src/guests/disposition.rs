//! What becomes of a guest's record when he is promoted.

use crate::guests::{Conflict, GuestRules, IdentityId};
use crate::names::TenantId;

/// Beginnings of names that mean something else in the table. A guest can write
/// such a name, but it is never given to a user.
const RESERVED: [&str; 8] = ["USER#", "GUEST#", "LEDGER#", "KEYS#", "ASIDE#", "TENANT#", "IDENTITY#", "PUBLIC#"];

/// What a guest's own marks begin with: they say something to us and are no
/// record of his.
const MARK: char = '#';

/// The longest name that a record can have, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MOST_NAME_BYTES: usize = 1024;

/// A guest's record, as far as its fate depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its name.
    pub name: &'a str,
    /// The tenant that it is tagged with.
    pub tenant: TenantTag<'a>,
    /// When it ends, in seconds since 1970; `None` when nobody has said so yet.
    pub expires_at: Option<u64>,
}

/// What a record says of its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantTag<'a> {
    /// Nothing: it belongs to its owner alone.
    None,
    /// This.
    Named(&'a str),
    /// Something that is no text.
    Unreadable,
}

/// What is known of the promotion.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The tenant in which the user acted when he claimed the guest.
    pub tenant: Option<&'a TenantId>,
    /// When that was, in seconds since 1970. The clock of whoever moves may be
    /// wrong by then; this says the same for ever.
    pub claimed_at: u64,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The user gets it.
    Give,
    /// It is kept where nobody's credentials reach.
    SetAside(Reason),
    /// It was a mark for us and has done its work.
    Drop,
}

/// Why a record is not given to the user, or no longer his.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its name begins as another kind of item's does.
    ReservedName,
    /// It belongs to a tenant other than the one the user acted in.
    OtherTenant,
    /// It had ended when the guest was claimed.
    Expired,
    /// The user had one of this name, which stays.
    UsersStays,
    /// The user's own, in whose place the guest's newer one came.
    Replaced,
    /// No further name would fit beside the user's.
    NoName,
}

impl Reason {
    /// Stable name, as it stands in the table.
    pub fn code(self) -> &'static str {
        match self {
            Self::ReservedName => "reserved-name",
            Self::OtherTenant => "other-tenant",
            Self::Expired => "expired",
            Self::UsersStays => "users-stays",
            Self::Replaced => "replaced",
            Self::NoName => "no-name",
        }
    }
}

/// Decides what becomes of a record, as long as the user has none of its name.
pub fn dispose(record: Record<'_>, facts: Facts<'_>) -> Disposition {
    if record.name.starts_with(MARK) {
        return Disposition::Drop;
    }
    if RESERVED.iter().any(|start| record.name.starts_with(start)) {
        return Disposition::SetAside(Reason::ReservedName);
    }
    // INVARIANT: a record never crosses a tenant, also when its tag makes no sense.
    match record.tenant {
        TenantTag::None => {}
        TenantTag::Named(tenant) if facts.tenant.is_some_and(|own| own.as_str() == tenant) => {}
        TenantTag::Named(_) | TenantTag::Unreadable => return Disposition::SetAside(Reason::OtherTenant),
    }
    if record.expires_at.is_some_and(|end| end <= facts.claimed_at) {
        return Disposition::SetAside(Reason::Expired);
    }
    Disposition::Give
}

/// A guest's record and the user's of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Whether both hold the same.
    pub same: bool,
    /// What the guest's says of its age: the number in `newer_by`.
    pub guests: Option<&'a str>,
    /// What the user's says.
    pub users: Option<&'a str>,
}

/// What becomes of two records of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// They are the same, so one is enough.
    One,
    /// The user's stays and the guest's is set aside.
    UsersStays,
    /// The guest's comes in its place and the user's is set aside.
    Replace,
    /// The guest's gets another name.
    Rename,
}

/// Decides between two records of one name.
pub fn resolve(rules: &GuestRules, pair: Pair<'_>) -> Resolution {
    match rules.on_conflict {
        _ if pair.same => Resolution::One,
        Conflict::KeepUser => Resolution::UsersStays,
        Conflict::KeepBoth => Resolution::Rename,
        Conflict::KeepNewer if is_greater(pair.guests, pair.users) => Resolution::Replace,
        Conflict::KeepNewer => Resolution::UsersStays,
    }
}

/// Whether one number is greater. What is no number is greater than nothing,
/// and nothing is greater than it.
fn is_greater(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    match (one.parse::<i128>(), other.parse::<i128>()) {
        (Ok(one), Ok(other)) => one > other,
        // A fraction or an exponent; as exact as it has to be for a time.
        _ => match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => one > other,
            _ => false,
        },
    }
}

/// The name of a guest's record beside the user's: the `attempt`th, from 1.
/// The same guest and attempt give the same name. `None` when it would be too long.
pub fn renamed(name: &str, guest: &IdentityId, attempt: u32) -> Option<String> {
    let guest: String = guest.uuid().chars().take(8).collect();
    let renamed = match attempt {
        1 => format!("{name}~{guest}"),
        more => format!("{name}~{guest}-{more}"),
    };
    (renamed.len() <= MOST_NAME_BYTES).then_some(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CLAIMED: u64 = 1_800_000_000;

    #[test]
    fn a_reason_is_written_in_words_of_its_own() {
        use Reason::{Expired, NoName, OtherTenant, Replaced, ReservedName, UsersStays};
        let codes = [ReservedName, OtherTenant, Expired, UsersStays, Replaced, NoName].map(Reason::code);
        assert_eq!(codes, ["reserved-name", "other-tenant", "expired", "users-stays", "replaced", "no-name"]);
    }

    #[test]
    fn a_record_is_given_unless_something_speaks_against_it() {
        use Disposition::{Drop, Give, SetAside};
        use Reason::{Expired, OtherTenant, ReservedName};
        use TenantTag::{Named, None as Untagged, Unreadable};
        let acme = TenantId::parse("acme").unwrap();
        let (acme, nobody) = (Some(&acme), None);
        let table = [
            ("score", Untagged, None, nobody, Give),
            ("score", Untagged, None, acme, Give),
            ("score", Untagged, Some(CLAIMED + 1), acme, Give),
            ("score", Untagged, Some(CLAIMED), acme, SetAside(Expired)),
            ("score", Untagged, Some(0), acme, SetAside(Expired)),
            ("score", Named("acme"), None, acme, Give),
            ("score", Named("acme"), None, nobody, SetAside(OtherTenant)),
            ("score", Named("acme2"), None, acme, SetAside(OtherTenant)),
            ("score", Named("Acme"), None, acme, SetAside(OtherTenant)),
            ("score", Named(""), None, acme, SetAside(OtherTenant)),
            ("score", Unreadable, None, acme, SetAside(OtherTenant)),
            ("score", Named("globex"), Some(0), acme, SetAside(OtherTenant)),
            ("USER#u-1", Untagged, None, acme, SetAside(ReservedName)),
            ("LEDGER#x", Untagged, None, acme, SetAside(ReservedName)),
            ("ASIDE#", Untagged, None, acme, SetAside(ReservedName)),
            ("user#1", Untagged, None, acme, Give),
            ("my USER#1", Untagged, None, acme, Give),
            ("#grant", Untagged, None, acme, Drop),
            ("#", Untagged, None, acme, Drop),
        ];
        for (name, tenant, expires_at, own, expected) in table {
            let facts = Facts { tenant: own, claimed_at: CLAIMED };
            let found = dispose(Record { name, tenant, expires_at }, facts);
            assert_eq!(found, expected, "{name} {tenant:?} {expires_at:?} {own:?}");
        }
    }

    fn rules(on_conflict: Conflict) -> GuestRules {
        GuestRules {
            keep_days: 30,
            most_items: 1,
            most_bytes: 1,
            attributes: BTreeSet::new(),
            on_conflict,
            newer_by: None,
            aside_days: 1,
            most_proof_age_s: 600,
            groups: Vec::new(),
            delete_merged_identities: false,
        }
    }

    #[test]
    fn two_of_one_name_end_as_the_rule_says_and_never_silently() {
        use Conflict::{KeepBoth, KeepNewer, KeepUser};
        use Resolution::{One, Rename, Replace, UsersStays};
        let long = "170000000000000000000000000000000000001";
        let longer = "170000000000000000000000000000000000002";
        let table = [
            (KeepUser, false, Some("2"), Some("1"), UsersStays),
            (KeepBoth, false, Some("2"), Some("1"), Rename),
            (KeepNewer, false, Some("2"), Some("1"), Replace),
            (KeepNewer, false, Some("10"), Some("9"), Replace),
            (KeepNewer, false, Some("1"), Some("1"), UsersStays),
            (KeepNewer, false, Some("1"), Some("2"), UsersStays),
            (KeepNewer, false, None, Some("2"), UsersStays),
            (KeepNewer, false, Some("1"), None, UsersStays),
            (KeepNewer, false, Some("x"), Some("1"), UsersStays),
            (KeepNewer, false, Some("1.5"), Some("1"), Replace),
            (KeepNewer, false, Some("1.5"), Some("1.5"), UsersStays),
            (KeepNewer, false, Some("1E2"), Some("99"), Replace),
            (KeepNewer, false, Some("-1"), Some("-2"), Replace),
            (KeepNewer, false, Some(longer), Some(long), Replace),
            (KeepNewer, false, Some("NaN"), Some("1"), UsersStays),
            (KeepUser, true, None, None, One),
            (KeepNewer, true, None, None, One),
            (KeepBoth, true, None, None, One),
        ];
        for (rule, same, guests, users, expected) in table {
            let found = resolve(&rules(rule), Pair { same, guests, users });
            assert_eq!(found, expected, "{rule:?} same: {same} {guests:?} {users:?}");
        }
    }

    #[test]
    fn another_name_tells_the_guest_and_fits() {
        let guest = IdentityId::parse("us-east-1:0a1b2c3d-1111-4222-8333-444455556666").unwrap();
        assert_eq!(renamed("score", &guest, 1).as_deref(), Some("score~0a1b2c3d"));
        assert_eq!(renamed("score", &guest, 2).as_deref(), Some("score~0a1b2c3d-2"));
        assert!(renamed(&"s".repeat(1015), &guest, 1).is_some());
        assert!(renamed(&"s".repeat(1016), &guest, 1).is_none());
        assert!(renamed(&"ü".repeat(510), &guest, 1).is_none());
    }
}
