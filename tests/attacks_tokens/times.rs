//! Rows C01 to C11: when a token is good, and by whose clock.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::clock::Clock;
use tests::{TokenIssuer, now};

use crate::claims::mint;
use crate::{Gate, Row, member, row};

/// When a token is good. Bounds to the second are pinned beside the code.
pub(crate) fn rows(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let now = now();
    let lives = |iat: u64, exp: u64| issuer.mint(&member(issuer.access()).with("iat", iat).with("exp", exp));
    let mut rows = vec![
        row("C05", "exp has come", lives(now - 600, now)?, "TokenExpired"),
        row("C05", "exp was a second ago", lives(now - 600, now - 1)?, "TokenExpired"),
        row("C05", "exp was long ago", lives(1, 2)?, "TokenExpired"),
        row("C06", "lives for a day and a second", lives(now, now + 86_401)?, "TimesRefused"),
        row("C06", "lives for two days", lives(now, now + 2 * 86_400)?, "TimesRefused"),
        row("C06", "began long ago", lives(1, now + 600)?, "TimesRefused"),
        row("C09", "ends when it begins", lives(now, now)?, "TimesRefused"),
        row("C09", "ends before it begins", lives(now + 30, now + 20)?, "TimesRefused"),
        row("C08", "iat in more than a minute", lives(now + 90, now + 600)?, "TokenNotYetValid"),
        row("C08", "iat tomorrow", lives(now + 86_400, now + 90_000)?, "TokenNotYetValid"),
        row("C07", "nbf in more than a minute", mint(issuer, "nbf", now + 90)?, "TokenNotYetValid"),
        row("C07", "nbf tomorrow", mint(issuer, "nbf", now + 86_400)?, "TokenNotYetValid"),
        row("C07", "nbf at the end of time", mint(issuer, "nbf", u64::MAX)?, "TokenNotYetValid"),
    ];
    for name in ["exp", "iat"] {
        let id = if name == "exp" { "C01" } else { "C08" };
        rows.push(row(id, format!("no {name}"), issuer.mint(&member(issuer.access()).without(name))?, "TimesRefused"));
    }
    // C02, C03: a time is a whole number, also where a fraction says the same.
    let whole = now as f64;
    for (name, later) in [("exp", 600.0), ("iat", 0.0), ("nbf", 0.0)] {
        let id = match name {
            "exp" => "C03",
            "iat" => "C08",
            _ => "C07",
        };
        let values = [
            json!(whole + later + 0.9),
            json!(whole + later - 0.1),
            json!(whole + later + 0.4),
            json!(whole + later),
            json!(-1),
            json!(-0.0),
            json!(1e18),
            json!(1e300),
            json!("4102444800"),
            json!("x"),
            json!(""),
            json!(null),
            json!(true),
            json!([now + 600]),
            json!({"": now + 600}),
        ];
        for value in values {
            rows.push(row(id, format!("{name} {value}"), mint(issuer, name, value)?, "TimesRefused"));
        }
        // More than 64 bits, and a whole number with an exponent.
        let text = member(issuer.access()).without(name).text();
        for number in ["18446744073709551616", "1e10", "4102444800.0", "40e8"] {
            let payload = text.replacen('{', &format!("{{\"{name}\":{number},"), 1);
            rows.push(row(id, format!("{name} {number}"), issuer.mint_raw(payload)?, "TimesRefused"));
        }
    }
    rows.push(row("C03", "exp at the end of time", mint(issuer, "exp", u64::MAX)?, "TimesRefused"));
    Ok(rows)
}

#[test]
fn leeway_is_what_the_setting_says() -> Result<()> {
    let mut gate = Gate::open(&[("LEEWAY_SECONDS", "60")])?;
    let now = now();
    // C05, C11: the exact bounds are pinned beside the code, where time stands still.
    for (exp, expected) in [(now - 30, "Allowed"), (now - 60, "TokenExpired"), (now - 61, "TokenExpired")] {
        let claims = member(gate.issuer.access()).with("iat", now - 600).with("exp", exp);
        let code = gate.ask(&gate.issuer.mint(&claims)?, "GET", "/items")?.1;
        ensure!(code == expected, "C05 {} s past exp: {code}", now - exp);
    }
    Ok(())
}

#[test]
fn a_clock_that_is_wrong_refuses_and_never_fails() -> Result<()> {
    let clock = Clock::new()?;
    let settings = clock.settings()?;
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut gate = Gate::before(TokenIssuer::start()?, &settings)?;
    const DAY: i64 = 86_400;
    let right = i64::try_from(now())?;
    // How far the clock is away, and what it makes of a token of an hour.
    let table = [
        ("half a minute fast", 30, "Allowed"),
        ("a minute fast", 61, "Allowed"),
        ("a day fast", DAY, "TokenExpired"),
        ("half a minute slow", -30, "Allowed"),
        ("more than a minute slow", -70, "TokenNotYetValid"),
        ("a day slow", -DAY, "TokenNotYetValid"),
        ("at its beginning", -right + 5, "TokenNotYetValid"),
        ("before its beginning", -right - DAY, "TokenNotYetValid"),
        ("in 2038, past 31 bits", 2_147_483_648 - right + 5, "TokenExpired"),
        ("in 2106, past 32 bits", 4_294_967_296 - right + 5, "TokenExpired"),
    ];
    for (says, away, expected) in table {
        clock.set(away, 0)?;
        let token = gate.issuer.mint(&member(gate.issuer.access()))?;
        let code = gate.ask(&token, "GET", "/items")?.1;
        ensure!(code == expected, "C11 {says}: {code} instead of {expected}");
        // A token of that time is good then; before the beginning there is none.
        let Ok(then) = u64::try_from(right + away) else { continue };
        let claims = member(gate.issuer.access()).with("iat", then).with("auth_time", then).with("exp", then + 3_600);
        let code = gate.ask(&gate.issuer.mint(&claims)?, "GET", "/items")?.1;
        ensure!(code == "Allowed", "C11 {says}, a token of that time: {code}");
    }
    clock.set(0, 0)?;
    gate.still_serves()
}
