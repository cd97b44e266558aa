//! Types that hold secrets cannot be printed: row L07.
//!
//! The compiler shows it of those that can be named here. The sources show that
//! none was forgotten, and the same of those that cannot.

#![expect(clippy::string_slice, reason = "the sources are searched at ASCII signs")]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};

use serde::Serialize;
use shared::guests::claim::{ClaimHash, ClaimSecret};
use shared::guests::proof::UnverifiedProof;
use shared::password::{Keys, Password};
use shared::token::Unverified;
use shell::secret::SecretText;
use tests::sources::{relative, sources};
use tests::workspace_root;

/// Does not compile when the type has one of the traits: then two
/// implementations fit, and the compiler cannot choose.
macro_rules! never {
    ($type:ty: $($trait:path),+) => {$(
        const _: fn() = || {
            trait Ambiguous<A> { fn choose() {} }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct HasIt;
            impl<T: ?Sized + $trait> Ambiguous<HasIt> for T {}
            let _ = <$type as Ambiguous<_>>::choose;
        };
    )+};
}

never!(Password: Debug, Display, Serialize, Clone);
never!(ClaimSecret: Debug, Display, Serialize, Clone);
never!(ClaimHash: Debug, Display, Serialize, Clone);
never!(SecretText: Debug, Display, Serialize, Clone);
never!(Keys: Debug, Display, Serialize, Clone);
never!(Unverified<'static>: Debug, Display, Serialize, Clone);
never!(UnverifiedProof<'static>: Debug, Display, Serialize, Clone);

/// What is printed although it holds raw JSON, and why.
const HARMLESS: [(&str, &str); 3] = [
    ("functions/back-end/src/items.rs Content", "what a user keeps; no secret comes to these functions"),
    ("functions/back-end/src/items.rs Item", "the same"),
    ("functions/back-end/src/response.rs Response", "the same"),
];

/// A type as the sources declare it.
struct Declared {
    /// The file and the name.
    place: String,
    name: String,
    attributes: String,
    body: String,
}

/// Every `struct` and `enum` of the library and the functions.
fn declared() -> Vec<Declared> {
    let mut found = Vec::new();
    for source in ["shared/src", "functions"].iter().flat_map(|folder| sources(&workspace_root().join(folder))) {
        let (mut attributes, text) = (String::new(), source.lines.join("\n"));
        let mut rest = text.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("pub")).collect();
            match words.as_slice() {
                ["struct" | "enum", name, ..] => {
                    let name: String = name.chars().take_while(|sign| sign.is_alphanumeric()).collect();
                    let place = format!("{} {name}", relative(&source.path).display());
                    let body = body(rest).to_owned();
                    found.push(Declared { place, name, attributes: std::mem::take(&mut attributes), body });
                }
                [first, ..] if first.starts_with("#[") => attributes.push_str(line),
                _ if attributes.ends_with([']', '\n']) || attributes.is_empty() => attributes.clear(),
                _ => attributes.push_str(line),
            }
            rest = after;
        }
    }
    assert!(found.len() > 200, "only {} types were found", found.len());
    found
}

/// A declaration up to its end: the first semicolon or brace that closes it.
fn body(text: &str) -> &str {
    let mut depth = 0;
    for (at, sign) in text.char_indices() {
        match sign {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ';' if depth == 0 => return &text[..at],
            _ => {}
        }
        if sign == '}' && depth == 0 {
            return &text[..=at];
        }
    }
    text
}

/// Whether a declaration holds a secret in itself: text that is wiped, raw JSON of
/// strangers, or a text under the name of a secret. A type that holds another
/// type with a secret cannot be printed by itself: the compiler wants it of both.
fn holds_a_secret(body: &str) -> bool {
    let is_secret_text = |field: &str| {
        let Some((name, of)) = field.split_once(':') else { return false };
        let name = name.rsplit(' ').next().unwrap_or_default();
        let named =
            ["password", "secret", "token", "authorization", "credentials"].iter().any(|end| name.ends_with(end));
        let is_text = ["String", "&'a str", "Vec<u8>", "[u8]", "Cow<"].iter().any(|text| of.contains(text));
        named && is_text
    };
    body.contains("Zeroizing") || body.contains("RawValue") || body.split([',', '{', '\n']).any(is_secret_text)
}

#[test]
fn what_holds_a_secret_is_not_printed() {
    let mut harmless = BTreeSet::new();
    let mut wrong = Vec::new();
    let types = declared();
    let secret: Vec<&Declared> = types.iter().filter(|declared| holds_a_secret(&declared.body)).collect();
    assert!(secret.len() >= 12, "only {} types with secrets were found", secret.len());
    for declared in &secret {
        if HARMLESS.iter().any(|(place, _)| *place == declared.place) {
            harmless.insert(declared.place.clone());
        } else if declared.attributes.contains("Debug") {
            wrong.push(format!("{} derives Debug", declared.place));
        }
    }
    assert!(wrong.is_empty(), "L07: {wrong:#?}");
    assert_eq!(harmless.len(), HARMLESS.len(), "an exception is not needed any more");
}

#[test]
fn the_compiler_is_asked_about_every_type_that_wipes_its_text() {
    let here = std::fs::read_to_string(workspace_root().join("tests/secrets.rs")).unwrap();
    for declared in declared().iter().filter(|declared| declared.body.contains("Zeroizing")) {
        // Those of functions are nobody else's; that they do not derive it is shown above.
        let is_shared = declared.place.starts_with("shared") || declared.place.starts_with("functions/shell");
        let is_asked = here.contains(&format!("never!({}: Debug, Display, Serialize, Clone)", declared.name));
        assert!(is_asked || !is_shared, "L07: {} is not asked about", declared.place);
    }
}

#[test]
fn a_hand_written_debug_shows_no_text_under_the_name_of_a_secret() {
    for source in ["shared/src", "functions"].iter().flat_map(|folder| sources(&workspace_root().join(folder))) {
        let text = source.lines.join("\n");
        for written in text.split("Debug for ").skip(1) {
            let written = body(written);
            for name in ["password", "secret", "token", "authorization", "credentials", "hash"] {
                let shown = format!("&self.{name})");
                assert!(!written.contains(&shown), "L07: {} shows {name}", relative(&source.path).display());
            }
        }
    }
}
