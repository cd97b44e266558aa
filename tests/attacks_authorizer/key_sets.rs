//! Rows K and H33 to H36: key sets that cannot be had, and odd ones.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use tests::clock::Clock;
use tests::edit::with;
use tests::gateway::Passage::{self, Allowed, Forbidden};
use tests::gateway::{arn, http_v2, passage};
use tests::http::Response;
use tests::{Audit, Function, TokenIssuer, compact, encode, other_signing_key, signing_key, workspace_root};

use crate::{Gate, setting};

#[test]
fn without_a_key_set_nobody_passes_and_with_it_everybody_does() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let good = issuer_keys(&issuer)?;
    let elsewhere = TokenIssuer::start()?;
    let unusable = [bad_answers(&good, &issuer.url(), &elsewhere.url()), bad_documents(&good, &issuer.kid)?].concat();
    let mut gates = Vec::new();
    for (id, says, response) in unusable {
        let issuer = TokenIssuer::start()?;
        issuer.serve(response);
        let mut gate = Gate::before(issuer, &[])?;
        let token = gate.token.clone();
        let (heard, code) = gate.heard(&http_v2(&token, "GET", "/items"))?;
        // P17: nothing could be checked, so nothing is answered that could be cached.
        ensure!(heard == Passage::Failed && code == "KeySetUnavailable", "{id} {says}: {heard:?}, {code}");
        gate.issuer.serve_keys(&good);
        gates.push((id, says, gate));
    }
    // A failure is not for ever, and not asked about at every call.
    std::thread::sleep(Duration::from_millis(1_200));
    for (id, says, mut gate) in gates {
        gate.still_serves().with_context(|| format!("{id} {says}, once the key set is back"))?;
        ensure!(gate.issuer.fetches() <= 5, "{id} {says}: {} fetches", gate.issuer.fetches());
    }
    ensure!(elsewhere.fetches() == 0, "K12 a redirect was followed");
    Ok(())
}

