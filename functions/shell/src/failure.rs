//! The only type that becomes a Lambda error.

use std::error::Error;

use crate::runtime_api::InvocationError;

/// Every sentence that may leave a function as an error.
///
/// Cognito shows the error text of a trigger to the person who signs in, and
/// puts it into the callback URL of managed login, so the list is closed and
/// holds nothing about who or what was asked for.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicText {
    /// A rule refuses the sign-up.
    SignUpRefused,
    /// The e-mail address is not usable here.
    AddressRefused,
    /// A required detail is missing or malformed, or may not be set.
    DetailsRefused,
    /// The request cannot be understood.
    RequestUnreadable,
    /// An external account was linked to the user; the next sign-in is his. The
    /// name in brackets is for clients, which start the sign-in again by
    /// themselves.
    AccountLinked,
    /// A sign-in is refused, whatever the reason. Which of name and password was
    /// wrong, or that the attempts are used up, would help a guesser, so here
    /// the code stays inside, too.
    SignInRefused,
    /// Something behind the function failed; trying again may help.
    TryAgain,
    /// The exact text that API Gateway turns into a 401.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>
    Unauthorized,
}

impl PublicText {
    /// The sentence itself, without a full stop: Cognito sets one behind it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUpRefused => "This sign-up is not allowed",
            Self::AddressRefused => "This e-mail address cannot be used",
            Self::DetailsRefused => "A required detail is missing or cannot be used",
            Self::RequestUnreadable => "The request could not be understood",
            Self::AccountLinked => "These accounts are now linked, please sign in again (AccountLinked)",
            Self::SignInRefused => "This sign-in is not possible",
            Self::TryAgain => "This is not possible right now, please try again",
            Self::Unauthorized => "Unauthorized",
        }
    }
}

/// Why an invocation ends without an answer.
///
/// The code is for alarms and tests, the public text for the caller, the cause
/// for the log. A cause must never hold a secret or a whole event.
#[derive(Debug)]
pub struct Failure {
    code: &'static str,
    public: PublicText,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure that explains itself by its code.
    pub fn new(code: &'static str, public: PublicText) -> Self {
        Self { code, public, cause: None }
    }

    /// Adds what lies behind it, for the log only.
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The stable name.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What the caller is told.
    pub fn public(&self) -> PublicText {
        self.public
    }

    /// The same failure with another sentence for the caller.
    pub fn told_as(self, public: PublicText) -> Self {
        Self { public, ..self }
    }

    /// What lies behind it, with its own causes, in one line.
    pub fn cause(&self) -> Option<String> {
        self.cause.as_deref().map(|cause| chain(cause))
    }
}

/// An error and its own causes in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl From<Failure> for InvocationError {
    fn from(failure: Failure) -> Self {
        let error_type = match failure.public {
            PublicText::SignInRefused => "SignInRefused",
            _ => failure.code,
        };
        Self { error_type, error_message: failure.public.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_and_the_public_text_leave() {
        let failure = Failure::new("DirectoryUnread", PublicText::TryAgain).caused_by("table users-eu is throttled");
        assert_eq!(failure.cause().as_deref(), Some("table users-eu is throttled"));
        let told = InvocationError::from(failure);
        assert_eq!(told.error_type, "DirectoryUnread");
        assert_eq!(told.error_message, "This is not possible right now, please try again");
    }

    #[test]
    fn refused_sign_ins_look_alike_outside() {
        for code in ["UnknownUser", "PasswordWrong", "DeadlineReached"] {
            let failure = Failure::new(code, PublicText::TryAgain).told_as(PublicText::SignInRefused);
            assert_eq!(failure.code(), code, "the log knows");
            let told = InvocationError::from(failure);
            assert_eq!(told.error_type, "SignInRefused");
            assert_eq!(told.error_message, "This sign-in is not possible");
        }
    }

    #[test]
    fn a_cause_names_its_own_causes() {
        #[derive(Debug)]
        struct Outer(std::io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("outer")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let failure = Failure::new("X", PublicText::TryAgain).caused_by(Outer(std::io::Error::other("inner")));
        assert_eq!(failure.cause().as_deref(), Some("outer: inner"));
    }

    #[test]
    fn no_public_text_says_who_or_what_was_asked_for() {
        let all = [
            PublicText::SignUpRefused,
            PublicText::AddressRefused,
            PublicText::DetailsRefused,
            PublicText::RequestUnreadable,
            PublicText::AccountLinked,
            PublicText::SignInRefused,
            PublicText::TryAgain,
            PublicText::Unauthorized,
        ];
        assert!(all.len() <= 8);
        for text in all.map(PublicText::as_str) {
            for word in ["user", "table", "exist", "password", "tenant", "Dynamo", "Cognito"] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }
}
