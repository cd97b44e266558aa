//! Forged, broken and misused tokens, put to the built authorizer.
//!
//! The ids are those of `attacks.md`, which also says what is not tried here.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::{hmac, rand, signature};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};
use tests::gateway::{Passage, arn, http_v2, passage, rest_token};
use tests::{
    Audit, Claims, Function, TokenIssuer, compact, encode, now, other_signing_key, signing_key, workspace_root,
};

/// One bad token: its row, what is bad about it, and the code it must get.
struct Row {
    id: &'static str,
    says: String,
    token: String,
    code: &'static str,
}

fn row(id: &'static str, says: impl Into<String>, token: impl Into<String>, code: &'static str) -> Row {
    Row { id, says: says.into(), token: token.into(), code }
}

/// An authorizer that trusts one pool, and that pool.
struct Gate {
    issuer: TokenIssuer,
    function: Function,
    good: String,
}

impl Gate {
    fn open(settings: &[(&str, &str)]) -> Result<Self> {
        let issuer = TokenIssuer::start()?;
        let rules = workspace_root().join("tests/attacks.rules.toml");
        let mut all = issuer.settings();
        all.push(("RULES_FILE".to_owned(), rules.display().to_string()));
        // L01: everything that could be told is told, and still holds no secret.
        all.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let function = Function::start("authorizer", all)?;
        let good = issuer.mint(&member(issuer.access()))?;
        Ok(Self { issuer, function, good })
    }

    /// Puts a bad token to the authorizer in two ways, and a good one after it. Checks L02, L04 and L05 as well:
    /// one JSON line with one code, and one answer whatever the reason is.
    fn refuses(&mut self, row: &Row) -> Result<()> {
        let mut audit = Audit::default();
        audit.keep_token(&row.token);
        let simple = self.function.invoke_json(&http_v2(&row.token, "GET", "/items"));
        audit.outcome(&self.function, &simple)?;
        let code = self.function.code_of(&simple);
        ensure!(code.as_deref() == Some(row.code), "the code is {code:?} instead of {}", row.code);
        // Whatever the reason is, every caller hears the same.
        ensure!(simple.json()? == json!({"isAuthorized": false}), "the reply is {:?}", simple.reply);
        let rest = self.function.invoke_json(&rest_token(&row.token, "GET", "/items"));
        audit.outcome(&self.function, &rest)?;
        let heard = passage(&rest, &arn("GET", "/items"));
        ensure!(heard == Passage::Unauthorized, "a REST API is told {:?}", rest.reply);
        for line in self.function.log_of(&simple).iter().chain(&self.function.log_of(&rest)) {
            audit.text(&line.text)?;
        }
        self.still_serves()
    }

    fn still_serves(&mut self) -> Result<()> {
        let outcome = self.function.invoke_json(&http_v2(&self.good, "GET", "/items"));
        let heard = passage(&outcome, &arn("GET", "/items"));
        ensure!(heard == Passage::Allowed, "a good token is told {:?} afterwards", outcome.reply);
        Ok(())
    }

    fn refuses_all(&mut self, rows: &[Row]) -> Result<()> {
        let mut failures = Vec::new();
        for row in rows {
            if let Err(error) = self.refuses(row) {
                failures.push(format!("{} {}: {error:#}", row.id, row.says));
            }
        }
        ensure!(failures.is_empty(), "{} of {} rows failed:\n{}", failures.len(), rows.len(), failures.join("\n"));
        Audit::default().printed(&self.function)
    }

    /// Puts a token to a route and says what came back, with the code.
    fn ask(&mut self, token: &str, method: &str, path: &str) -> Result<(Passage, String, Value)> {
        let outcome = self.function.invoke_json(&http_v2(token, method, path));
        let mut audit = Audit::default();
        audit.keep_token(token);
        audit.outcome(&self.function, &outcome)?;
        let code = self.function.code_of(&outcome).context("no code")?;
        let reply = outcome.json().unwrap_or_default();
        audit.text(&reply.to_string())?;
        Ok((passage(&outcome, &arn(method, path)), code, reply))
    }
}

fn member(claims: Claims) -> Claims {
    claims.with("tenant", "acme").with("roles", json!(["member"]))
}

const MALFORMED: &str = "TokenMalformed";

