//! What calls cost, from the measured time and the public price lists.
//!
//! Lambda charges for requests and for time by memory, in steps of 1 ms; DynamoDB
//! for what is read. x86, us-east-1, on demand, as read in November 2026:
//! <https://aws.amazon.com/lambda/pricing/>,
//! <https://aws.amazon.com/dynamodb/pricing/on-demand/>.

use std::fmt::Write as _;

use super::figures::Figures;
use super::report::Report;

const PER_GB_SECOND: f64 = 0.000_016_666_7;
const PER_MILLION_REQUESTS: f64 = 0.20;
const PER_MILLION_READ_UNITS: f64 = 0.125;

/// How long DynamoDB is taken to be away with a call, in milliseconds: it promises
/// single digits. Lambda charges for waiting like for working.
const WAIT_MS: f64 = 5.0;

/// What a user's memberships take, in read units: a query of an index, which is
/// eventually consistent, of at most 4 KB.
const MEMBERSHIP_READ_UNITS: f64 = 0.5;

/// What the marks of a user, his session and his tenant take, each read by itself
/// and strongly consistent.
const REVOCATION_READ_UNITS: f64 = 3.0;

/// The memory sizes, in MB. Beyond 1,769 MB a single thread gets no faster.
const SIZES: [f64; 4] = [128.0, 256.0, 512.0, 1_024.0];

/// A million calls of the authorizer and its peers, and a million sign-ins.
pub(super) fn tables(report: &Report) -> String {
    let mut text = String::from(
        "\n### USD for a million authorizations\n\nWarm: the measured time on a core, stretched by the share of a core that the \
         memory size has, rounded up to 1 ms as it is charged, and 0.20 for the requests. With revocation a read of three \
         keys, and 5 ms of waiting for it in each call. us-east-1, x86, prices of November 2026.\n\n",
    );
    head(&mut text);
    for figures in report.authorizer.iter().chain(&report.peers) {
        row(&mut text, &figures.name, |size| warm(figures, size, 0.0));
    }
    for figures in report.revocation.iter().filter(|figures| figures.calls > 0.5) {
        row(&mut text, &figures.name, |size| {
            warm(figures, size, WAIT_MS) + REVOCATION_READ_UNITS * PER_MILLION_READ_UNITS
        });
    }
    text.push_str(
        "\n### USD for a million sign-ins\n\nA sign-in is one call of pre-token-generation with one read of the directory, \
         5 ms of waiting for it included. Then come the calls of the API, at the price above. The peers have no part in \
         a sign-in. What Cognito itself charges per active user is not in it.\n\n",
    );
    head(&mut text);
    for figures in report.functions.iter().filter(|figures| figures.name == "pre-token-generation") {
        row(&mut text, &figures.name, |size| {
            warm(figures, size, WAIT_MS) + MEMBERSHIP_READ_UNITS * PER_MILLION_READ_UNITS
        });
    }
    text
}

/// A million warm calls.
fn warm(figures: &Figures, megabytes: f64, waiting_ms: f64) -> f64 {
    let working_ms = figures.own.cpu.median / 1_000.0 * (1_769.0_f64 / megabytes).max(1.0);
    let charged_ms = (working_ms + waiting_ms).ceil();
    charged_ms / 1_000.0 * megabytes / 1_024.0 * PER_GB_SECOND * 1e6 + PER_MILLION_REQUESTS
}

fn head(text: &mut String) {
    text.push_str("| | 128 MB | 256 MB | 512 MB | 1,024 MB |\n| --- | ---: | ---: | ---: | ---: |\n");
}

fn row(text: &mut String, name: &str, cost: impl Fn(f64) -> f64) {
    let cells: Vec<String> = SIZES.iter().map(|size| format!("{:.2}", cost(*size))).collect();
    let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
}
