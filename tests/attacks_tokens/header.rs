//! Rows H: the header, and the key that it names.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::gateway::Passage;
use tests::{TokenIssuer, compact, encode, other_signing_key, signing_key};

use crate::{Gate, MALFORMED, Row, algorithms, member, row};

#[test]
fn a_header_chooses_neither_algorithm_nor_key() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let mut rows = algorithms::rows(&gate.issuer)?;
    rows.extend(key_names(&gate.issuer)?);
    rows.extend(keys_of_ones_own(&gate.issuer)?);
    rows.extend(extensions(&gate.issuer, &gate.good)?);
    gate.refuses_all(&rows)?;
    // H20: what a header names is never fetched. One fetch was at start, and one
    // for a key name that the set did not have, as often as that is allowed.
    let most = 2 + gate.since.elapsed().as_secs() / 10;
    ensure!(gate.issuer.fetches() as u64 <= most, "the key set was asked for {} times", gate.issuer.fetches());
    Ok(())
}

/// H28: a member that means nothing here is read past, whatever it is. H27: the one
/// type that says no more than what it is. H14: the good key's own name has signs
/// that base64url does not.
#[test]
fn a_header_may_say_what_means_nothing() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let text = member(gate.issuer.access()).text();
    let headers = [
        json!({"v": 1}),
        json!({"v": 1.5}),
        json!({"v": null}),
        json!({"v": ["a", 1]}),
        json!({"v": {"kid": "x", "alg": "none", "jwk": {}}}),
        json!({"x": true}),
        json!({"Alg": "none", "KID": "x", "ALG": "HS256"}),
        json!({"iss": "https://other.example", "exp": 1}),
        json!({"typ": "JWT"}),
        json!({"typ": "jwt"}),
    ];
    for more in headers {
        let mut header = json!({"alg": "RS256", "kid": gate.issuer.kid});
        if let (Some(header), Some(more)) = (header.as_object_mut(), more.as_object()) {
            header.extend(more.clone());
        }
        let token = compact(header.to_string(), &text, signing_key()?)?;
        let (heard, code, _) = gate.ask(&token, "GET", "/items")?;
        ensure!(heard == Passage::Allowed, "H28 {more}: {code}");
    }
    Ok(())
}

