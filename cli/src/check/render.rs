//! Findings as a compiler shows them: the line, a caret under the key, why it
//! matters and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use shared::findings::Severity;
use shared::lint::{Capacity, Carried};

use super::{CheckedFile, Placed};
use crate::output::{Paint, counted};

/// Everything about one file.
pub(super) fn file(file: &CheckedFile, paint: Paint) -> String {
    let renderer = if paint.is_on() { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for placed in &file.findings {
        text.push_str(&renderer.render(&[report(file, placed)]));
        text.push_str("\n\n");
    }
    let counts = counted(file.findings.iter().map(|placed| &placed.finding));
    text.push_str(&format!("{}: {counts}\n", paint.bold(&file.file)));
    if let (Some(capacity), Some(versions)) = (&file.capacity, &file.versions) {
        text.push_str(&tokens(capacity, paint));
        text.push_str(&carried(versions, paint));
    }
    text
}

fn report<'a>(file: &'a CheckedFile, placed: &'a Placed) -> Group<'a> {
    let finding = &placed.finding;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = match finding.subject.as_str() {
        "" => finding.message.clone(),
        key => format!("{key}: {}", finding.message),
    };
    let at = AnnotationKind::Primary.span(marked(&file.text, &placed.span));
    let snippet = Snippet::source(file.text.as_str()).path(file.file.as_str()).annotation(at);
    let group = level.primary_title(title).id(finding.code.as_str()).element(snippet);
    let group = if finding.why.is_empty() { group } else { group.element(Level::NOTE.message(finding.why.as_str())) };
    if finding.fix.is_empty() { group } else { group.element(Level::HELP.message(finding.fix.as_str())) }
}

/// The bytes to mark: of one line, and never nothing.
fn marked(text: &str, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = span.start.min(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.find('\n').unwrap_or(rest.len());
    let one = rest.chars().next().map_or(0, char::len_utf8);
    let end = span.end.saturating_sub(start).min(line).max(one.min(line));
    start..start + end
}

/// What the added claims take.
fn tokens(capacity: &[Capacity; 2], paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.bold("Added claims, in bytes of JSON"));
    text.push_str("  token    budget   always   largest user\n");
    for one in capacity {
        let Capacity { token, budget, always, largest, dropped, .. } = one;
        let drops = if dropped.is_empty() { String::new() } else { format!("  drops {}", dropped.join(", ")) };
        text.push_str(&format!("  {:<7}  {budget:>6}   {always:>6}   {largest:>12}{drops}\n", token.as_str()));
    }
    let taken = "taken to be in ten tenants and ten groups with the longest names, with every role of the rules";
    text.push_str(&format!("  {}\n", paint.dim(taken)));
    text
}

/// What the versions of the token event carry.
fn carried(versions: &[Carried; 3], paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.bold("Token events"));
    for version in versions {
        let Carried { token_version, event_version, plans, chosen, lost } = version;
        let mark = if *chosen { paint.bold("*") } else { " ".to_owned() };
        let lost = match lost.as_slice() {
            [] => "carries everything".to_owned(),
            lost => {
                let mut names: Vec<&str> = lost.iter().map(|one| one.what.as_str()).collect();
                names.dedup();
                format!("cannot carry {}", names.join(", "))
            }
        };
        text.push_str(&format!("{mark} {token_version}  {:<24} {lost}\n", plans.join(", ").to_lowercase()));
        if *chosen {
            let hint = format!("deploy with TokenEventVersion={event_version}");
            text.push_str(&format!("      {}\n", paint.dim(hint)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn what_is_marked_lies_in_one_line_and_is_seen() {
        let table = [
            ("abc\ndef", 0..3, 0..3),
            ("abc\ndef", 1..6, 1..3),
            ("abc\ndef", 4..4, 4..5),
            ("abc\n", 3..3, 3..3),
            ("äb", 0..0, 0..2),
            ("abc", 9..12, 3..3),
            ("", 0..0, 0..0),
        ];
        for (text, span, expected) in table {
            assert_eq!(marked(text, &span), expected, "{text:?} {span:?}");
        }
    }
}
