//! Rows S: the shape of a token.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use serde_json::{Value, json};
use tests::{TokenIssuer, compact, encode, signing_key};

use crate::{Gate, MALFORMED, Row, member, row, sizes};

#[test]
fn a_token_that_is_not_one_is_refused() -> Result<()> {
    let mut gate = Gate::open(&[])?;
    let good = gate.good.clone();
    let mut rows = segments(&gate.issuer, &good)?;
    rows.extend(sizes::rows(&gate.issuer)?);
    rows.extend(documents(&gate.issuer)?);
    rows.extend(named_twice(&gate.issuer)?);
    gate.refuses_all(&rows)?;
    ensure!(gate.issuer.fetches() == 1, "the key set was asked for {} times", gate.issuer.fetches());
    Ok(())
}

/// Segments that are too few, too many, or spelled in another way.
fn segments(issuer: &TokenIssuer, good: &str) -> Result<Vec<Row>> {
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { anyhow::bail!("not a token") };
    let key = signing_key()?;
    let text = member(issuer.access()).text();
    let flattened = json!({"payload": payload, "protected": header, "signature": signature});
    let general = json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]});
    // Their commas look like several values of one header.
    const JOINED: &str = "TokenAmbiguous";
    let mut rows = vec![
        row("S02", "one dot", ".", MALFORMED),
        row("S02", "two dots", "..", MALFORMED),
        row("S02", "three dots", "...", MALFORMED),
        row("S03", "one segment", *header, MALFORMED),
        row("S03", "two segments", format!("{header}.{payload}"), MALFORMED),
        row("S04", "no signature", format!("{header}.{payload}."), MALFORMED),
        row("S05", "no payload", format!("{header}..{signature}"), MALFORMED),
        row("S06", "no header", format!(".{payload}.{signature}"), MALFORMED),
        row("S07", "four segments", format!("{good}.x"), MALFORMED),
        row("S07", "a dot more behind", format!("{good}."), MALFORMED),
        row("S07", "a dot more in front", format!(".{good}"), MALFORMED),
        row("S08", "an encrypted token", jwe(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, "AAAA"), MALFORMED),
        row("S08", "encrypted without a key", jwe(r#"{"alg":"dir","enc":"A256GCM"}"#, ""), MALFORMED),
        row("S08", "our own header before five segments", format!("{header}.{payload}.A.A.{signature}"), MALFORMED),
        row("S18", "flattened JSON", flattened.to_string(), JOINED),
        row("S18", "general JSON", general.to_string(), JOINED),
        row("S18", "JSON that splits at dots", format!("{{\"payload\":\"{good}\"}}"), MALFORMED),
        row("S18", "a list around it", format!("[\"{good}\"]"), MALFORMED),
        row("S18", "quotes around it", format!("\"{good}\""), MALFORMED),
        row("S18", "a blank within", format!("{header}. {payload}.{signature}"), MALFORMED),
        row("S18", "a line's end within", format!("{header}.\n{payload}.{signature}"), MALFORMED),
        row("S18", "NUL within", format!("{header}\0.{payload}.{signature}"), MALFORMED),
        row("S18", "a dot that is escaped", good.replace('.', "%2E"), MALFORMED),
        row("S18", "a wide dot", good.replace('.', "\u{ff0e}"), MALFORMED),
        row("S18", "a detached payload behind a tilde", format!("{good}~"), MALFORMED),
    ];
    // Each of the three, with the others as they were.
    for (place, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        let with = |segment: String| {
            let segments = parts.iter().enumerate().map(|(at, part)| if at == place { &segment } else { *part });
            segments.collect::<Vec<&str>>().join(".")
        };
        let segment = parts.get(place).context("three segments")?;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(segment)?;
        rows.push(row("S13", format!("a plus in the {name}"), with(format!("+{segment}")), MALFORMED));
        rows.push(row("S13", format!("a slash in the {name}"), with(format!("{segment}/")), MALFORMED));
        rows.push(row("S14", format!("padding behind the {name}"), with(format!("{segment}==")), MALFORMED));
        rows.push(row("S14", format!("one sign of padding behind the {name}"), with(format!("{segment}=")), MALFORMED));
        rows.push(row("S15", format!("a {name} of impossible length"), with(impossible(segment)), MALFORMED));
        rows.push(row("S15", format!("a {name} of one sign"), with("A".to_owned()), MALFORMED));
        if bytes.len() % 3 != 0 {
            rows.push(row("S16", format!("bits left over in the {name}"), with(respelled(segment)?), MALFORMED));
        }
    }
    // The same, signed as they stand: what is signed has to be spelled in the one way, too.
    let odd = r#"{"a":"~~~>>>???"}"#;
    for (id, says, header, payload) in [
        ("S13", "the payload in the other alphabet", encode(issuer.header()), STANDARD_NO_PAD.encode(odd)),
        ("S13", "the header in the other alphabet", STANDARD_NO_PAD.encode(odd), encode(&text)),
        ("S14", "padding that is signed", encode(issuer.header()), URL_SAFE.encode("{} ") + "="),
        ("S16", "bits left over that are signed", encode(issuer.header()), respelled(&encode("{}"))?),
    ] {
        let message = format!("{header}.{payload}");
        let token = format!("{message}.{}", encode(key.sign(&message)?));
        rows.push(row(id, format!("{says}, signed so"), token, MALFORMED));
    }
    let mail = STANDARD_NO_PAD.encode(key.sign(&format!("{header}.{payload}"))?);
    ensure!(mail.contains(['+', '/']), "256 bytes without either sign");
    rows.push(row("S13", "the signature in the other alphabet", format!("{header}.{payload}.{mail}"), MALFORMED));
    for (says, bytes) in signatures(key.modulus(), &key.sign(&format!("{header}.{payload}"))?) {
        rows.push(row("S17", says, format!("{header}.{payload}.{}", encode(bytes)), "SignatureBad"));
    }
    Ok(rows)
}

/// Five segments: header, key, vector, text and tag.
fn jwe(header: &str, key: &str) -> String {
    format!("{}.{key}.AAAA.AAAA.AAAA", encode(header))
}

/// The segment, made longer until it has a length that base64 has not.
fn impossible(segment: &str) -> String {
    let more = (4 + 1 - segment.len() % 4) % 4;
    format!("{segment}{}", "A".repeat(more))
}

/// The same bytes with the unused bits of the last sign set.
fn respelled(segment: &str) -> Result<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = segment.split_at(segment.len() - 1);
    let place = ALPHABET.iter().position(|sign| last.as_bytes().first() == Some(sign)).context("not base64")?;
    let next = ALPHABET.get(place + 1).context("the last bits are set")?;
    Ok(format!("{rest}{}", char::from(*next)))
}

