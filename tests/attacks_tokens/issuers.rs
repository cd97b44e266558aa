//! Rows C12 to C17, H16 and K21: who issued a token.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::{TokenIssuer, compact, other_signing_key};

use crate::claims::mint;
use crate::{Gate, Row, member, row};

/// Who issued it.
pub(crate) fn rows(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let ours = issuer.issuer.as_str();
    let (host, pool) = ours.rsplit_once('/').context("an address without a pool")?;
    let mut rows = vec![
        row("C12", "no iss", issuer.mint(&member(issuer.access()).without("iss"))?, "IssuerRefused"),
        row("C15", "another pool of the region", other_pool()?, "IssuerRefused"),
        row(
            "H16",
            "our issuer, another pool's key",
            compact(r#"{"alg":"RS256","kid":"kB1"}"#, member(issuer.access()).text(), other_signing_key()?)?,
            "KeyUnknown",
        ),
    ];
    for iss in [json!(null), json!(1), json!(""), json!(true), json!([ours]), json!({"iss": ours})] {
        rows.push(row("C12", format!("iss {iss}"), mint(issuer, "iss", iss)?, "IssuerRefused"));
    }
    let near = [
        format!("{ours}/"),
        format!("{ours}//"),
        format!("{ours}/."),
        format!("{ours}?"),
        format!("{ours}#"),
        format!("{ours} "),
        format!(" {ours}"),
        format!("{ours}\0"),
        format!("{ours}\n"),
        format!("\u{feff}{ours}"),
        format!("{ours},{ours}"),
        format!("{host}//{pool}"),
        format!("{host}/./{pool}"),
        format!("{host}/x/../{pool}"),
        ours.to_uppercase(),
        format!("{}/{pool}", host.to_uppercase()),
        ours.replace("https:", "HTTPS:"),
        ours.replace("https:", "http:"),
        ours.replace("https://", ""),
        ours.replace("https://", "//"),
        ours.replace("https://", "https:\\\\"),
        ours.replace(".com/", ".com:443/"),
        ours.replace(".com/", ".com./"),
        ours.replace(".com/", ".com.evil.example/"),
        ours.replace(".com/", ".com%2F"),
        ours.replace("EXAMPLE01", "EXAMPLE0"),
        ours.replace("EXAMPLE01", "EXAMPLE01x"),
        ours.replace("EXAMPLE01", "example01"),
        ours.replace("EXAMPLE01", "*"),
        ours.replace('_', "%5F"),
        ours.replace('_', "%5f"),
        ours.replace("amazonaws", "\u{0430}mazonaws"),
        ours.replace("amazonaws", "xn--mazonaws-2fg"),
        ours.replace("amazonaws", "ama\u{200b}zonaws"),
        ours.replace("https://", "https://x@"),
        ours.replace("https://", "https://x:y@"),
        format!("https://evil.example/{ours}"),
        format!("https://evil.example/#{ours}"),
    ];
    for iss in near {
        rows.push(row("C14", format!("iss {iss:?}"), mint(issuer, "iss", iss)?, "IssuerRefused"));
    }
    let elsewhere = [
        ("C16", ours.replace("us-east-1.", "eu-west-1.")),
        ("C16", ours.replace("us-east-1", "eu-west-1")),
        ("C16", ours.replace(".com/", ".com.cn/")),
        ("C15", ours.replace("EXAMPLE01", "EXAMPLE02")),
        ("C17", format!("{}/", issuer.url())),
        ("C17", issuer.url()),
        ("C17", "http://127.0.0.1:9/".to_owned()),
        ("C17", "http://169.254.169.254/latest/meta-data".to_owned()),
        ("C17", "http://[::1]/".to_owned()),
        ("C17", "file:///etc/passwd".to_owned()),
        ("C17", "gopher://127.0.0.1/".to_owned()),
        ("C17", "../../etc/passwd".to_owned()),
    ];
    for (id, iss) in elsewhere {
        rows.push(row(id, format!("iss {iss}"), mint(issuer, "iss", iss)?, "IssuerRefused"));
    }
    Ok(rows)
}

fn other_pool() -> Result<String> {
    let pool = TokenIssuer::start()?;
    let claims = member(pool.access()).with("iss", pool.issuer.replace("EXAMPLE01", "EXAMPLE02"));
    compact(r#"{"alg":"RS256","kid":"kB1"}"#, claims.text(), other_signing_key()?)
}

/// K21: `iss` is compared and never used.
#[test]
fn issuers_that_nobody_knows_are_not_asked_and_not_kept() -> Result<()> {
    let mut gate = Gate::open(&[("LOG_LEVEL", "info")])?;
    gate.still_serves()?;
    let mut before = 0;
    for number in 0..600 {
        let iss = format!("{}/us-east-1_{number}{}", gate.issuer.url(), "x".repeat(4_000));
        let token = gate.issuer.mint(&member(gate.issuer.access()).with("iss", iss))?;
        let code = gate.ask(&token, "GET", "/items")?.1;
        ensure!(code == "IssuerRefused", "K21 {code}");
        if number == 100 {
            before = gate.function.peak_memory()?;
        }
    }
    ensure!(gate.issuer.fetches() == 1, "K21 the key set was asked for {} times", gate.issuer.fetches());
    // 500 more of 4 KB each would be 2 MB.
    let grown = gate.function.peak_memory()?.saturating_sub(before);
    ensure!(grown < 1024 * 1024, "K21 the process grew by {grown} bytes");
    Ok(())
}
