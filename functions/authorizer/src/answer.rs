//! How a call is answered once it is known who calls.

use shared::connect::ConnectRule;
use shared::graphql::{self, GraphqlRules};
use shared::policy::{self, MethodArn};
use shared::routes::Decision;
use shared::token::Verified;
use shell::{Answer, Failure, PublicText};

use crate::AnswerForm;
use crate::call::{Asked, Call, Front};
use crate::routes::Routes;
use crate::wire::Reply;

/// The longest answer with a policy, in bytes: the 8 KB that API Gateway names as
/// its limit. What the token says of its bearer is in it beside the policy.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>
const MAX_ANSWER_BYTES: usize = 8_000;

/// Everything that decides about a genuine caller.
#[derive(Debug)]
pub struct Openings {
    /// Which requests may pass.
    pub routes: Routes,
    /// Who may connect to a WebSocket API; `None` when nobody may.
    pub connect: Option<ConnectRule>,
    /// The fields of a GraphQL API; `None` when there is none.
    pub graphql: Option<GraphqlRules>,
    /// How an HTTP API with payload 2.0 is answered.
    pub form: AnswerForm,
    /// How long it keeps a simple answer, in seconds.
    pub cache_seconds: u64,
    /// How many seconds past its end a token is taken.
    pub leeway_seconds: u64,
}

impl Openings {
    /// The answer to a genuine caller at `now`. No answer is good for longer than
    /// the token, whatever the front keeps it for.
    pub(crate) fn answer(&self, call: &Call<'_>, verified: &Verified, now: u64) -> Result<Answer, Failure> {
        match &call.asked {
            Asked::Request(front, arn) => self.request(*front, arn, verified, now),
            Asked::Connection(rule, arn) => {
                let (document, code) = match rule.decide(verified.caller()) {
                    Ok(()) => (policy::connection(arn, self.until(verified)), "Allowed"),
                    Err(refusal) => (policy::denial(arn), refusal.code()),
                };
                told(verified, &Reply::policy(Some(verified), document), code)
            }
            Asked::Fields(rules, document) => fields(rules, document, verified, now),
        }
    }

    fn request(&self, front: Front, arn: &MethodArn<'_>, verified: &Verified, now: u64) -> Result<Answer, Failure> {
        let caller = verified.caller();
        let decision = self.routes.table().decide(caller, arn.method, arn.path);
        let code = match decision {
            Decision::Allow { .. } => "Allowed",
            Decision::Refuse(refusal) => refusal.code(),
        };
        match self.form(front) {
            AnswerForm::Iam => {
                let document = self.routes.policy(caller, arn, self.until(verified));
                let answer = told(verified, &Reply::policy(Some(verified), document), code)?;
                if answer.body.as_str().len() <= MAX_ANSWER_BYTES {
                    return Ok(answer);
                }
                let document = policy::present(self.routes.table(), caller, arn, self.until(verified));
                told(verified, &Reply::policy(Some(verified), document), code)
            }
            // A simple answer has no end of its own: it is good for as long as the
            // front is set to keep it. So a token that ends before is not taken.
            AnswerForm::Simple if decision.is_allowed() && now + self.cache_seconds > self.until(verified) => {
                told(verified, &Reply::simple(None), "TokenEndsTooSoon")
            }
            AnswerForm::Simple => told(verified, &Reply::simple(decision.is_allowed().then_some(verified)), code),
        }
    }

    /// The answer to whoever showed no genuine token.
    pub(crate) fn refusal(&self, call: &Call<'_>, code: &'static str) -> Result<Answer, Failure> {
        let reply = match &call.asked {
            Asked::Request(Front::Rest, _) | Asked::Connection(..) => {
                return Err(Failure::new(code, PublicText::Unauthorized));
            }
            Asked::Request(front, arn) => match self.form(*front) {
                AnswerForm::Simple => Reply::simple(None),
                AnswerForm::Iam => Reply::policy(None, policy::denial(arn)),
            },
            Asked::Fields(..) => Reply::no_fields(),
        };
        Ok(Answer::new(reply.write()?, code))
    }

    /// The simple form exists in payload 2.0 only.
    fn form(&self, front: Front) -> AnswerForm {
        match front {
            Front::Rest | Front::HttpV1 => AnswerForm::Iam,
            Front::HttpV2 => self.form,
        }
    }

    /// When the token is not taken any more, in seconds since 1970.
    fn until(&self, verified: &Verified) -> u64 {
        verified.expires_at().saturating_add(self.leeway_seconds)
    }
}

fn fields(rules: &GraphqlRules, document: &str, verified: &Verified, now: u64) -> Result<Answer, Failure> {
    match rules.decide(verified.caller(), document) {
        graphql::Decision::Allow { denied } => {
            let kept = rules.cache_seconds.min(verified.expires_at().saturating_sub(now));
            told(verified, &Reply::fields(verified, &denied, kept), "Allowed")
        }
        // Never kept: the next document may be another one.
        graphql::Decision::Refuse(refusal) => told(verified, &Reply::no_fields(), refusal.code()),
    }
}

fn told(verified: &Verified, reply: &Reply<'_>, code: &'static str) -> Result<Answer, Failure> {
    Ok(Answer { subject: Some(verified.caller().subject.clone()), ..Answer::new(reply.write()?, code) })
}
