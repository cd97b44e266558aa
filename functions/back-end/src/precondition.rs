//! Optimistic concurrency: a write says which version it replaces.
//!
//! <https://www.rfc-editor.org/rfc/rfc9110#section-13.1>

use crate::{Problem, Refusal};

/// What a write demands of the thing it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// `If-None-Match: *`: it must not exist yet.
    Absent,
    /// `If-Match: "<version>"`: it must be this version.
    Version(u64),
}

/// The entity tag of a version.
pub fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

impl Precondition {
    /// Reads both headers; `None` when neither is there.
    ///
    /// `If-Match` compares strongly, so a weak tag, a list or a tag that was
    /// never ours cannot be the present version. `If-Match: *` would replace
    /// unseen work, which is what the precondition is for: it counts as missing.
    pub(crate) fn read(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Option<Self>, Problem> {
        match (if_match, if_none_match) {
            (None, None) | (Some("*"), None) => Ok(None),
            (None, Some("*")) => Ok(Some(Self::Absent)),
            (Some(tag), None) => {
                version(tag).map(|version| Some(Self::Version(version))).ok_or_else(|| Refusal::VersionChanged.into())
            }
            (None, Some(_)) | (Some(_), Some(_)) => Err(Refusal::RequestUnreadable.into()),
        }
    }
}

/// Reads our own entity tag: no sign, no leading zero, not zero.
fn version(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    // DynamoDB keeps 38 digits; one less than the largest leaves room to count on.
    plain.then(|| digits.parse().ok()).flatten().filter(|version| *version < u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Precondition::{Absent, Version};

    #[test]
    fn a_precondition_is_read_strictly() {
        let table = [
            (None, None, Ok(None)),
            (Some("*"), None, Ok(None)),
            (None, Some("*"), Ok(Some(Absent))),
            (Some("\"1\""), None, Ok(Some(Version(1)))),
            (Some("\"42\""), None, Ok(Some(Version(42)))),
            (Some("W/\"1\""), None, Err("VersionChanged")),
            (Some("\"1\",\"2\""), None, Err("VersionChanged")),
            (Some("1"), None, Err("VersionChanged")),
            (Some("\"\""), None, Err("VersionChanged")),
            (Some("\"0\""), None, Err("VersionChanged")),
            (Some("\"01\""), None, Err("VersionChanged")),
            (Some("\"+1\""), None, Err("VersionChanged")),
            (Some("\"-1\""), None, Err("VersionChanged")),
            (Some("\"18446744073709551615\""), None, Err("VersionChanged")),
            (Some("\"18446744073709551616\""), None, Err("VersionChanged")),
            (Some("\""), None, Err("VersionChanged")),
            (None, Some("\"1\""), Err("RequestUnreadable")),
            (Some("\"1\""), Some("*"), Err("RequestUnreadable")),
        ];
        for (if_match, if_none_match, expected) in table {
            let read = Precondition::read(if_match, if_none_match);
            let read = read.map_err(|problem| problem.code());
            assert_eq!(read, expected, "{if_match:?} {if_none_match:?}");
        }
    }

    #[test]
    fn a_tag_reads_back() {
        assert_eq!(version(&entity_tag(7)), Some(7));
    }
}
