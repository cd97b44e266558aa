//! Resources with wildcards, segment by segment.

use crate::names::TenantId;
use crate::routes::Segment;

/// One segment of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// This text.
    Text(&'a str),
    /// A place that varies. A route means one segment by it. The `*` that a
    /// policy has for it means one or more, because it crosses slashes.
    Open,
    /// No text at all, which no real path has between its slashes.
    Empty,
}

/// The segments of a route for one caller: `{tenant}` is his own tenant, or
/// open when any tenant is meant.
pub(super) fn parts<'a>(segments: &'a [Segment], tenant: Option<&'a TenantId>) -> Vec<Part<'a>> {
    let part = |segment: &'a Segment| match segment {
        Segment::Literal(text) => Part::Text(text),
        Segment::Tenant => tenant.map_or(Part::Open, |tenant| Part::Text(tenant.as_str())),
        Segment::Any => Part::Open,
    };
    segments.iter().map(part).collect()
}

/// Writes a path, with `*` in the open places.
pub(super) fn write(parts: &[Part<'_>]) -> String {
    if parts.is_empty() {
        return "/".to_owned();
    }
    let mut path = String::new();
    for part in parts {
        path.push('/');
        path.push_str(match part {
            Part::Text(text) => text,
            Part::Open => "*",
            Part::Empty => "",
        });
    }
    path
}

/// Whether some real path meets a route with these parts and also the resource
/// that `wildcard` is written as.
pub(super) fn meets(wildcard: &[Part<'_>], route: &[Part<'_>]) -> bool {
    // `at[i]`: the first `i` parts of the wildcard can have taken what came.
    let mut at = vec![false; wildcard.len() + 1];
    if let Some(first) = at.first_mut() {
        *first = true;
    }
    for segment in route {
        // From the back, so that each place is read before it is written.
        for index in (0..=wildcard.len()).rev() {
            let before = index.checked_sub(1);
            let part = before.and_then(|before| wildcard.get(before));
            let reached_before = before.and_then(|before| at.get(before)).copied().unwrap_or(false);
            let Some(reached) = at.get_mut(index) else { continue };
            *reached = match (part, segment) {
                (Some(Part::Open), _) => reached_before || *reached,
                (Some(Part::Text(one)), Part::Text(two)) => reached_before && one == two,
                (Some(Part::Text(_)), Part::Open) => reached_before,
                _ => false,
            };
        }
    }
    at.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::Part::{Empty, Open, Text};
    use super::*;

    #[test]
    fn a_wildcard_meets_every_path_it_crosses() {
        let items = Text("items");
        let table: &[(&[Part<'_>], &[Part<'_>], bool)] = &[
            (&[items], &[items], true),
            (&[items], &[Text("other")], false),
            (&[items, Open], &[items], false),
            (&[items, Open], &[items, Open], true),
            (&[items, Open], &[items, Text("a")], true),
            (&[items, Open], &[items, Open, Text("notes")], true),
            (&[items, Open, Open], &[items, Open], false),
            (&[items, Open, Open], &[items, Open, Text("notes")], true),
            (&[items, Open, Text("notes")], &[items, Open, Text("notes")], true),
            (&[items, Open, Text("notes")], &[items, Text("a"), Text("b"), Text("notes")], true),
            (&[items, Open, Text("notes")], &[items, Open, Text("files")], false),
            (&[items, Open, Text("notes")], &[items, Open, Open], true),
            (&[Open], &[items, Open, Open], true),
            (&[items, Empty], &[items, Open], false),
            (&[], &[], true),
            (&[Open], &[], false),
        ];
        for (wildcard, route, expected) in table {
            assert_eq!(meets(wildcard, route), *expected, "{wildcard:?} {route:?}");
        }
    }
}
