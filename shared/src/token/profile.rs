//! What kinds of issuer sign with, and how they write it down.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaParameters};

/// A kind of issuer. Whoever verifies says which one is meant; a token chooses
/// among what its issuer's kind allows and never the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A user pool, or another issuer of OpenID Connect that the rules name: RS256
    /// and nothing else, key sets to the letter of RFC 7518.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>
    UserPool,
    /// The identity pools of all regions, which have one issuer together. They
    /// sign with RS512 and say `JWS` as the type. Their key set,
    /// <https://cognito-identity.amazonaws.com/.well-known/jwks_uri>, writes
    /// numbers in plain base64 with padding, and a sign byte before each modulus.
    /// RS256 is taken, too, should they come to do as user pools do.
    IdentityPool,
}

/// A way to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs512,
}

impl Algorithm {
    /// As headers and keys name it, byte for byte.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs512 => "RS512",
        }
    }

    /// The way to check it.
    pub(super) fn parameters(self) -> &'static RsaParameters {
        match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        }
    }
}

impl Profile {
    /// The algorithms that are believed.
    pub(super) fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::UserPool => &[Algorithm::Rs256],
            Self::IdentityPool => &[Algorithm::Rs512, Algorithm::Rs256],
        }
    }

    /// The believed algorithm of this name.
    pub(super) fn algorithm(self, name: &str) -> Option<Algorithm> {
        self.algorithms().iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// Whether a header may say this `typ`. Which one it is of those that user
    /// pools and other issuers write, is for the issuer's own rules.
    pub(super) fn takes_type(self, typ: &str) -> bool {
        match self {
            Self::UserPool => true,
            Self::IdentityPool => ["JWS", "JWT"].iter().any(|taken| typ.eq_ignore_ascii_case(taken)),
        }
    }
}
