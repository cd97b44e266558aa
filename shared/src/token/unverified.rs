//! A token in compact form: read strictly, and not yet believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::profile::{Algorithm, Profile};
use super::{KeySet, Refusal, json};

/// The longest token that is looked at, in bytes. What a browser or a
/// distribution network lets through as a header is no longer than this.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The longest name of a key.
const MAX_KEY_ID_BYTES: usize = 256;

/// Members of a header that are refused whatever they hold.
///
/// Most of them offer a key or a place to fetch one from; `crit` and `b64`
/// change what the signature means, `zip`, `enc` and `cty` what the payload is.
const REFUSED_HEADERS: [&str; 11] = ["crit", "b64", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "cty", "zip", "enc"];

/// A token of a user pool, or of another issuer of OpenID Connect, as it came:
/// read, and not yet believed.
///
/// It tells which key would have to have signed it, and nothing else.
pub struct Unverified<'a>(Compact<'a>);

impl<'a> Unverified<'a> {
    /// Reads a token in compact form.
    ///
    /// The length comes first, so that a long text costs nothing. Base64url
    /// must be canonical (no padding, no bits left over), so that one signed
    /// text has one spelling only.
    pub fn parse(token: &'a str) -> Result<Self, Refusal> {
        Compact::parse(Profile::UserPool, token).map(Self)
    }

    /// The name of the key that is said to have signed it.
    pub fn key_id(&self) -> &str {
        self.0.key_id()
    }

    /// The token itself.
    pub(super) fn token(&self) -> &Compact<'a> {
        &self.0
    }
}

/// A token of an issuer of any kind, as it came. Who uses it wraps it in a type
/// of its own, so that tokens of two kinds cannot be taken for one another.
pub(crate) struct Compact<'a> {
    profile: Profile,
    algorithm: Algorithm,
    signed: &'a str,
    signature: Vec<u8>,
    key_id: String,
    typ: Option<String>,
    claims: Map<String, Value>,
}

impl<'a> Compact<'a> {
    /// Reads a token of this kind of issuer.
    pub(crate) fn parse(profile: Profile, token: &'a str) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLarge);
        }
        if !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
            return Err(Refusal::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let (algorithm, key_id, typ) = read_header(profile, &header)?;
        let claims = json::object(&payload).ok_or(Refusal::Malformed)?;
        Ok(Self { profile, algorithm, signed, signature, key_id, typ, claims })
    }

    /// The name of the key that is said to have signed it.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The `typ` of the header. Of an identity pool's token it is checked already.
    pub(super) fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Checks the signature.
    ///
    /// INVARIANT: a set that was read for one kind of issuer checks no token of
    /// another kind.
    pub(crate) fn check_signature(&self, keys: &KeySet) -> Result<(), Refusal> {
        if keys.profile() != self.profile {
            return Err(Refusal::IssuerRefused);
        }
        let key = keys.get(&self.key_id).ok_or(Refusal::KeyUnknown)?;
        let good = key.signed(self.algorithm, self.signed.as_bytes(), &self.signature);
        if good { Ok(()) } else { Err(Refusal::SignatureBad) }
    }

    /// What the token says, to whoever has checked the signature.
    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

/// One segment. A fourth one shows here: its dot is not in the alphabet.
fn decode(segment: &str) -> Result<Vec<u8>, Refusal> {
    if segment.is_empty() {
        return Err(Refusal::Malformed);
    }
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Refusal::Malformed)
}

/// Checks the header and gives the algorithm, the key's name and the type.
///
/// User pools write `kid` and `alg` and nothing else, identity pools `typ`, too.
/// A type that the kind of issuer does not write is a token made for something
/// else. Members that are not listed here are read past, whatever their type.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>
fn read_header(profile: Profile, bytes: &[u8]) -> Result<(Algorithm, String, Option<String>), Refusal> {
    let mut header = json::object(bytes).ok_or(Refusal::Malformed)?;
    if REFUSED_HEADERS.iter().any(|name| header.contains_key(*name)) {
        return Err(Refusal::HeaderRefused);
    }
    // INVARIANT: the algorithm is one that the verifier lists, and the key has to
    // be made for it. Otherwise a key made for one could be used with another.
    let named = header.get("alg").and_then(Value::as_str);
    let algorithm = named.and_then(|name| profile.algorithm(name)).ok_or(Refusal::AlgorithmRefused)?;
    let typ = match header.remove("typ") {
        None => None,
        Some(Value::String(typ)) if profile.takes_type(&typ) => Some(typ),
        Some(_) => return Err(Refusal::HeaderRefused),
    };
    match header.remove("kid") {
        Some(Value::String(kid)) if !kid.is_empty() && kid.len() <= MAX_KEY_ID_BYTES => Ok((algorithm, kid, typ)),
        _ => Err(Refusal::KeyIdMissing),
    }
}
