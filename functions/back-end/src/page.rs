//! Lists in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::{Problem, Refusal};

/// Entries per page when the caller does not say.
const DEFAULT_LIMIT: u8 = 25;
/// The most entries per page.
const MAX_LIMIT: u8 = 100;
/// Longer than any cursor we write.
const MAX_CURSOR: usize = 512;

/// Which page a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The most entries to answer with.
    pub limit: u8,
    /// Start after this place; `None` starts at the front.
    ///
    // INVARIANT: a place is the last part of a sort key, never a whole key. The
    // back end puts its caller's own partition and prefix in front of it, so a
    // forged cursor moves inside the caller's own list and nowhere else.
    pub after: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The entries, in the order of their keys.
    pub items: Vec<T>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page that ends at `last`, the place to go on from.
    pub fn new(items: Vec<T>, last: Option<&str>) -> Self {
        Self { items, next: last.map(|place| URL_SAFE_NO_PAD.encode(place)) }
    }
}

impl PageRequest {
    /// Reads `limit` and `cursor`. `fits` knows what a place of this list looks like.
    pub(crate) fn read(
        limit: Option<&str>,
        cursor: Option<&str>,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Self, Problem> {
        let limit = match limit {
            None => Some(DEFAULT_LIMIT),
            Some(text) => plain_number(text).filter(|limit| (1..=MAX_LIMIT).contains(limit)),
        };
        let limit = limit.ok_or(Refusal::RequestUnreadable)?;
        let after = match cursor {
            None => None,
            Some(cursor) => Some(place(cursor, fits).ok_or(Refusal::RequestUnreadable)?),
        };
        Ok(Self { limit, after })
    }
}

fn plain_number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn place(cursor: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    if cursor.len() > MAX_CURSOR {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let place = String::from_utf8(bytes).ok()?;
    fits(&place).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_id(place: &str) -> bool {
        !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    #[test]
    fn a_page_request_is_read_strictly() {
        let long = "YQ".repeat(300);
        let table = [
            (None, None, Some((25, None))),
            (Some("1"), None, Some((1, None))),
            (Some("100"), None, Some((100, None))),
            (Some("0"), None, None),
            (Some("101"), None, None),
            (Some("999999999999"), None, None),
            (Some("-1"), None, None),
            (Some("+1"), None, None),
            (Some(""), None, None),
            (Some("1,2"), None, None),
            (None, Some("YTE"), Some((25, Some("a1")))),
            (None, Some(""), None),
            (None, Some("YTE="), None),
            (None, Some("YT E"), None),
            (None, Some("YTF"), None),
            (None, Some("YSNi"), None),
            (None, Some("_w"), None),
            (None, Some(long.as_str()), None),
        ];
        for (limit, cursor, expected) in table {
            let read = PageRequest::read(limit, cursor, is_id).ok();
            let expected = expected
                .map(|(limit, after): (u8, Option<&str>)| PageRequest { limit, after: after.map(str::to_owned) });
            assert_eq!(read, expected, "{limit:?} {cursor:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_place(place in "[a-z0-9]{1,100}") {
            let page = Page::<()>::new(vec![], Some(&place));
            let read = PageRequest::read(None, page.next.as_deref(), is_id).unwrap();
            prop_assert_eq!(read.after, Some(place));
        }

        #[test]
        fn a_forged_cursor_never_yields_what_does_not_fit(cursor in ".{0,64}") {
            if let Ok(PageRequest { after: Some(place), .. }) =
                PageRequest::read(None, Some(&cursor), is_id)
            {
                prop_assert!(is_id(&place));
            }
        }

        #[test]
        fn a_cursor_of_another_shape_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let cursor = URL_SAFE_NO_PAD.encode(&bytes);
            let fits = std::str::from_utf8(&bytes).is_ok_and(is_id);
            prop_assert_eq!(PageRequest::read(None, Some(&cursor), is_id).is_ok(), fits);
        }
    }
}
