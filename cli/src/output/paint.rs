//! Colours, where somebody sees them.

use std::fmt::Display;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};
use shared::findings::Severity;

/// Whether to write in colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` says otherwise.
    /// <https://no-color.org>
    pub(super) fn detect() -> Self {
        let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = said("TERM").is_none_or(|term| term == "dumb");
        Self(std::io::stdout().is_terminal() && said("NO_COLOR").is_none() && !dumb)
    }

    /// Whether to write in colours.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    /// What matters.
    pub(crate) fn bold(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What may be skipped.
    pub(crate) fn dim(self, text: impl Display) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// What is as it should be.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// What is not.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something of this severity.
    pub(crate) fn severity(self, severity: Severity, text: impl Display) -> String {
        let colour = match severity {
            Severity::Error => AnsiColor::BrightRed,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Note => AnsiColor::BrightGreen,
        };
        self.with(colour.on_default().bold(), text)
    }

    fn with(self, style: Style, text: impl Display) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_in_colours_has_none() {
        assert_eq!(Paint(false).bold("a"), "a");
        assert_eq!(Paint(true).good("a"), "\u{1b}[32ma\u{1b}[0m");
    }
}
