//! Rows S01 and S30 to S34: nothing, and too much.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::gateway::{Passage, http_v2};
use tests::{Audit, TokenIssuer, compact, encode, signing_key};

use crate::{Gate, Row, member, row};

/// What a browser lets through as a header, and the most that is looked at.
const MOST_BYTES: usize = 8 * 1024;

/// A little more than that, and much more.
pub(crate) fn rows(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    Ok(vec![
        row("S32", "8 KiB and one byte", format!("{}A", longest(issuer)?), "TokenTooLarge"),
        row("S32", "a little more, well signed", sized(issuer, MOST_BYTES + 1)?, "TokenTooLarge"),
        row("S32", "10,240 bytes", sized(issuer, 10_240)?, "TokenTooLarge"),
        row("S32", "64 KiB", sized(issuer, 64 * 1024)?, "TokenTooLarge"),
        row("S30", "very many claims", issuer.mint_raw(many_claims(100_000, ""))?, "TokenTooLarge"),
    ])
}

/// Claims of short names, all different, and these.
fn many_claims(count: usize, more: &str) -> String {
    let claims: Vec<String> = (0..count).map(|number| format!("\"{number:x}\":1")).collect();
    format!("{{{}{more}}}", claims.join(","))
}

/// A correctly signed token of this many bytes, or one more where base64url has no
/// such length.
fn sized(issuer: &TokenIssuer, bytes: usize) -> Result<String> {
    let claims = |padding: usize| member(issuer.access()).with("x", "p".repeat(padding));
    let empty = issuer.mint(&claims(0))?.len();
    let mut padding = (bytes - empty) * 3 / 4;
    loop {
        let token = issuer.mint(&claims(padding))?;
        if token.len() >= bytes {
            return Ok(token);
        }
        padding += 1;
    }
}

/// A correctly signed token of exactly 8 KiB. Where one padding jumps over that
/// length, another header's does not.
fn longest(issuer: &TokenIssuer) -> Result<String> {
    for more in 0..8 {
        let header = json!({"alg": "RS256", "kid": issuer.kid, "x": "h".repeat(more)}).to_string();
        let text = |padding: usize| member(issuer.access()).with("x", "p".repeat(padding)).text();
        let empty = compact(&header, text(0), signing_key()?)?.len();
        let about = (MOST_BYTES - empty) * 3 / 4;
        for padding in about.saturating_sub(4)..about + 4 {
            let token = compact(&header, text(padding), signing_key()?)?;
            if token.len() == MOST_BYTES {
                return Ok(token);
            }
        }
    }
    anyhow::bail!("no token has this length")
}

#[test]
fn the_longest_token_passes_and_no_token_is_missed() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    // S32: just fits. S30, S31: as many claims as fit, among them names that are made of the same signs.
    let rest = member(gate.issuer.access()).text();
    let rest = format!(",{}", rest.trim_start_matches('{').trim_end_matches('}'));
    let anagrams = ["abcdefgh", "hgfedcba", "badcfehg", "efghabcd"].map(|name| format!(",\"{name}\":1")).concat();
    let many = gate.issuer.mint_raw(many_claims(600, &format!("{anagrams}{rest}")))?;
    for (id, token) in [("S32", longest(&gate.issuer)?), ("S30", many)] {
        ensure!(token.len() <= MOST_BYTES, "{id}: {} bytes", token.len());
        let begun = Instant::now();
        ensure!(gate.ask(&token, "GET", "/items")?.0 == Passage::Allowed, "{id} a token of {} bytes", token.len());
        ensure!(begun.elapsed() < Duration::from_secs(1), "{id} took {:?}", begun.elapsed());
    }
    // S01, and what else is no token at all.
    for value in ["", " ", "Bearer", "Bearer ", "Bearer  "] {
        let mut event = http_v2("x", "GET", "/items");
        event["headers"]["authorization"] = json!(value);
        event["identitySource"] = json!([value]);
        let outcome = gate.function.invoke_json(&event);
        Audit::default().outcome(&gate.function, &outcome)?;
        ensure!(outcome.json()? == json!({"isAuthorized": false}), "S01 {value:?}: {:?}", outcome.reply);
    }
    ensure!(gate.issuer.fetches() == 1, "S01 the key set was asked for {} times", gate.issuer.fetches());
    gate.still_serves()
}

#[test]
fn a_huge_event_is_refused_quickly_and_forgotten() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    gate.still_serves()?;
    let before = gate.function.peak_memory()?;
    for size in [6_000_000, 10_000_000] {
        let signed = sized(&gate.issuer, size)?;
        let (cut, _) = signed.rsplit_once('.').context("not a token")?;
        let rows = [
            ("S33 letters", "A".repeat(size)),
            ("S34 dots", ".".repeat(size)),
            ("S33 well signed", signed.clone()),
            ("S33 badly signed", format!("{cut}.{}", encode([1; 256]))),
            ("S33 one huge segment", format!("{}.{}.{}", encode("{}"), "A".repeat(size), encode("x"))),
            ("S33 commas", ",".repeat(size)),
        ];
        for (says, token) in rows {
            let begun = Instant::now();
            let outcome = gate.function.invoke_json(&http_v2(&token, "GET", "/items"));
            Audit::default().outcome(&gate.function, &outcome).context(says)?;
            ensure!(outcome.json()? == json!({"isAuthorized": false}), "{says}: {:?}", outcome.reply);
            ensure!(begun.elapsed() < Duration::from_secs(4), "{says} took {:?}", begun.elapsed());
            gate.still_serves()?;
        }
    }
    // The event holds the token twice. The rest is what the runtime keeps of it.
    let grown = gate.function.peak_memory()?.saturating_sub(before);
    ensure!(grown < 6 * 2 * 10_000_000, "S33 the process grew by {grown} bytes");
    Ok(())
}