/// A row's id, what is bad about it, and the answer.
type Bad = (&'static str, String, Response);

/// Answers of a server that is not well, or is not the one that was meant.
fn bad_answers(good: &[Value], here: &str, elsewhere: &str) -> Vec<Bad> {
    let keys = json!({"keys": good}).to_string();
    let json = |status: u16, body: &str| Response::new(status, "application/json", body);
    let mut rows: Vec<Bad> = Vec::new();
    for status in [204, 206, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        // What comes with it is good, and still no answer.
        rows.push(("K08", status.to_string(), json(status, &keys).header("retry-after", "1")));
    }
    rows.push(("K11", "a huge body".to_owned(), json(200, &format!("{{\"keys\":[]{}}}", " ".repeat(1_000_000)))));
    rows.push(("K11", "good keys and a huge rest".to_owned(), json(200, &format!("{keys}{}", " ".repeat(150_000)))));
    for coding in ["gzip", "deflate", "br", "x-unknown"] {
        rows.push(("K11", coding.to_owned(), json(200, &keys).header("content-encoding", coding)));
    }
    for status in [301, 302, 303, 307, 308] {
        for place in [&format!("{elsewhere}/keys"), here, "/other", "file:///etc/passwd", "https://evil.example/"] {
            rows.push(("K12", format!("{status} to {place}"), json(status, &keys).header("location", place)));
        }
    }
    for kind in
        ["text/html", "text/plain", "application/xml", "application/octet-stream", "text/html; application/json", ""]
    {
        rows.push(("K13", format!("good keys as {kind:?}"), Response::new(200, kind, keys.clone())));
    }
    rows.push(("K13", "a page".to_owned(), Response::new(200, "text/html", "<html>not now</html>")));
    rows.push(("K13", "a page that says it is JSON".to_owned(), json(200, "<html>not now</html>")));
    rows
}

/// Documents that are no key set, or one without a key that could be used.
fn bad_documents(good: &[Value], kid: &str) -> Result<Vec<Bad>> {
    let keys = json!({"keys": good}).to_string();
    let mut rows = Vec::new();
    let texts = [
        ("K13", "a byte order mark", format!("\u{feff}{keys}")),
        ("K13", "nothing", String::new()),
        ("K13", "a comment before it", format!("/* x */{keys}")),
        ("K13", "two documents", format!("{keys}{keys}")),
        ("K13", "cut off", keys.trim_end_matches('}').to_owned()),
        ("K13", "a call of a function", format!("keys({keys})")),
        ("K14", "no keys", "{}".to_owned()),
        ("K14", "an empty list", r#"{"keys":[]}"#.to_owned()),
        ("K14", "keys that are an object", r#"{"keys":{}}"#.to_owned()),
        ("K14", "null", r#"{"keys":null}"#.to_owned()),
        ("K14", "a list", format!("[{keys}]")),
        ("K14", "the keys alone", json!(good).to_string()),
        ("K14", "the key alone", good[0].to_string()),
        ("K14", "another name", json!({"Keys": good}).to_string()),
        ("K14", "keys twice", format!("{{\"keys\":{},\"keys\":[]}}", json!(good))),
        ("K14", "entries that are none", r#"{"keys":[1,"x",null,[]]}"#.to_owned()),
        ("H34", "two keys of one name", json!({"keys": [good[0], other_signing_key()?.jwk(kid)]}).to_string()),
        ("H34", "the same key twice", json!({"keys": [good[0], good[0]]}).to_string()),
        ("H33", "a shared secret", json!({"keys": [{"kty": "oct", "kid": kid, "k": "c2VjcmV0"}]}).to_string()),
        (
            "H33",
            "a shared secret with a modulus",
            json!({"keys": [with(good[0].clone(), "/kty", json!("oct"))]}).to_string(),
        ),
    ];
    for (id, says, text) in texts {
        rows.push((id, says.to_owned(), Response::new(200, "application/json", text)));
    }
    for (id, says, key) in weak_keys(&good[0])? {
        let text = json!({"keys": [key]}).to_string();
        rows.push((id, says.to_owned(), Response::new(200, "application/json", text)));
    }
    Ok(rows)
}

/// The good key made weak, or made for something else.
fn weak_keys(good: &Value) -> Result<Vec<(&'static str, &'static str, Value)>> {
    let n = signing_key()?.modulus().to_vec();
    let (first, last) = (n.get(..128).context("short")?.to_vec(), n.len() - 1);
    let mut even = n.clone();
    even[last] &= 0xfe;
    let mut small = first;
    small[127] |= 1;
    let mut large = vec![0xff; 2_048];
    large[0] = 0x81;
    let made = |name: &str, value: Value| with(good.clone(), &format!("/{name}"), value);
    let rows = [
        ("H35", "1,024 bits", "n", json!(encode(small))),
        ("H35", "2,047 bits", "n", json!(encode([&[0x7f], &n[1..]].concat()))),
        ("H35", "16,384 bits", "n", json!(encode(large))),
        ("H35", "an even modulus", "n", json!(encode(even))),
        ("H35", "a modulus of 0", "n", json!(encode([0]))),
        ("H35", "256 zeros", "n", json!(encode([0; 256]))),
        ("H35", "no modulus", "n", json!("")),
        ("H35", "a modulus with a zero before it", "n", json!(encode([&[0][..], &n].concat()))),
        ("H35", "a modulus with padding", "n", json!(format!("{}==", encode(&n)))),
        ("H35", "an exponent of 0", "e", json!("AA")),
        ("H35", "an exponent of 1", "e", json!("AQ")),
        ("H35", "an exponent of 2", "e", json!("Ag")),
        ("H35", "an exponent of 3", "e", json!("Aw")),
        ("H35", "an even exponent", "e", json!(encode([1, 0, 2]))),
        ("H35", "an exponent above 2^32", "e", json!(encode([1, 0, 0, 0, 1]))),
        ("H35", "an exponent as large as the modulus", "e", json!(encode(&n))),
        ("H35", "an exponent that is a number", "e", json!(65_537)),
        ("H31", "for encryption", "use", json!("enc")),
        ("H32", "for another algorithm", "alg", json!("RS512")),
        ("H32", "for an HMAC", "alg", json!("HS256")),
        ("H32", "to sign alone", "key_ops", json!(["sign"])),
    ];
    Ok(rows.into_iter().map(|(id, says, name, value)| (id, says, made(name, value))).collect())
}

/// What was fetched before goes on serving, whatever comes later in its place.
#[test]
fn a_bad_document_never_takes_the_place_of_a_good_one() -> Result<()> {
    let (clock, issuer, elsewhere) = (Clock::new()?, TokenIssuer::start()?, TokenIssuer::start()?);
    let good = issuer_keys(&issuer)?;
    let bad = [bad_answers(&good, &issuer.url(), &elsewhere.url()), bad_documents(&good, &issuer.kid)?].concat();
    let settings = clock.settings()?;
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut gate = Gate::before(issuer, &settings)?;
    gate.still_serves()?;
    let mut hours = 0;
    for (id, says, response) in bad {
        // A new set is due. In between a good one, so that the old one never gets too old.
        for response in [Some(response), None] {
            hours += 1;
            match response {
                Some(response) => gate.issuer.serve(response),
                None => gate.issuer.serve_keys(&good),
            }
            clock.set(0, hours * 3_601)?;
            let (before, told) = (gate.issuer.fetches(), gate.function.lines().len());
            gate.still_serves().with_context(|| format!("{id} {says}"))?;
            ensure!(gate.issuer.fetches() > before, "{id} {says}: nothing was fetched");
            if hours % 2 == 1 {
                let lines = gate.function.lines();
                let is_told = lines.iter().skip(told).any(|line| line.text.contains("KeySetNotFetched"));
                ensure!(is_told, "{id} {says}: nobody was told");
            }
        }
    }
    ensure!(elsewhere.fetches() == 0, "K12 a redirect was followed");
    Ok(())
}

#[test]
fn a_key_set_that_cannot_be_reached_is_waited_for_with_measure() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let good = json!({"keys": issuer_keys(&issuer)?}).to_string();
    let silent = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_silent = std::sync::Arc::clone(&silent);
    let server = tests::http::Server::start(move |_| {
        if is_silent.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::sleep(Duration::from_secs(3));
        }
        Response::new(200, "application/json", good.clone())
    })?;
    // A port that was free a moment ago, and a name that no resolver takes, for a label has 63 letters at most.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let rows = [
        ("refused", format!("http://{free}/keys")),
        ("no such name", format!("https://{}.example/keys", "a".repeat(64))),
        ("TLS where there is none", format!("https://{}/keys", server.address())),
        ("no answer in time", format!("{}/keys", server.url())),
    ];
    for (says, address) in rows {
        let rules = workspace_root().join("tests/attacks.rules.toml").display().to_string();
        let mut settings = issuer.settings();
        settings.retain(|(key, _)| key != "KEY_SET_URL");
        settings.extend([("KEY_SET_URL".to_owned(), address), ("RULES_FILE".to_owned(), rules)]);
        let mut function = Function::start("authorizer", settings)?;
        let token = issuer.mint(&issuer.access().with("tenant", "acme"))?;
        let event = http_v2(&token, "GET", "/items").to_string();
        // The first may ask again, the second comes too soon after it.
        for wait in [600, 0] {
            std::thread::sleep(Duration::from_millis(wait));
            let outcome = function.invoke(event.as_str());
            Audit::default().outcome(&function, &outcome)?;
            let code = function.code_of(&outcome);
            ensure!(code.as_deref() == Some("KeySetUnavailable"), "K08 {says}: {code:?}");
            ensure!(passage(&outcome, &arn("GET", "/items")) == Passage::Failed, "K08 {says}: {:?}", outcome.reply);
            // Two attempts of 0.7 s, on a machine that may be busy.
            ensure!(outcome.elapsed.as_millis() < 3_000, "K08 {says} took {:?}", outcome.elapsed);
        }
        if says == "no answer in time" {
            silent.store(false, std::sync::atomic::Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2_500));
            let outcome = function.invoke(event.as_str());
            ensure!(passage(&outcome, &arn("GET", "/items")) == Allowed, "K08 not for ever: {:?}", outcome.reply);
        }
    }
    Ok(())
}

fn issuer_keys(issuer: &TokenIssuer) -> Result<Vec<Value>> {
    Ok(vec![signing_key()?.jwk(&issuer.kid)])
}

/// `POOLHOUSE_CALLS` says how many; a good token comes after every tenth.
#[test]
fn unknown_names_cost_one_fetch_and_no_good_caller() -> Result<()> {
    let mut gate = Gate::open(&[("LOG_LEVEL", "info")])?;
    let (text, good) = (gate.issuer.access().with("tenant", "acme").text(), gate.token.clone());
    // Nobody looks at a signature under a name that is not known.
    let signature = encode(other_signing_key()?.sign("anything")?);
    let (good, here) = (http_v2(&good, "GET", "/items").to_string(), arn("GET", "/items"));
    let begun = std::time::Instant::now();
    let mut slowest = Duration::ZERO;
    for number in 0..setting("POOLHOUSE_CALLS", 2_000)? {
        let header = json!({"alg": "RS256", "kid": format!("k{number}")}).to_string();
        let token = format!("{}.{}.{signature}", encode(header), encode(&text));
        let outcome = gate.function.invoke_json(&http_v2(&token, "GET", "/items"));
        ensure!(passage(&outcome, &here) == Forbidden, "K03 {:?}", outcome.reply);
        if number % 10 == 0 {
            let outcome = gate.function.invoke(good.as_str());
            ensure!(passage(&outcome, &here) == Allowed, "K04 {:?}", outcome.reply);
            slowest = slowest.max(outcome.elapsed);
        }
    }
    // One at start, one for the first name, and one for each cool-down of 10 s that passed meanwhile.
    let most = 2 + usize::try_from(begun.elapsed().as_secs())? / 10;
    ensure!(gate.issuer.fetches() <= most, "K03 {} fetches in {:?}", gate.issuer.fetches(), begun.elapsed());
    ensure!(slowest.as_secs() < 2, "K04 a good token waited {slowest:?}");
    Audit::default().printed(&gate.function)?;
    gate.still_serves()
}

#[test]
fn a_set_with_odd_keys_serves_by_its_good_ones() -> Result<()> {
    let issuer = TokenIssuer::start()?;
    let good = signing_key()?.jwk(&issuer.kid);
    let mut leaked = other_signing_key()?.jwk("kA2");
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        leaked = with(leaked, &format!("/{member}"), json!(format!("canary-private-{member}")));
    }
    let secret = encode("a shared secret that everybody can read");
    let mut keys = vec![
        json!({"kty": "oct", "kid": "k1", "alg": "HS256", "k": secret}),
        json!({"kty": "EC", "kid": "k2", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "kid": "k3", "crv": "Ed25519", "x": "AA"}),
        json!({"kty": "oct", "kid": issuer.kid, "k": secret}),
        json!(7),
        json!(null),
        json!({"kty": "RSA", "kid": "k4", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "RSA", "n": good["n"], "e": "AQAB"}),
    ];
    let mut names = vec!["k1".to_owned(), "k2".to_owned(), "k3".to_owned(), "k4".to_owned(), String::new()];
    for (number, (_, _, key)) in weak_keys(&good)?.into_iter().enumerate() {
        names.push(format!("weak-{number}"));
        keys.push(with(key, "/kid", json!(format!("weak-{number}"))));
    }
    keys.extend([leaked, good]);
    issuer.serve_keys(&keys);
    let mut gate = Gate::before(issuer, &[])?;
    // H33, H36, K14: one key is usable, and it is used; the leak is told, not shown.
    gate.still_serves()?;
    let lines = gate.function.lines();
    ensure!(lines.iter().any(|line| line.text.contains("PrivateKeyPublished")), "H36 nobody was told");
    ensure!(!lines.iter().any(|line| line.text.contains("canary-private")), "H36 it was printed");
    // H36: its public part is as good as any.
    let text = gate.issuer.access().with("tenant", "acme").text();
    let of = |kid: &str, alg: &str| json!({"alg": alg, "kid": kid}).to_string();
    let token = compact(of("kA2", "RS256"), &text, other_signing_key()?)?;
    ensure!(gate.heard(&http_v2(&token, "GET", "/items"))?.0 == Allowed, "H36 the public part");
    // H33, H35: the others are not there, whoever signs in their name.
    for name in names {
        let token = compact(of(&name, "RS256"), &text, signing_key()?)?;
        let (heard, code) = gate.heard(&http_v2(&token, "GET", "/items"))?;
        let expected = if name.is_empty() { "KeyIdMissing" } else { "KeyUnknown" };
        ensure!(heard == Forbidden && code == expected, "H35 {name}: {heard:?}, {code}");
    }
    // H33: what is published as a secret opens nothing, under its own name or the good key's.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a shared secret that everybody can read");
    for (alg, kid, expected) in [
        ("HS256", "k1", "AlgorithmRefused"),
        ("HS256", &gate.issuer.kid.clone(), "AlgorithmRefused"),
        ("RS256", "k1", "KeyUnknown"),
        ("RS256", &gate.issuer.kid.clone(), "SignatureBad"),
    ] {
        let message = format!("{}.{}", encode(of(kid, alg)), encode(&text));
        let token = format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())));
        let (heard, code) = gate.heard(&http_v2(&token, "GET", "/items"))?;
        ensure!(heard == Forbidden && code == expected, "H33 {alg}, {kid}: {heard:?}, {code}");
    }
    gate.still_serves()
}
