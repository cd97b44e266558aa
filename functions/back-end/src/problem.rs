//! Answers that say no, as problem details.
//!
//! <https://www.rfc-editor.org/rfc/rfc9457>

use std::error::Error;

/// Every refusal a back end can give. The list is closed and its sentences hold
/// nothing about whom or what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body or a parameter cannot be read.
    RequestUnreadable,
    /// The e-mail address is not one that can be invited.
    AddressUnusable,
    /// The authorizer's context is missing or malformed.
    CallerUnknown,
    /// The route needs a tenant and the caller has none in force.
    NoTenant,
    /// The path names another tenant.
    OtherTenant,
    /// The caller is no active member of the tenant he chose.
    NotAMember,
    /// The caller's token says more than the directory does now.
    RightsChanged,
    /// No such route.
    NoSuchRoute,
    /// No such thing, or not the caller's.
    NotFound,
    /// An administrator's own membership is changed by another administrator.
    OwnRoles,
    /// The version named is not the present one.
    VersionChanged,
    /// The body is larger than the route takes.
    BodyTooLarge,
    /// The body is not `application/json`.
    NotJson,
    /// A write must say which version it replaces.
    PreconditionMissing,
    /// The guest is not the caller's to take. Why, is not said: a wrong proof,
    /// an unknown guest and somebody else's look alike.
    GuestRefused,
    /// The proof is that of somebody who has signed in already.
    GuestRegistered,
    /// The idempotency key came with another request before.
    IdempotencyKeyReused,
}

impl Refusal {
    /// Stable name, for logs, clients and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::RequestUnreadable => "RequestUnreadable",
            Self::AddressUnusable => "AddressUnusable",
            Self::CallerUnknown => "CallerUnknown",
            Self::NoTenant => "NoTenant",
            Self::OtherTenant => "OtherTenant",
            Self::NotAMember => "NotAMember",
            Self::RightsChanged => "RightsChanged",
            Self::NoSuchRoute => "NoSuchRoute",
            Self::NotFound => "NotFound",
            Self::OwnRoles => "OwnRoles",
            Self::VersionChanged => "VersionChanged",
            Self::BodyTooLarge => "BodyTooLarge",
            Self::NotJson => "NotJson",
            Self::PreconditionMissing => "PreconditionMissing",
            Self::GuestRefused => "GuestRefused",
            Self::GuestRegistered => "GuestRegistered",
            Self::IdempotencyKeyReused => "IdempotencyKeyReused",
        }
    }

    /// The HTTP status and its own phrase.
    fn status(self) -> (u16, &'static str) {
        match self {
            Self::RequestUnreadable | Self::AddressUnusable => (400, "Bad Request"),
            Self::CallerUnknown => (401, "Unauthorized"),
            Self::NoTenant | Self::OtherTenant | Self::NotAMember | Self::RightsChanged | Self::GuestRefused => {
                (403, "Forbidden")
            }
            Self::NoSuchRoute | Self::NotFound => (404, "Not Found"),
            Self::OwnRoles | Self::GuestRegistered => (409, "Conflict"),
            Self::VersionChanged => (412, "Precondition Failed"),
            Self::BodyTooLarge => (413, "Content Too Large"),
            Self::NotJson => (415, "Unsupported Media Type"),
            Self::IdempotencyKeyReused => (422, "Unprocessable Content"),
            Self::PreconditionMissing => (428, "Precondition Required"),
        }
    }

    /// One sentence for the caller.
    fn detail(self) -> &'static str {
        match self {
            Self::AddressUnusable => "This e-mail address cannot be used.",
            Self::RequestUnreadable => "The request could not be understood.",
            Self::CallerUnknown => "The request carries no valid authorization.",
            Self::NoTenant => "No tenant is in force. Choose one and sign in again.",
            Self::OtherTenant => "The path names another tenant than the one in force.",
            Self::NotAMember => "There is no active membership in this tenant.",
            Self::RightsChanged => "Your rights have changed. Sign in again.",
            Self::NoSuchRoute => "There is nothing at this address.",
            Self::NotFound => "There is no such thing.",
            Self::OwnRoles => "Your own membership can only be changed by another administrator.",
            Self::VersionChanged => "The version named is not the present one.",
            Self::BodyTooLarge => "The body is too large.",
            Self::NotJson => "The body must be application/json.",
            Self::GuestRefused => "This guest cannot be taken with this proof.",
            Self::GuestRegistered => "The proof is that of somebody who has signed in already.",
            Self::IdempotencyKeyReused => "This idempotency key was used with another guest.",
            Self::PreconditionMissing => "Name the version to replace with If-Match, or create with If-None-Match: *.",
        }
    }
}

/// Why a request was not served.
#[derive(Debug)]
pub enum Problem {
    /// A rule says no.
    Refused(Refusal),
    /// A rule says no, and only the log is told which.
    Veiled {
        /// What the caller hears.
        refusal: Refusal,
        /// What the log says: a stable name.
        code: &'static str,
    },
    /// No answer could be reached; trying again may help.
    Unavailable {
        /// Stable name of what failed.
        code: &'static str,
        /// For the log only.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What the caller sees of a problem.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    pub(crate) detail: &'static str,
}

impl Problem {
    /// A failure behind the back end, with its cause for the log.
    pub fn unavailable(code: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { code, cause: cause.into() }
    }

    /// The stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Veiled { code, .. } | Self::Unavailable { code, .. } => code,
        }
    }

    /// The name that the caller sees.
    pub(crate) fn public_code(&self) -> &'static str {
        match self {
            Self::Veiled { refusal, .. } => refusal.code(),
            Self::Refused(_) | Self::Unavailable { .. } => self.code(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.details().status
    }

    pub(crate) fn details(&self) -> Details {
        match self {
            Self::Refused(refusal) | Self::Veiled { refusal, .. } => {
                let (status, title) = refusal.status();
                Details { status, title, detail: refusal.detail() }
            }
            Self::Unavailable { .. } => Details {
                status: 503,
                title: "Service Unavailable",
                detail: "This is not possible right now. Please try again.",
            },
        }
    }
}