#[test]
fn a_token_that_is_not_one_is_refused() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let rows = structure(&gate.issuer, &gate.good)?;
    gate.refuses_all(&rows)?;
    ensure!(gate.issuer.fetches() == 1, "the key set was asked for {} times", gate.issuer.fetches());
    Ok(())
}

/// Rows S: the shape of a token.
fn structure(issuer: &TokenIssuer, good: &str) -> Result<Vec<Row>> {
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { anyhow::bail!("not a token") };
    let key = signing_key()?;
    let text = member(issuer.access()).text();
    let signed = |payload: &str| issuer.mint_raw(payload);
    let mut rows = vec![
        row("S02", "one dot", ".", MALFORMED),
        row("S02", "two dots", "..", MALFORMED),
        row("S02", "three dots", "...", MALFORMED),
        row("S03", "two segments", format!("{header}.{payload}"), MALFORMED),
        row("S04", "no signature", format!("{header}.{payload}."), MALFORMED),
        row("S06", "no header", format!(".{payload}.{signature}"), MALFORMED),
        row("S07", "four segments", format!("{good}.x"), MALFORMED),
        row("S08", "an encrypted token", jwe(), MALFORMED),
        row("S15", "a payload of impossible length", format!("{header}.{payload}AAAAA.{signature}"), MALFORMED),
        row("S15", "a signature of impossible length", format!("{header}.{payload}.AAAAA"), MALFORMED),
        row("S13", "padding", format!("{header}.{payload}.{signature}=="), MALFORMED),
        row("S13", "the other alphabet", with_other_alphabet(header)?, MALFORMED),
        row(
            "S18",
            "flattened JSON",
            json!({"payload": payload, "protected": header, "signature": signature}).to_string(),
            // Its commas look like several values of one header.
            "TokenAmbiguous",
        ),
        row(
            "S18",
            "JSON that splits at dots",
            format!("{{\"payload\":\"{header}.{payload}.{signature}\"}}"),
            MALFORMED,
        ),
        row("S21", "a byte order mark", signed(&format!("\u{feff}{text}"))?, MALFORMED),
        row("S25", "a lone surrogate", signed(&text.replacen('{', r#"{"x":"\ud800","#, 1))?, MALFORMED),
        row("S26", "alg twice", compact(r#"{"alg":"none","alg":"RS256","kid":"kA1"}"#, &text, key)?, MALFORMED),
        row(
            "S26",
            "kid twice",
            compact(format!(r#"{{"alg":"RS256","kid":"x","kid":{}}}"#, json!(issuer.kid)), &text, key)?,
            MALFORMED,
        ),
        row(
            "S28",
            "a claim twice, once escaped",
            signed(&text.replacen('{', r#"{"token\u005fuse":"access","#, 1))?,
            MALFORMED,
        ),
        row("S30", "very many claims", signed(&many_claims(100_000))?, "TokenTooLarge"),
        row("S32", "8 KiB and one byte", sized(issuer, 8 * 1024 + 1)?, "TokenTooLarge"),
        row("S32", "64 KiB", sized(issuer, 64 * 1024)?, "TokenTooLarge"),
    ];
    for signature in signatures(key.modulus()) {
        rows.push(row("S17", "a crafted signature", format!("{header}.{payload}.{signature}"), "SignatureBad"));
    }
    for bad in ["x", "[]", "null", "\"a\""] {
        rows.push(row("S19", format!("header {bad}"), compact(bad, &text, key)?, MALFORMED));
    }
    for bad in ["x", "[]", "null", "\"a\"", "1", "", "{}x"] {
        rows.push(row("S20", format!("payload {bad}"), signed(bad)?, MALFORMED));
    }
    for bad in ["{\"x\":1/*y*/}", "{'x':1}", "{\"x\":NaN}", "{\"x\":Infinity}", "{\"x\":0x1}", "{\"x\":1,}"] {
        rows.push(row("S24", format!("payload {bad}"), signed(bad)?, MALFORMED));
    }
    for name in
        ["iss", "exp", "nbf", "sub", "token_use", "client_id", "aud", "scope", "cognito:groups", "tenant", "roles"]
    {
        let claims = member(issuer.access()).with(name, "x").text();
        let first = claims.replacen('{', &format!("{{\"{name}\":\"y\","), 1);
        let last = format!("{},\"{name}\":\"y\"}}", claims.trim_end_matches('}'));
        rows.push(row("S27", format!("{name} twice, bad one first"), signed(&first)?, MALFORMED));
        rows.push(row("S27", format!("{name} twice, bad one last"), signed(&last)?, MALFORMED));
    }
    Ok(rows)
}

fn jwe() -> String {
    format!("{}.AAAA.AAAA.AAAA.AAAA", encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#))
}

/// The first segment in the alphabet of mail, with a `+` in it.
fn with_other_alphabet(header: &str) -> Result<String> {
    let payload = STANDARD_NO_PAD.encode("{\"a\":\"~~~>>>???\"}");
    ensure!(payload.contains('+') || payload.contains('/'), "no such sign in {payload}");
    let message = format!("{header}.{payload}");
    let signature = STANDARD_NO_PAD.encode(signing_key()?.sign(&message)?);
    Ok(format!("{message}.{signature}"))
}

/// Zero, one, the modulus less one, the modulus, all ones; and too short, too long.
fn signatures(modulus: &[u8]) -> Vec<String> {
    let mut one = vec![0; 256];
    one.splice(255.., [1]);
    let mut less = modulus.to_vec();
    if let Some(last) = less.last_mut() {
        *last -= 1;
    }
    [vec![0; 256], one, less, modulus.to_vec(), vec![255; 256], vec![1; 255], vec![1; 257], vec![1]]
        .iter()
        .map(encode)
        .collect()
}

fn many_claims(count: usize) -> String {
    let claims: Vec<String> = (0..count).map(|number| format!("\"c{number}\":1")).collect();
    format!("{{{}}}", claims.join(","))
}

/// A correctly signed token of exactly this many bytes, or one less where
/// base64url has no such length.
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

#[test]
fn the_longest_token_passes_and_no_token_is_missed() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    // S32: just fits.
    let token = sized(&gate.issuer, 8 * 1024 - 1)?;
    ensure!(token.len() <= 8 * 1024, "{} bytes", token.len());
    ensure!(gate.ask(&token, "GET", "/items")?.0 == Passage::Allowed, "S32 a token of {} bytes", token.len());
    // S01, and what else is no token at all.
    for value in ["", "Bearer", "Bearer "] {
        let mut event = http_v2("x", "GET", "/items");
        event["headers"]["authorization"] = json!(value);
        event["identitySource"] = json!([value]);
        let outcome = gate.function.invoke_json(&event);
        Audit::default().outcome(&gate.function, &outcome)?;
        ensure!(outcome.json()? == json!({"isAuthorized": false}), "S01 {value:?}: {:?}", outcome.reply);
    }
    gate.still_serves()
}

#[test]
fn a_huge_event_is_refused_quickly_and_forgotten() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    gate.still_serves()?;
    let before = gate.function.peak_memory()?;
    let size = 6_000_000;
    let rows = [
        ("S33", "A".repeat(size)),
        ("S34", ".".repeat(size)),
        ("S33", sized(&gate.issuer, size)?),
        ("S33", format!("{}.{}.{}", encode("{}"), "A".repeat(size), encode("x"))),
    ];
    for (id, token) in rows {
        let begun = std::time::Instant::now();
        let outcome = gate.function.invoke_json(&http_v2(&token, "GET", "/items"));
        Audit::default().outcome(&gate.function, &outcome).context(id)?;
        ensure!(outcome.json()? == json!({"isAuthorized": false}), "{id}: {:?}", outcome.reply);
        ensure!(begun.elapsed().as_secs() < 3, "{id} took {:?}", begun.elapsed());
        gate.still_serves()?;
    }
    // The event holds the token twice. The rest is what the runtime keeps of it.
    let grown = gate.function.peak_memory()?.saturating_sub(before);
    ensure!(grown < 6 * 2 * 6_000_000, "the process grew by {grown} bytes");
    Ok(())
}

#[test]
fn a_header_chooses_neither_algorithm_nor_key() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let rows = headers(&gate.issuer, &gate.good)?;
    gate.refuses_all(&rows)?;
    // H20: what a header names is never fetched. One fetch was at start, and one
    // may have been for a key name that the set did not have.
    ensure!(gate.issuer.fetches() <= 2, "the key set was asked for {} times", gate.issuer.fetches());
    // H14: the good key's own name has signs that base64url does not. H28: a
    // member that means nothing here is read past.
    let text = member(gate.issuer.access()).text();
    let header = json!({"alg": "RS256", "kid": gate.issuer.kid, "v": 1}).to_string();
    let token = compact(header, text, signing_key()?)?;
    ensure!(gate.ask(&token, "GET", "/items")?.0 == Passage::Allowed, "H28 a number in the header");
    Ok(())
}

/// Rows H: the header and the key.
fn headers(issuer: &TokenIssuer, good: &str) -> Result<Vec<Row>> {
    let (key, other) = (signing_key()?, other_signing_key()?);
    let text = member(issuer.access()).text();
    let kid = issuer.kid.as_str();
    let signed = |header: Value| compact(header.to_string(), &text, key);
    let mut rows = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", " none"] {
        let header = json!({"alg": alg, "kid": kid});
        let message = format!("{}.{}", encode(header.to_string()), encode(&text));
        rows.push(row("H01", format!("alg {alg:?}, nothing"), format!("{message}."), MALFORMED));
        rows.push(row("H01", format!("alg {alg:?}, garbage"), format!("{message}.AAAA"), "AlgorithmRefused"));
        rows.push(row("H01", format!("alg {alg:?}, signed"), signed(header)?, "AlgorithmRefused"));
    }
    let algorithms = [
        ("H03", ["rs256", "Rs256", "RS256 ", "RS256\0", ""]),
        ("H09", ["EdDSA", "ES256K", "ML-DSA-44", "dir", "PS256"]),
    ];
    for (id, alg) in algorithms.iter().flat_map(|(id, names)| names.map(|name| (*id, name))) {
        rows.push(row(id, format!("alg {alg:?}"), signed(json!({"alg": alg, "kid": kid}))?, "AlgorithmRefused"));
    }
    for alg in [json!(null), json!(["RS256"]), json!(1)] {
        rows.push(row("H03", format!("alg {alg}"), signed(json!({"alg": alg, "kid": kid}))?, "AlgorithmRefused"));
    }
    for (name, secret) in hmac_secrets(kid)? {
        rows.push(row("H04", format!("HMAC with the {name}"), hmac_token(kid, &text, &secret), "AlgorithmRefused"));
    }
    rows.push(row("H08", "ES256 under the RSA key's name", es256(kid, &text)?, "AlgorithmRefused"));
    rows.push(row("H10", "no kid", signed(json!({"alg": "RS256"}))?, "KeyIdMissing"));
    let kids = [
        ("H12", "../../../../dev/null"),
        ("H12", "/proc/self/environ"),
        ("H12", "..%2f"),
        ("H12", "C:\\x"),
        ("H13", "' OR 1=1--"),
        ("H13", "*)(uid=*"),
        ("H13", "{\"$ne\":1}"),
        ("H13", "a\r\nALLOW"),
        ("H13", "\u{1b}[2J\u{1b}[31m"),
        ("H13", "${jndi:ldap://x}\u{2028}%n"),
        ("H15", "kA1"),
        ("H15", "kA1+example/key"),
        ("H15", "kA1+example/key=x"),
        ("H15", "KA1+EXAMPLE/KEY="),
        ("H15", "\u{ff4b}A1+example/key="),
        ("H15", " kA1+example/key="),
        ("H15", "kA1+example/key=\0"),
    ];
    for (id, bad) in kids {
        rows.push(row(id, format!("kid {bad:?}"), signed(json!({"alg": "RS256", "kid": bad}))?, "KeyUnknown"));
    }
    for bad in [json!(""), json!(1), json!(null), json!([kid]), json!("k".repeat(300))] {
        rows.push(row("H10", format!("kid {bad}"), signed(json!({"alg": "RS256", "kid": bad}))?, "KeyIdMissing"));
    }
    let attacker = |header: Value| compact(header.to_string(), &text, other);
    let jwk = other.jwk(kid);
    rows.push(row(
        "H18",
        "a key in the header",
        attacker(json!({"alg": "RS256", "kid": kid, "jwk": jwk}))?,
        "HeaderRefused",
    ));
    rows.push(row("H18", "the same without kid", attacker(json!({"alg": "RS256", "jwk": jwk}))?, "HeaderRefused"));
    for name in ["x5c", "x5t", "x5t#S256"] {
        let header = json!({"alg": "RS256", "kid": kid, name: [STANDARD.encode(other.public_der())]});
        rows.push(row("H19", format!("{name} in the header"), attacker(header)?, "HeaderRefused"));
    }
    let here = format!("{}/keys", issuer.url());
    let places = [
        here.as_str(),
        "https://evil.example/",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://cognito-idp.us-east-1.amazonaws.com@evil.example/",
    ];
    for place in places {
        for name in ["jku", "x5u"] {
            let header = json!({"alg": "RS256", "kid": kid, name: place});
            rows.push(row("H20", format!("{name} {place}"), attacker(header.clone())?, "HeaderRefused"));
            rows.push(row("H20", format!("{name} {place}, well signed"), signed(header)?, "HeaderRefused"));
        }
    }
    let crits = [
        ("H21", json!(["x"])),
        ("H22", json!(["exp"])),
        ("H22", json!(["alg"])),
        ("H22", json!([])),
        ("H22", json!("exp")),
        ("H22", json!(["x", "x"])),
        ("H22", json!(["y"])),
        ("H22", json!(null)),
    ];
    for (id, crit) in crits {
        let header = json!({"alg": "RS256", "kid": kid, "crit": crit, "x": "1"});
        rows.push(row(id, format!("crit {crit}"), signed(header)?, "HeaderRefused"));
    }
    let nested = compact(json!({"alg": "RS256", "kid": kid}).to_string(), good, key)?;
    rows.push(row("H25", "a token in a token", nested, MALFORMED));
    rows.push(row("H25", "cty alone", signed(json!({"alg": "RS256", "kid": kid, "cty": "JWT"}))?, "HeaderRefused"));
    for typ in [json!("logout+jwt"), json!("dpop+jwt"), json!("secevent+jwt"), json!("JOSE"), json!(1), json!(null)] {
        let header = json!({"alg": "RS256", "kid": kid, "typ": typ});
        rows.push(row("H27", format!("typ {typ}"), signed(header)?, "HeaderRefused"));
    }
    rows.push(row("H29", "somebody else's signature", attacker(json!({"alg": "RS256", "kid": kid}))?, "SignatureBad"));
    Ok(rows)
}

/// What somebody would use as an HMAC secret who has only the public key.
fn hmac_secrets(kid: &str) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let key = signing_key()?;
    let body = STANDARD.encode(key.public_der());
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{body}\n-----END RSA PUBLIC KEY-----\n");
    Ok(vec![
        ("PEM", pem.into_bytes()),
        ("DER", key.public_der().to_vec()),
        ("JWK", key.jwk(kid).to_string().into_bytes()),
        ("modulus", key.modulus().to_vec()),
        ("name", kid.as_bytes().to_vec()),
    ])
}

fn hmac_token(kid: &str, payload: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(json!({"alg": "HS256", "kid": kid}).to_string()), encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

fn es256(kid: &str, payload: &str) -> Result<String> {
    let pair = signature::EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let message = format!("{}.{}", encode(json!({"alg": "ES256", "kid": kid}).to_string()), encode(payload));
    let signed = pair.sign(&rand::SystemRandom::new(), message.as_bytes())?;
    Ok(format!("{message}.{}", encode(signed)))
}

#[test]
fn no_single_changed_bit_passes() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let good = gate.good.clone();
    let parts: Vec<&str> = good.split('.').collect();
    let mut tried = 0;
    for (index, part) in parts.iter().enumerate() {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part)?;
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

#[test]
fn a_genuine_token_with_wrong_claims_is_refused() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let rows = claims(&gate.issuer)?;
    gate.refuses_all(&rows)?;
    // C15, C17, K21: an issuer that is not ours is never asked for anything.
    ensure!(gate.issuer.fetches() == 1, "the key set was asked for {} times", gate.issuer.fetches());
    Ok(())
}

/// Rows C: what a signed token says.
fn claims(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let good = || member(issuer.access());
    let mint = |claims: Claims| issuer.mint(&claims);
    let now = now();
    let mut rows = vec![
        row("C01", "no exp", mint(good().without("exp"))?, "TimesRefused"),
        row("C03", "exp with a fraction", mint(good().with("exp", now as f64 + 600.9))?, "TimesRefused"),
        row("C03", "exp as a text", mint(good().with("exp", "4102444800"))?, "TimesRefused"),
        row("C05", "exp has come", mint(good().with("iat", now - 600).with("exp", now))?, "TokenExpired"),
        row("C05", "exp was a second ago", mint(good().with("iat", now - 600).with("exp", now - 1))?, "TokenExpired"),
        row("C06", "lives for two days", mint(good().with("exp", now + 2 * 86_400))?, "TimesRefused"),
        row(
            "C08",
            "iat tomorrow",
            mint(good().with("iat", now + 86_400).with("exp", now + 90_000))?,
            "TokenNotYetValid",
        ),
        row("C08", "no iat", mint(good().without("iat"))?, "TimesRefused"),
        row("C08", "iat as a text", mint(good().with("iat", "x"))?, "TimesRefused"),
        row("C08", "nbf tomorrow", mint(good().with("nbf", now + 86_400))?, "TokenNotYetValid"),
        row("C12", "no iss", mint(good().without("iss"))?, "IssuerRefused"),
        row("C22", "no client_id", mint(good().without("client_id"))?, "ClientRefused"),
        row("C20", "no token_use", mint(good().without("token_use"))?, "TokenUseRefused"),
        row("C21", "another client of the pool", mint(good().with("client_id", "2example23456789"))?, "ClientRefused"),
        row(
            "C24",
            "an access token for a resource",
            mint(good().with("aud", "https://api.example"))?,
            "AudienceRefused",
        ),
        row("C25", "client_id and aud disagree", mint(good().with("aud", "2example23456789"))?, "AudienceRefused"),
        row("C15", "another pool of the region", other_pool()?, "IssuerRefused"),
        row(
            "H16",
            "our issuer, another pool's key",
            compact(r#"{"alg":"RS256","kid":"kB1"}"#, good().text(), other_signing_key()?)?,
            "KeyUnknown",
        ),
    ];
    for iss in [json!(null), json!(1), json!(""), json!([issuer.issuer]), json!({"iss": issuer.issuer})] {
        rows.push(row("C12", format!("iss {iss}"), mint(good().with("iss", iss))?, "IssuerRefused"));
    }
    let near = [
        format!("{}/", issuer.issuer),
        issuer.issuer.to_uppercase(),
        issuer.issuer.replace("https:", "http:"),
        issuer.issuer.replace(".com/", ".com:443/"),
        issuer.issuer.replace("EXAMPLE01", "EXAMPLE0"),
        issuer.issuer.replace("EXAMPLE01", "EXAMPLE01x"),
        issuer.issuer.replace('_', "%5F"),
        issuer.issuer.replace("amazonaws", "\u{0430}mazonaws"),
        issuer.issuer.replace("https://", "https://x@"),
        format!(" {}", issuer.issuer),
    ];
    for iss in near {
        rows.push(row("C14", format!("iss {iss}"), mint(good().with("iss", iss.as_str()))?, "IssuerRefused"));
    }
    let elsewhere = [
        ("C16", issuer.issuer.replace("us-east-1.", "eu-west-1.")),
        ("C17", format!("{}/", issuer.url())),
        ("C17", "http://127.0.0.1:9/".to_owned()),
        ("C17", "file:///etc/passwd".to_owned()),
    ];
    for (id, iss) in elsewhere {
        rows.push(row(id, format!("iss {iss}"), mint(good().with("iss", iss.as_str()))?, "IssuerRefused"));
    }
    for value in [json!(null), json!("Access"), json!(["access"]), json!("refresh"), json!(""), json!("access ")] {
        rows.push(row("C20", format!("token_use {value}"), mint(good().with("token_use", value))?, "TokenUseRefused"));
    }
    let upper = issuer.client_id.to_uppercase();
    for value in [json!(null), json!([issuer.client_id]), json!(1), json!(""), json!(upper)] {
        rows.push(row("C22", format!("client_id {value}"), mint(good().with("client_id", value))?, "ClientRefused"));
    }
    let tenants = ["t1#", "t1/../t2", "*", "t1*", "?", "${aws:PrincipalTag/x}", "T1", "t1 ", "\u{ff54}1", "", "-t"];
    for value in tenants.map(str::to_owned).into_iter().chain(["t".repeat(257)]) {
        rows.push(row(
            "C33",
            format!("tenant {value:?}"),
            mint(good().with("tenant", value.as_str()))?,
            "TenantRefused",
        ));
    }
    for value in [json!(["acme"]), json!(1), json!(null), json!({"tenant": "acme"})] {
        rows.push(row("C32", format!("tenant {value}"), mint(good().with("tenant", value))?, "TenantRefused"));
    }
    for value in
        [json!("admin  member"), json!("admin\tmember"), json!(["Admin"]), json!([1]), json!({}), json!(["a b"])]
    {
        rows.push(row("C32", format!("roles {value}"), mint(good().with("roles", value))?, "RightsRefused"));
    }
    for value in [json!(["items/admin"]), json!(1), json!(null)] {
        rows.push(row("C28", format!("scope {value}"), mint(good().with("scope", value))?, "RightsRefused"));
    }
    for value in
        [json!(null), json!(""), json!(1), json!("a#b"), json!("../x"), json!("s".repeat(10_000 / 8)), json!("a\u{0}b")]
    {
        rows.push(row("P12", format!("sub {value}"), mint(good().with("sub", value))?, "SubjectRefused"));
    }
    Ok(rows)
}

fn other_pool() -> Result<String> {
    let pool = TokenIssuer::start()?;
    let claims = member(pool.access()).with("iss", pool.issuer.replace("EXAMPLE01", "EXAMPLE02"));
    compact(r#"{"alg":"RS256","kid":"kB1"}"#, claims.text(), other_signing_key()?)
}

#[test]
fn a_genuine_token_opens_what_it_is_for_and_nothing_else() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let (access, id) = (member(gate.issuer.access()), member(gate.issuer.id()));
    let client = gate.issuer.client_id.clone();
    let machine = gate.issuer.access().without("username").with("sub", client.as_str());
    let scoped = |scope: &str| access.clone().with("scope", scope);
    let table = [
        ("C19", "an access token where an ID token is asked for", access.clone(), "/profile", "TokenKindRefused"),
        ("C19", "an ID token where an access token is asked for", id.clone(), "/items", "TokenKindRefused"),
        ("C23", "an ID token", id.clone(), "/profile", "Allowed"),
        ("C23", "aud is a list of our client", id.clone().with("aud", json!([client])), "/profile", "Allowed"),
        ("C23", "aud names a stranger too", id.clone().with("aud", json!([client, "x"])), "/profile", "ClientRefused"),
        ("C23", "aud is an empty list", id.clone().with("aud", json!([])), "/profile", "ClientRefused"),
        ("C23", "aud is empty", id.clone().with("aud", ""), "/profile", "ClientRefused"),
        ("C25", "client_id disagrees with aud", id.clone().with("client_id", "x"), "/profile", "ClientRefused"),
        ("C24", "aud repeats the client", access.clone().with("aud", client.as_str()), "/items", "Allowed"),
        ("C10", "auth_time to come", access.clone().with("auth_time", now() + 3_600), "/items", "Allowed"),
        ("C27", "another user's name", access.clone().with("username", "root"), "/items", "Allowed"),
        ("C28", "the scope", scoped("openid items/admin"), "/scoped", "Allowed"),
        ("C28", "no scope", access.clone().without("scope"), "/scoped", "ScopeMissing"),
        ("C28", "an empty scope", scoped(""), "/scoped", "ScopeMissing"),
        ("C28", "a tab between scopes", scoped("openid\titems/admin"), "/scoped", "ScopeMissing"),
        ("C28", "part of another scope", scoped("notitems/admin items/administrator"), "/scoped", "ScopeMissing"),
        ("C28", "a wide blank", scoped("openid\u{3000}items/admin"), "/scoped", "ScopeMissing"),
        ("C28", "capitals", scoped("Items/Admin"), "/scoped", "ScopeMissing"),
        (
            "C31",
            "foreign IAM roles",
            access.clone().with("cognito:roles", json!(["arn:aws:iam::1:role/admin"])),
            "/admin/members",
            "RoleMissing",
        ),
        (
            "C31",
            "a preferred role",
            access.clone().with("cognito:preferred_role", "admin"),
            "/admin/members",
            "RoleMissing",
        ),
        ("C32", "no tenant", access.clone().without("tenant"), "/items", "TenantMissing"),
        (
            "C32",
            "a tenant of the user's own making",
            access.clone().without("tenant").with("custom:tenant", "acme"),
            "/items",
            "TenantMissing",
        ),
        (
            "C32",
            "a tenant by group",
            access.clone().without("tenant").with("cognito:groups", json!(["acme:admin"])),
            "/items",
            "TenantMissing",
        ),
        (
            "C32",
            "two sources disagree",
            access.clone().with("custom:tenant", "globex"),
            "/tenants/globex",
            "TenantDiffers",
        ),
        (
            "C34",
            "a role of the user's own making",
            access.clone().with("custom:role", "admin"),
            "/admin/members",
            "RoleMissing",
        ),
        (
            "C34",
            "the same with other names",
            access.clone().with("role", "admin").with("custom:roles", "admin"),
            "/admin/members",
            "RoleMissing",
        ),
        (
            "C36",
            "odd letters in a name",
            access.clone().with("name", "e\u{301}\u{202e}\u{200d}\u{1f600}\u{0}"),
            "/items",
            "Allowed",
        ),
        ("A29", "a machine where only users go", machine.clone(), "/me", "MachineRefused"),
        ("P02", "a member where an administrator is asked for", access.clone(), "/admin/members", "RoleMissing"),
        ("P02", "an administrator", access.clone().with("roles", json!(["admin"])), "/admin/members", "Allowed"),
    ];
    for (id, says, claims, path, expected) in table {
        let (heard, code, reply) = gate.ask(&gate.issuer.mint(&claims)?, "GET", path)?;
        ensure!(code == expected, "{id} {says}: {code} instead of {expected}");
        ensure!((heard == Passage::Allowed) == (expected == "Allowed"), "{id} {says}: {heard:?}");
        if heard == Passage::Allowed {
            let subject = reply.pointer("/context/subject");
            ensure!(subject == Some(&json!(TokenIssuer::SUBJECT)), "{id} {says}: the subject is {subject:?}");
        } else {
            ensure!(reply == json!({"isAuthorized": false}) || reply.get("context").is_some(), "{id} {says}: {reply}");
        }
    }
    Ok(())
}

#[test]
fn leeway_is_what_the_setting_says() -> Result<()> {
    let mut gate = Gate::open(&[("LEEWAY_SECONDS", "60")])?;
    let now = now();
    // C05, C11: the exact bounds are pinned beside the code, where time stands still.
    for (exp, expected) in [(now - 30, "Allowed"), (now - 61, "TokenExpired")] {
        let claims = member(gate.issuer.access()).with("iat", now - 600).with("exp", exp);
        let code = gate.ask(&gate.issuer.mint(&claims)?, "GET", "/items")?.1;
        ensure!(code == expected, "C05 {} s past exp: {code}", now - exp);
    }
    Ok(())
}

#[test]
fn a_gate_without_its_settings_does_not_open() -> Result<()> {
    let rules = workspace_root().join("tests/attacks.rules.toml");
    let rules = rules.to_str().context("a path that is not UTF-8")?;
    ensure!(Path::new(rules).exists(), "{rules} is missing");
    let complete = [
        ("RULES_FILE", rules),
        ("ISSUERS", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE01"),
        ("CLIENT_IDS", "1example23456789"),
        ("KEY_SET_URL", "http://127.0.0.1:9/keys.json"),
    ];
    // P17: nothing that guards is left out by leaving it out.
    for missing in ["RULES_FILE", "ISSUERS", "CLIENT_IDS"] {
        let settings = complete.iter().filter(|(key, _)| *key != missing);
        let started = Function::start("authorizer", settings.copied());
        let Err(error) = started else { anyhow::bail!("P17 it started without {missing}") };
        ensure!(error.to_string().contains(missing), "P17 without {missing}: {error}");
    }
    for (key, bad) in [("KEY_SET_URL", "http://keys.example/jwks.json"), ("LEEWAY_SECONDS", "61"), ("ANSWER", "yes")] {
        let settings = complete.iter().copied().filter(|(name, _)| *name != key).chain([(key, bad)]);
        let Err(error) = Function::start("authorizer", settings) else {
            anyhow::bail!("P17 it started with {key}={bad}")
        };
        ensure!(error.to_string().contains(key), "P17 with {key}={bad}: {error}");
    }
    Ok(())
}
