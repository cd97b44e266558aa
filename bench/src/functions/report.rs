//! The tables, for people and for programs, and a plot.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::Effort;
use super::costs;
use super::figures::{Figures, Spread, Times};
use super::goals;

/// Everything that was measured in one run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: String,
    #[serde(skip)]
    effort: Effort,
    /// Why the share of 128 MB was not imitated.
    not_throttled: Option<String>,
    /// The runtime with a constant answer.
    pub(super) floor: Option<Figures>,
    /// The authorizer.
    pub(super) authorizer: Option<Figures>,
    /// The authorizer's peers.
    pub(super) peers: Vec<Figures>,
    /// The authorizer with revocation.
    pub(super) revocation: Vec<Figures>,
    /// A function with a large rule file, beside itself with a small one.
    pub(super) rules: Vec<Figures>,
    /// The functions that may call AWS.
    pub(super) functions: Vec<Figures>,
    /// Peers that could not be measured, and why.
    pub(super) left_out: Vec<String>,
}

impl Report {
    pub(super) fn new(machine: String, effort: Effort, not_throttled: Option<String>) -> Self {
        Self {
            machine,
            effort,
            not_throttled,
            floor: None,
            authorizer: None,
            peers: Vec::new(),
            revocation: Vec::new(),
            rules: Vec::new(),
            functions: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Writes JSON and the plot into the folder; the tables in Markdown.
    pub(super) fn write(&self, folder: &Path) -> Result<String> {
        std::fs::write(folder.join("functions.json"), serde_json::to_string_pretty(self)? + "\n")?;
        std::fs::write(folder.join("functions.svg"), self.plot()?)?;
        let tables = self.tables()?;
        std::fs::write(folder.join("functions.md"), &tables)?;
        Ok(tables)
    }

    fn tables(&self) -> Result<String> {
        self.floor.as_ref().context("the floor was not measured")?;
        let Effort { starts, rounds, calls } = self.effort;
        let mut text = format!(
            "## Functions\n\n{}; {starts} cold starts, {rounds} x {calls} warm calls. Medians, with the least and \
             the most; in brackets the ratio to the floor, measured in turns with it. Times are in microseconds.\n\n",
            self.machine
        );
        if let Some(why) = &self.not_throttled {
            let _ = writeln!(text, "A core's share of 128 MB could not be imitated here: {why}.\n");
        }
        for left_out in &self.left_out {
            let _ = writeln!(text, "Not measured: {left_out}\n");
        }
        text.push_str("### One decision about a REST request of 5.3 KB\n\n");
        head(&mut text);
        let own = self.floor.iter().chain(&self.authorizer);
        own.chain(&self.revocation).chain(&self.peers).for_each(|figures| row(&mut text, figures));
        text.push_str("\n### Every function, on a recorded event; AWS over TLS on loopback, answering at once\n\n");
        head(&mut text);
        self.functions.iter().for_each(|figures| row(&mut text, figures));
        text.push_str("\n### A large rule file, and in brackets the ratio to a small one\n\n");
        head(&mut text);
        self.rules.iter().for_each(|figures| row(&mut text, figures));
        if let Some(authorizer) = &self.authorizer {
            text.push_str("\n### The authorizer against its peers\n\n| peer | start | warm CPU | resident |\n| --- | ---: | ---: | ---: |\n");
            for peer in &self.peers {
                let ratio = |of: fn(&Times) -> f64| peer.ratio(of) / authorizer.ratio(of);
                let _ = writeln!(
                    text,
                    "| {} | {:.1} x | {:.1} x | {:.1} x |",
                    peer.name,
                    ratio(|times| times.start.median),
                    ratio(|times| times.cpu.median),
                    bytes(peer.resident) / bytes(authorizer.resident),
                );
            }
        }
        text.push_str(&goals::table(self));
        text.push_str(&costs::tables(self));
        Ok(text)
    }

    /// Bars of start and warm CPU for the floor, the authorizer and its peers.
    fn plot(&self) -> Result<String> {
        let all: Vec<&Figures> = self.floor.iter().chain(&self.authorizer).chain(&self.peers).collect();
        let mut svg = String::from(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"300\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"760\" height=\"300\" fill=\"white\"/>\n",
        );
        type Value = fn(&Figures) -> f64;
        let panels: [(&str, Value, f64, &str); 2] = [
            ("Start to first answer, ms", |one| one.own.start.median / 1_000.0, 20.0, "#2b6cb0"),
            ("Warm CPU per call, µs", |one| one.own.cpu.median, 160.0, "#2f855a"),
        ];
        for (title, value, top, colour) in panels {
            let most = all.iter().map(|one| value(one)).fold(1.0, f64::max);
            writeln!(svg, "<text x=\"20\" y=\"{}\" font-weight=\"bold\">{title}</text>", top + 10.0)?;
            for (index, one) in all.iter().enumerate() {
                let y = top + 24.0 + 26.0 * f64::from(u32::try_from(index)?);
                let width = 440.0 * value(one) / most;
                writeln!(svg, "<text x=\"170\" y=\"{}\" text-anchor=\"end\">{}</text>", y + 14.0, one.name)?;
                writeln!(svg, "<rect x=\"180\" y=\"{y}\" width=\"{width:.1}\" height=\"18\" fill=\"{colour}\"/>")?;
                writeln!(svg, "<text x=\"{:.1}\" y=\"{}\">{:.1}</text>", 186.0 + width, y + 14.0, value(one))?;
            }
        }
        svg.push_str("</svg>\n");
        Ok(svg)
    }
}

fn head(text: &mut String) {
    text.push_str(
        "| | start | start, 128 MB | warm CPU | warm, elapsed | resident | zipped | calls to AWS | one after the other |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
}

fn row(text: &mut String, one: &Figures) {
    let spread = |own: Spread, beside: Spread| {
        format!("{:.0} ({:.2}), {:.0} to {:.0}", own.median, own.median / beside.median, own.min, own.max)
    };
    let (own, beside) = (&one.own, &one.beside);
    let throttled = own.start_128.zip(beside.start_128).map_or("—".to_owned(), |(own, beside)| spread(own, beside));
    let zipped = one.zipped.map_or("—".to_owned(), |size| format!("{:.2} MB", bytes(size) / 1e6));
    let _ = writeln!(
        text,
        "| {} | {} | {throttled} | {} | {} | {:.1} MB | {zipped} | {:.2} | {:.0} |",
        one.name,
        spread(own.start, beside.start),
        spread(own.cpu, beside.cpu),
        spread(own.elapsed, beside.elapsed),
        bytes(one.resident) / 1e6,
        one.calls,
        one.round_trips,
    );
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(super) fn bytes(size: u64) -> f64 {
    size as f64
}
