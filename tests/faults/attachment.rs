//! pool-attachment before faults: whatever happens, CloudFormation hears of it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::faults::{Fault, FaultProxy};
use tests::pool_documents::{Fill, Model, POOL_ID};
use tests::pool_service::{PoolService, put_at};
use tests::{Function, Outcome};

use crate::subject::{root, run_all};

/// What Lambda has left; the function keeps a part of it for the answer.
const REMAINING: Duration = Duration::from_secs(12);

/// The function, the services behind one proxy, and CloudFormation behind another.
struct Bench {
    service: PoolService,
    services: FaultProxy,
    answers: FaultProxy,
    function: Function,
}

impl Bench {
    fn start() -> Result<Self> {
        let model = Model::read()?;
        let mut pool = model.pool(Fill::All, 7);
        for name in ["PreSignUp", "PostConfirmation", "PreTokenGeneration", "PreTokenGenerationConfig", "UserMigration"]
        {
            put_at(&mut pool, &format!("/LambdaConfig/{name}"), Value::Null);
        }
        let service = PoolService::start(pool, model.mfa(Fill::All, 7))?;
        let (services, answers) =
            (FaultProxy::before_server(&service.url())?, FaultProxy::before_server(&service.url())?);
        let settings = [
            ("AWS_ENDPOINT_URL", services.url()),
            ("ATTACHMENT_NAME", "ours".to_owned()),
            ("RULES_FILE", root().join("rules/rules.toml").display().to_string()),
        ];
        let function = Function::start("pool-attachment", settings)?;
        Ok(Self { service, services, answers, function })
    }

    /// Sends an event; what CloudFormation heard, if anything.
    fn send(&mut self, kind: &str) -> Result<(Outcome, Option<Value>)> {
        let before = self.service.state().answers.len();
        let triggers = json!({"PreSignUp": "arn:aws:lambda:us-east-1:123456789012:function:ours-pre-sign-up"});
        let event = json!({
            "RequestType": kind, "ResponseURL": format!("{}/answer?Signature=canary", self.answers.url()),
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/ours/1", "RequestId": "request-1",
            "ResourceType": "Custom::PoolAttachment", "LogicalResourceId": "PoolAttachment",
            "PhysicalResourceId": format!("poolhouse-attachment:{POOL_ID}"),
            "ResourceProperties": {
                "ServiceToken": "arn", "UserPoolId": POOL_ID, "Triggers": triggers, "TokenEventVersion": "V2_0",
            },
        });
        let outcome = self.function.invoke_within(event.to_string(), REMAINING);
        ensure!(outcome.elapsed <= REMAINING, "{:?}: Lambda has ended it", outcome.elapsed);
        let heard = self.service.state().answers.get(before..).and_then(|new| new.last()).cloned();
        Ok((outcome, heard))
    }

    fn hears(&mut self, kind: &str, status: &str) -> Result<String> {
        let (outcome, heard) = self.send(kind)?;
        let heard = heard.with_context(|| format!("no answer: {outcome:?} {:?}", self.function.log_of(&outcome)))?;
        ensure!(heard["Status"] == status, "{heard}");
        Ok(heard["Reason"].as_str().unwrap_or_default().to_owned())
    }
}

fn name(fault: &Fault) -> String {
    format!("{fault:?}")
}

/// What is refused for good; the others are tried again.
const FINAL: [Fault; 4] = [Fault::Invalid, Fault::Denied, Fault::NotJson, Fault::Overlong];

#[test]
fn services_that_fail_once_fail_no_deployment() -> Result<()> {
    // Time-outs of ten seconds each are the business of the next test.
    let slow = [Fault::Silent, Fault::HeldReply, Fault::Drip, Fault::HalfClosed, Fault::Refusing, Fault::Deaf];
    let once = Fault::ALL.into_iter().filter(|fault| !slow.contains(fault));
    let operations = ["DescribeUserPool", "UpdateUserPool", "GetParameter", "PutParameter"];
    let rows: Vec<_> = once.flat_map(|fault| operations.map(|operation| (fault, operation))).collect();
    run_all(
        rows,
        6,
        |row| format!("{row:?}"),
        |(fault, operation)| {
            let mut bench = Bench::start()?;
            bench.services.fail_some(*fault, 1, operation);
            // That there is no parameter yet stands in a header, too.
            let is_final = FINAL.contains(fault) && (*fault, *operation) != (Fault::Overlong, "GetParameter");
            bench.hears("Create", if is_final { "FAILED" } else { "SUCCESS" })?;
            bench.services.heal();
            bench.hears("Create", "SUCCESS").context("afterwards")?;
            bench.hears("Delete", "SUCCESS").context("and back").map(drop)
        },
    )
}

#[test]
fn services_that_never_answer_are_answered_for() -> Result<()> {
    run_all(Fault::ALL.to_vec(), 8, name, |fault| {
        let mut bench = Bench::start()?;
        bench.services.fail(*fault);
        if *fault == Fault::WrongChecksum {
            return bench.hears("Create", "SUCCESS").map(drop);
        }
        let reason = bench.hears("Create", "FAILED")?;
        let known = ["OutOfTime", "CallRefused", "CallUnanswered", "AnswerUnreadable"];
        ensure!(known.iter().any(|code| reason.starts_with(code)), "{reason}");
        bench.services.heal();
        bench.hears("Create", "SUCCESS").context("afterwards").map(drop)
    })
}

#[test]
fn an_answer_that_is_not_taken_is_given_again_and_then_lambda_is_told() -> Result<()> {
    let faults = Fault::ALL.into_iter().filter(|fault| *fault != Fault::WrongChecksum);
    run_all(faults.collect(), 8, name, |fault| {
        let mut bench = Bench::start()?;
        if !matches!(fault, Fault::Refusing | Fault::Deaf | Fault::NotJson | Fault::Overlong) {
            bench.answers.fail_some(*fault, 1, "");
            bench.hears("Create", "SUCCESS").context("once")?;
        }
        bench.answers.fail(*fault);
        let (outcome, _) = bench.send("Create").context("lasting")?;
        // Whoever answers 200 has taken it; all others make Lambda call again.
        if !matches!(fault, Fault::NotJson | Fault::Overlong) {
            ensure!(outcome.error().is_some(), "{outcome:?}");
            let code = bench.function.code_of(&outcome);
            ensure!(code.as_deref() == Some("AnswerUndelivered"), "{code:?}");
        }
        bench.answers.heal();
        bench.hears("Create", "SUCCESS").context("Lambda calls again").map(drop)
    })
}