/// Zero, one, the modulus less one, the modulus, all ones; too short, too long; and
/// the good one in other clothes.
fn signatures(modulus: &[u8], good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let one = [vec![0; 255], vec![1]].concat();
    let mut less = modulus.to_vec();
    if let Some(last) = less.last_mut() {
        *last -= 1;
    }
    vec![
        ("a signature of zeros", vec![0; 256]),
        ("the signature 1", one),
        ("the modulus less one", less),
        ("the modulus", modulus.to_vec()),
        ("more than the modulus", vec![255; 256]),
        ("255 bytes", vec![1; 255]),
        ("257 bytes", vec![1; 257]),
        ("one byte", vec![1]),
        ("512 bytes", vec![1; 512]),
        ("the good one behind a zero", [&[0][..], good].concat()),
        ("the good one before a zero", [good, &[0][..]].concat()),
        ("the good one without its end", good.iter().copied().take(255).collect()),
        ("the good one backwards", good.iter().rev().copied().collect()),
        ("the good one twice", [good, good].concat()),
    ]
}

/// Headers and payloads that are not one plain JSON object. All are signed.
fn documents(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let key = signing_key()?;
    let (header, text) = (issuer.header(), member(issuer.access()).text());
    let inner = |document: &str| document.trim_start_matches('{').to_owned();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let mut rows = Vec::new();
    // What is no object at all, what has something around it, and what has something in it, for either document.
    for (id, place, good) in [("S19", "header", &header), ("S20", "payload", &text)] {
        let mut bad: Vec<(&str, String, Vec<u8>)> = Vec::new();
        for text in ["x", "[]", "null", "\"a\"", "1", "true", " ", "{}x", "{", "}", "{\"a\"}", "{\"a\":}"] {
            bad.push((id, format!("{text:?}"), text.into()));
        }
        bad.push((id, "a list around it".to_owned(), format!("[{good}]").into()));
        bad.push((id, "a text around it".to_owned(), json!(good).to_string().into()));
        bad.push((id, "cut off".to_owned(), good.trim_end_matches('}').into()));
        bad.push((id, "16 bits a sign".to_owned(), wide(good)));
        bad.push(("S21", "a byte order mark".to_owned(), format!("\u{feff}{good}").into()));
        bad.push(("S22", "two documents".to_owned(), format!("{good}{good}").into()));
        bad.push(("S22", "NUL behind it".to_owned(), format!("{good}\0").into()));
        bad.push(("S23", "not UTF-8".to_owned(), [&b"{\"x\":\"\xff\","[..], inner(good).as_bytes()].concat()));
        bad.push((
            "S23",
            "a sign that is spelled too long".to_owned(),
            [&b"{\"x\":\"\xc0\xaf\","[..], inner(good).as_bytes()].concat(),
        ));
        bad.push(("S29", "nested deeply".to_owned(), format!("{{\"x\":{},{}", deep(2_000), inner(good)).into()));
        for value in [
            "1/*y*/",
            "1//y\n",
            "NaN",
            "Infinity",
            "-Infinity",
            "0x1",
            "+1",
            "01",
            ".5",
            "1.",
            "1e999",
            "'y'",
            "undefined",
            "True",
        ] {
            bad.push(("S24", format!("the value {value:?}"), format!("{{\"x\":{value},{}", inner(good)).into()));
        }
        bad.push(("S24", "single quotes".to_owned(), format!("{{'x':1,{}", inner(good)).into()));
        bad.push(("S24", "a name without quotes".to_owned(), format!("{{x:1,{}", inner(good)).into()));
        bad.push(("S24", "a comma too many".to_owned(), format!("{},}}", good.trim_end_matches('}')).into()));
        bad.push(("S24", "a control character".to_owned(), format!("{{\"x\":\"\u{1}\",{}", inner(good)).into()));
        for half in ["\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud800x", "\\uD83D\\u0041"] {
            bad.push(("S25", format!("{half} as a value"), format!("{{\"x\":\"{half}\",{}", inner(good)).into()));
            bad.push(("S25", format!("{half} as a name"), format!("{{\"{half}\":1,{}", inner(good)).into()));
        }
        for (id, says, bytes) in bad {
            let token = if place == "header" { compact(bytes, &text, key)? } else { issuer.mint_raw(bytes)? };
            rows.push(row(id, format!("{place}: {says}"), token, MALFORMED));
        }
    }
    rows.push(row("S20", "payload: nothing but {}", issuer.mint_raw("{}")?, "IssuerRefused"));
    Ok(rows)
}