/// H10: with one key in the set and with two, a token says which.
#[test]
fn a_key_is_named_even_where_there_is_only_one() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    issuer.serve_keys(&[signing_key()?.jwk(&issuer.kid), other_signing_key()?.jwk("kA2")]);
    let mut gate = Gate::before(issuer, &[])?;
    let text = member(gate.issuer.access()).text();
    let of = |kid: &str| json!({"alg": "RS256", "kid": kid}).to_string();
    let kid = gate.issuer.kid.clone();
    let (one, two) = (signing_key()?, other_signing_key()?);
    for (says, token, expected) in [
        ("the first by its name", compact(of(&kid), &text, one)?, "Allowed"),
        ("the second by its name", compact(of("kA2"), &text, two)?, "Allowed"),
        ("the first without", compact(r#"{"alg":"RS256"}"#, &text, one)?, "KeyIdMissing"),
        ("the second without", compact(r#"{"alg":"RS256"}"#, &text, two)?, "KeyIdMissing"),
        ("the first by the other's name", compact(of("kA2"), &text, one)?, "SignatureBad"),
        ("the second by the other's name", compact(of(&kid), &text, two)?, "SignatureBad"),
    ] {
        let code = gate.ask(&token, "GET", "/items")?.1;
        ensure!(code == expected, "H10 {says}: {code} instead of {expected}");
    }
    Ok(())
}

/// Names of keys that the set has not, and what is no name.
fn key_names(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let (key, kid) = (signing_key()?, issuer.kid.as_str());
    let text = member(issuer.access()).text();
    let signed = |header: Value| compact(header.to_string(), &text, key);
    let long = "k".repeat(256);
    let kids = [
        ("H12", "../../../../dev/null"),
        ("H12", "/proc/self/environ"),
        ("H12", "..%2f"),
        ("H12", "C:\\x"),
        ("H12", "file:///dev/null"),
        ("H12", "https://evil.example/keys#k"),
        ("H12", "|cat /etc/passwd"),
        ("H13", "' OR 1=1--"),
        ("H13", "*)(uid=*"),
        ("H13", "{\"$ne\":1}"),
        ("H13", "a\r\nALLOW"),
        ("H13", "\u{1b}[2J\u{1b}[31m"),
        ("H13", "${jndi:ldap://x}\u{2028}%n"),
        ("H13", "\u{85}\u{2029}\u{202e}"),
        ("H13", "a\",\"code\":\"Allowed"),
        ("H15", "kA1"),
        ("H15", "kA1+example/key"),
        ("H15", "kA1+example/key=x"),
        ("H15", "kA1+example/key=="),
        ("H15", "KA1+EXAMPLE/KEY="),
        ("H15", "kA1-example_key="),
        ("H15", "kA1%2Bexample%2Fkey%3D"),
        ("H15", "kA1 example/key="),
        ("H15", "\u{ff4b}A1+example/key="),
        ("H15", "kA1+e\u{301}xample/key="),
        ("H15", " kA1+example/key="),
        ("H15", "kA1+example/key= "),
        ("H15", "kA1+example/key=\0"),
        ("H15", "*"),
        ("H15", "0"),
        ("H15", &long),
    ];
    let mut rows = Vec::new();
    for (id, bad) in kids {
        rows.push(row(id, format!("kid {bad:?}"), signed(json!({"alg": "RS256", "kid": bad}))?, "KeyUnknown"));
    }
    rows.push(row("H10", "no kid", signed(json!({"alg": "RS256"}))?, "KeyIdMissing"));
    let no_names =
        [json!(""), json!(1), json!(null), json!(true), json!([kid]), json!({"$ne": 1}), json!("k".repeat(257))];
    for bad in no_names {
        rows.push(row("H11", format!("kid {bad:.40}"), signed(json!({"alg": "RS256", "kid": bad}))?, "KeyIdMissing"));
    }
    Ok(rows)
}

/// Keys that come along, and places to fetch them from.
fn keys_of_ones_own(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let (key, other) = (signing_key()?, other_signing_key()?);
    let (kid, text) = (issuer.kid.as_str(), member(issuer.access()).text());
    let here = format!("{}/keys", issuer.url());
    let chain = |key: &tests::SigningKey| json!([STANDARD.encode(key.public_der())]);
    let mut offers = vec![
        ("H18", "jwk", other.jwk(kid)),
        ("H18", "jwk", key.jwk(kid)),
        ("H18", "jwk", json!({})),
        ("H18", "jwk", json!(null)),
        ("H19", "x5c", chain(other)),
        ("H19", "x5c", chain(key)),
        ("H19", "x5c", json!([])),
        ("H19", "x5t", json!(encode([1; 20]))),
        ("H19", "x5t", json!(null)),
        ("H19", "x5t#S256", json!(encode([1; 32]))),
    ];
    let places = [
        here.as_str(),
        "https://evil.example/",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://cognito-idp.us-east-1.amazonaws.com@evil.example/",
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01/.well-known/jwks.json",
        "",
    ];
    for place in places {
        offers.extend([("H20", "jku", json!(place)), ("H20", "x5u", json!(place))]);
    }
    let mut rows = Vec::new();
    for (id, name, value) in offers {
        // Signed by whoever offers it and by the pool, with the pool's name for the key, another one, and none.
        for (says, signer) in [("an attacker", other), ("the pool", key)] {
            for named in [Some(kid), Some("attacker"), None] {
                let mut header = json!({"alg": "RS256", name: value});
                if let (Some(header), Some(named)) = (header.as_object_mut(), named) {
                    header.insert("kid".to_owned(), json!(named));
                }
                let says = format!("{name} {value:.60} by {says}, kid {named:?}");
                rows.push(row(id, says, compact(header.to_string(), &text, signer)?, "HeaderRefused"));
            }
        }
    }
    // Another spelling means nothing, and then the signature is an attacker's.
    for name in ["JWK", "Jku", "jku ", "x5C"] {
        let header = json!({"alg": "RS256", "kid": kid, name: other.jwk(kid)});
        rows.push(row(
            "H18",
            format!("{name:?} by an attacker"),
            compact(header.to_string(), &text, other)?,
            "SignatureBad",
        ));
    }
    Ok(rows)
}

/// What would change the meaning of the signature, of the payload, or of the token.
fn extensions(issuer: &TokenIssuer, good: &str) -> Result<Vec<Row>> {
    let (key, kid) = (signing_key()?, issuer.kid.as_str());
    let text = member(issuer.access()).text();
    let signed = |header: Value| compact(header.to_string(), &text, key);
    let mut rows = Vec::new();
    let crits = [
        ("H21", json!(["x"])),
        ("H22", json!(["exp"])),
        ("H22", json!(["alg"])),
        ("H22", json!(["b64"])),
        ("H22", json!([])),
        ("H22", json!("exp")),
        ("H22", json!(["x", "x"])),
        ("H22", json!(["y"])),
        ("H22", json!([1])),
        ("H22", json!({})),
        ("H22", json!(false)),
        ("H22", json!(null)),
    ];
    for (id, crit) in crits {
        let header = json!({"alg": "RS256", "kid": kid, "crit": crit, "x": "1"});
        rows.push(row(id, format!("crit {crit}"), signed(header)?, "HeaderRefused"));
    }
    for (id, name, value) in [
        ("H23", "b64", json!(false)),
        ("H23", "b64", json!(true)),
        ("H24", "zip", json!("DEF")),
        ("H24", "zip", json!(null)),
        ("H24", "enc", json!("A256GCM")),
        ("H25", "cty", json!("JWT")),
        ("H25", "cty", json!("json")),
    ] {
        let header = json!({"alg": "RS256", "kid": kid, name: value});
        rows.push(row(id, format!("{name} {value}"), signed(header)?, "HeaderRefused"));
    }
    let plain = json!({"alg": "RS256", "kid": kid}).to_string();
    rows.push(row("H25", "a token in a token", compact(&plain, good, key)?, MALFORMED));
    rows.push(row("H25", "a token in a token, as JSON", compact(&plain, json!(good).to_string(), key)?, MALFORMED));
    let nested = compact(json!({"alg": "RS256", "kid": kid, "cty": "JWT"}).to_string(), good, key)?;
    rows.push(row("H25", "a token in a token that says so", nested, "HeaderRefused"));
    let types = [
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!("secevent+jwt"),
        json!("at+jwt"),
        json!("JOSE"),
        json!("JWE"),
        json!("application/jwt"),
        json!("JWT "),
        json!(""),
        json!(1),
        json!(null),
        json!(["JWT"]),
        json!({}),
    ];
    for typ in types {
        let header = json!({"alg": "RS256", "kid": kid, "typ": typ});
        rows.push(row("H27", format!("typ {typ}"), signed(header)?, "HeaderRefused"));
    }
    Ok(rows)
}

#[test]
fn no_single_changed_bit_passes() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let good = gate.good.clone();
    let parts: Vec<&str> = good.split('.').collect();
    let mut tried = 0;
    for (index, part) in parts.iter().enumerate() {
        let bytes = URL_SAFE_NO_PAD.decode(part)?;
        // H30: every tenth bit here; every bit is tried beside the code.
        for bit in (index..bytes.len() * 8).step_by(10) {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut token: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            token[index] = encode(&changed);
            let (heard, code, _) = gate.ask(&token.join("."), "GET", "/items")?;
            ensure!(heard == Passage::Forbidden, "H30 segment {index}, bit {bit}: {heard:?}, {code}");
            tried += 1;
        }
    }
    ensure!(tried > 300, "only {tried} were tried");
    gate.still_serves()
}
