//! Who may open a connection to a WebSocket API, and where the token is.
//!
//! The authorizer of such an API is asked once, at `$connect`; nobody is asked
//! about messages, and a connection outlives the token that opened it (for up to
//! two hours). <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>

use serde::Deserialize;

use crate::routes::{Caller, Refusal, rule_with_conditions};
use crate::rules::Problems;

rule_with_conditions! {
    /// Who may open a connection to a WebSocket API. Without it nobody may.
    ConnectRule {
        /// The one place of the token: "header" (`Authorization: Bearer <token>`),
        /// "subprotocol" or "query".
        token_from: TokenPlace,
        /// For "query" the parameter's name; for "subprotocol" the one that stands
        /// before the token in the list that the client offers.
        name: Option<String>,
    }
}

/// Where a client puts the token. Browsers can set no header of a WebSocket but
/// the list of subprotocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TokenPlace {
    /// `Authorization`, as everywhere else.
    Header,
    /// `Sec-WebSocket-Protocol: <name>, <token>`.
    Subprotocol,
    /// A parameter of the query string, which logs and histories keep.
    Query,
}

impl ConnectRule {
    /// Decides whether the caller may open a connection.
    pub fn decide(&self, caller: &Caller) -> Result<(), Refusal> {
        self.conditions().check(caller)
    }

    /// The name of the parameter or subprotocol.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Checks the rule by itself.
    pub(crate) fn check(&self, problems: &mut Problems) {
        let mut add = |member: &str, message: String| problems.add(format!("connect.{member}"), message);
        self.conditions().contradictions(&mut add);
        match (self.token_from, &self.name) {
            (TokenPlace::Header, None) => {}
            (TokenPlace::Header, Some(_)) => add("name", "means nothing: the header is Authorization".to_owned()),
            (_, Some(name)) if is_token(name) => {}
            _ => add("name", "must be there: letters, digits, \"-\", \"_\" and \".\"".to_owned()),
        }
    }
}

fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let rule: ConnectRule = toml::from_str(text).unwrap();
        let mut problems = Problems::default();
        rule.check(&mut problems);
        problems.iter().map(|problem| problem.path.clone()).collect()
    }

    #[test]
    fn the_place_of_the_token_is_one_and_has_its_name() {
        let table: &[(&str, &[&str])] = &[
            ("token_from = \"header\"", &[]),
            ("token_from = \"query\"\nname = \"access_token\"", &[]),
            ("token_from = \"subprotocol\"\nname = \"bearer\"", &[]),
            ("token_from = \"header\"\nname = \"x\"", &["connect.name"]),
            ("token_from = \"query\"", &["connect.name"]),
            ("token_from = \"query\"\nname = \"\"", &["connect.name"]),
            ("token_from = \"subprotocol\"\nname = \"a, b\"", &["connect.name"]),
            ("token_from = \"header\"\ntoken = \"id\"\nscopes = [\"x\"]", &["connect.scopes"]),
        ];
        for (text, expected) in table {
            assert_eq!(problems(text), *expected, "{text}");
        }
        assert!(toml::from_str::<ConnectRule>("token_from = \"cookie\"").is_err());
        assert!(toml::from_str::<ConnectRule>("roles = [\"admin\"]").is_err(), "no place");
    }
}
