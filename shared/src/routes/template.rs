//! Path templates, and how a path is read.

use std::cmp::Ordering;

/// The most segments of a template; a longer path meets none.
const MAX_SEGMENTS: usize = 16;

/// The longest path that is looked at, in bytes.
const MAX_PATH_BYTES: usize = 1_024;

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// This text.
    Literal(String),
    /// The caller's own tenant.
    Tenant,
    /// Any one segment.
    Any,
}

/// A path with places left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Segment>);

impl Template {
    /// Reads a template; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err("must begin with \"/\"".to_owned());
        };
        if rest.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let mut names = Vec::new();
        let segments =
            rest.split('/').map(|segment| read_segment(segment, &mut names)).collect::<Result<Vec<_>, _>>()?;
        if segments.len() > MAX_SEGMENTS || text.len() > 256 {
            return Err(format!("must have at most {MAX_SEGMENTS} segments and 256 bytes"));
        }
        Ok(Self(segments))
    }

    /// The segments, in order.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether some path meets both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (Segment::Literal(one), Segment::Literal(two)) => one == two,
                _ => true,
            })
    }

    /// Which of two overlapping templates is the more specific one: `Less` for
    /// this one. `None` when each is more specific in one place.
    pub(crate) fn specificity(&self, other: &Self) -> Option<Ordering> {
        let literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
        let mut order = Ordering::Equal;
        for (one, two) in self.0.iter().zip(&other.0) {
            let here = literal(two).cmp(&literal(one));
            if order != Ordering::Equal && here != Ordering::Equal && here != order {
                return None;
            }
            order = order.then(here);
        }
        Some(order)
    }

    /// Whether a path meets it, whatever tenant it names.
    pub(super) fn matches(&self, path: &RequestPath<'_>) -> bool {
        self.0.len() == path.0.len()
            && self.0.iter().zip(&path.0).all(|(segment, text)| match segment {
                Segment::Literal(literal) => literal == text,
                Segment::Tenant | Segment::Any => true,
            })
    }

    /// The tenant that a path names, if the template has a place for one.
    pub(super) fn tenant_in<'a>(&self, path: &RequestPath<'a>) -> Option<&'a str> {
        self.0.iter().zip(&path.0).find(|(segment, _)| **segment == Segment::Tenant).map(|(_, text)| *text)
    }
}

fn read_segment<'a>(text: &'a str, names: &mut Vec<&'a str>) -> Result<Segment, String> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("has {text}; a place is named with letters, digits and \"_\""));
        }
        if names.contains(&name) {
            return Err(format!("has {text} twice"));
        }
        names.push(name);
        return Ok(if name == "tenant" { Segment::Tenant } else { Segment::Any });
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
    if text.is_empty() {
        return Err("has an empty segment, or ends in \"/\"".to_owned());
    }
    if !plain || text == "." || text == ".." {
        return Err(format!("has the segment \"{text}\"; letters, digits and - _ . ~ are allowed"));
    }
    Ok(Segment::Literal(text.to_owned()))
}

/// The path of a request, in segments.
///
/// It is refused rather than tidied up: whoever tidies differently (the
/// gateway, the back end) would see another path. That goes for empty and dot
/// segments, a slash at the end and percent signs, and for every sign that a
/// policy could read as a wildcard or a variable.
pub(crate) struct RequestPath<'a>(Vec<&'a str>);

impl<'a> RequestPath<'a> {
    /// Reads a path; `None` when it is not a plain one.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        if path.len() > MAX_PATH_BYTES {
            return None;
        }
        let rest = path.strip_prefix('/')?;
        if rest.is_empty() {
            return Some(Self(Vec::new()));
        }
        rest.split('/').map(|segment| is_plain(segment).then_some(segment)).collect::<Option<Vec<_>>>().map(Self)
    }
}

fn is_plain(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':' | b'@' | b'+' | b'=' | b',')
        })
}
