//! What the authorizer answers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tokens::Tokens;
use crate::claims::TokenKind;
use crate::routes::{Caller, Decision, Segment};
use crate::rules::Rules;
use crate::token::{RightsClaims, caller_of};

/// What the authorizer answers for one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteTold {
    /// Its key, such as `routes[3]`.
    pub route: String,
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The token that it takes.
    pub token: &'static str,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What the authorizer answers for one request, with each token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestTold {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The answers; the back end sees the request if the token that is shown
    /// has a yes.
    pub answers: Vec<Passage>,
}

/// The answer for one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// "id" or "access".
    pub token: &'static str,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Yes or no, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "answer", content = "by")]
pub enum Answer {
    /// It passes, by the route with this path.
    Allow(String),
    /// It passes where the path names this tenant.
    Within(String),
    /// It does not; the code says why.
    Refuse(&'static str),
}

impl Passage {
    /// Whether it is a yes.
    pub fn is_allowed(&self) -> bool {
        matches!(self.answer, Answer::Allow(_))
    }
}

/// Who would call with each token, or why it would not be taken.
pub(super) type Callers = BTreeMap<TokenKind, Result<Caller, &'static str>>;

pub(super) fn callers(rules: &Rules, tokens: &Tokens, client_id: &str) -> Callers {
    let caller = |(kind, claims): (&TokenKind, _)| {
        let names = RightsClaims::of(&rules.claims, *kind);
        (*kind, caller_of(&names, claims, *kind, client_id).map_err(|refusal| refusal.code()))
    };
    tokens.iter().map(caller).collect()
}

pub(super) fn routes(rules: &Rules, callers: &Callers) -> Vec<RouteTold> {
    let told = |(index, route): (usize, &crate::routes::Route)| {
        let rule = &route.rule;
        let answer = match callers.get(&rule.token) {
            None => Answer::Refuse("NoToken"),
            Some(Err(code)) => Answer::Refuse(code),
            Some(Ok(caller)) => match (route.admits(caller), &caller.tenant) {
                (Err(refusal), _) => Answer::Refuse(refusal.code()),
                (Ok(()), Some(tenant)) if route.template.segments().contains(&Segment::Tenant) => {
                    Answer::Within(tenant.to_string())
                }
                (Ok(()), _) => Answer::Allow(rule.path.clone()),
            },
        };
        RouteTold {
            route: format!("routes[{index}]"),
            method: rule.method.as_str(),
            path: rule.path.clone(),
            token: rule.token.as_str(),
            answer,
        }
    };
    rules.routes.routes().iter().enumerate().map(told).collect()
}

pub(super) fn request(rules: &Rules, callers: &Callers, method: &str, path: &str) -> RequestTold {
    let answer = |caller: &Result<Caller, &'static str>| match caller {
        Err(code) => Answer::Refuse(code),
        Ok(caller) => match rules.routes.decide(caller, method, path) {
            Decision::Allow { route } => Answer::Allow(route.to_owned()),
            Decision::Refuse(refusal) => Answer::Refuse(refusal.code()),
        },
    };
    // The access token first: it is the one that APIs take.
    let kinds = [TokenKind::Access, TokenKind::Id];
    let answers = kinds.iter().filter_map(|kind| {
        let caller = callers.get(kind)?;
        Some(Passage { token: kind.as_str(), answer: answer(caller) })
    });
    RequestTold { method: method.to_owned(), path: path.to_owned(), answers: answers.collect() }
}