/// Members that are named twice, in either order and however they are spelled.
fn named_twice(issuer: &TokenIssuer) -> Result<Vec<Row>> {
    let key = signing_key()?;
    let kid = json!(issuer.kid).to_string();
    let text = member(issuer.access()).text();
    let mut rows = Vec::new();
    for header in [
        format!(r#"{{"alg":"none","alg":"RS256","kid":{kid}}}"#),
        format!(r#"{{"alg":"RS256","alg":"none","kid":{kid}}}"#),
        format!(r#"{{"alg":"RS256","alg":"RS256","kid":{kid}}}"#),
        format!(r#"{{"alg":"RS256","\u0061lg":"none","kid":{kid}}}"#),
        format!(r#"{{"alg":"RS256","kid":"x","kid":{kid}}}"#),
        format!(r#"{{"alg":"RS256","kid":{kid},"kid":"x"}}"#),
        format!(r#"{{"alg":"RS256","kid":{kid},"k\u0069d":{kid}}}"#),
        format!(r#"{{"alg":"RS256","kid":{kid},"typ":"JWT","typ":"JWT"}}"#),
        format!(r#"{{"alg":"RS256","kid":{kid},"x":{{"y":1,"y":1}}}}"#),
    ] {
        rows.push(row("S26", &header, compact(&header, &text, key)?, MALFORMED));
    }
    let Value::Object(claims) = serde_json::from_str(&text)? else { anyhow::bail!("not claims") };
    let names = [
        "iss",
        "exp",
        "iat",
        "nbf",
        "sub",
        "token_use",
        "client_id",
        "aud",
        "scope",
        "cognito:groups",
        "tenant",
        "roles",
        "username",
        "origin_jti",
        "x",
    ];
    for name in names {
        // What a good token says there, or might say.
        let mut rest = claims.clone();
        let good = rest.remove(name).unwrap_or(if name == "nbf" { json!(1) } else { json!(issuer.client_id) });
        let rest = Value::Object(rest).to_string();
        let rest = rest.trim_start_matches('{');
        let escaped: String = name.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        for (id, says, one, first, other, second) in [
            ("S27", "bad, good", name, json!("bad"), name, good.clone()),
            ("S27", "good, bad", name, good.clone(), name, json!("bad")),
            ("S27", "good, good", name, good.clone(), name, good.clone()),
            ("S27", "good, null", name, good.clone(), name, json!(null)),
            ("S28", "escaped bad, good", &escaped, json!("bad"), name, good.clone()),
            ("S28", "good, escaped bad", name, good.clone(), &escaped, json!("bad")),
        ] {
            let payload = format!("{{\"{one}\":{first},\"{other}\":{second},{rest}");
            rows.push(row(id, format!("{name} twice: {says}"), issuer.mint_raw(payload)?, MALFORMED));
        }
        // Where somebody reads the first and somebody else the last.
        let apart = format!("{{\"{name}\":{good},{},\"{name}\":\"bad\"}}", rest.trim_end_matches('}'));
        rows.push(row("S27", format!("{name} twice, far apart"), issuer.mint_raw(apart)?, MALFORMED));
    }
    let nested = text.replacen('{', r#"{"address":{"a":1,"a":2},"#, 1);
    rows.push(row("S27", "twice within a claim", issuer.mint_raw(nested)?, MALFORMED));
    Ok(rows)
}
