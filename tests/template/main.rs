//! Code and `template.yaml` hold together: every function, setting, IAM action
//! and route in one is in the other, and nothing in the template is wider or
//! laxer than the suite needs.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a check fails by panicking"
)]

mod deployment;
mod functions;
mod gateway;
mod options;
mod pool;

use std::collections::BTreeSet;

use shared::rules::Rules;
use tests::template::Template;
use tests::workspace_root;

type Read = fn(shell::Lookup<'_>) -> Result<(), shell::SettingError>;

/// One function as the code knows it.
struct Function {
    name: &'static str,
    read: Read,
    actions: &'static [&'static str],
    tenant_actions: &'static [&'static str],
    /// What Lambda does in its name, to bring it its events.
    source_actions: &'static [&'static str],
}

/// Every function. A new one needs a row; the first test says so.
fn functions() -> Vec<Function> {
    fn row(name: &'static str, read: Read, actions: &'static [&'static str]) -> Function {
        Function { name, read, actions, tenant_actions: &[], source_actions: &[] }
    }
    vec![
        row(
            "pre-sign-up",
            |lookup| pre_sign_up::Settings::with_rules(lookup, rules_with_challenge()).map(drop),
            pre_sign_up::ACTIONS,
        ),
        row(
            "post-confirmation",
            |lookup| post_confirmation::Settings::read(lookup).map(drop),
            post_confirmation::ACTIONS,
        ),
        row(
            "pre-token-generation",
            |lookup| pre_token_generation::Settings::read(lookup).map(drop),
            pre_token_generation::ACTIONS,
        ),
        row(
            "authorizer",
            |lookup| authorizer::Settings::with_rules(lookup, rules_with_revocation()).map(drop),
            authorizer::ACTIONS,
        ),
        Function {
            tenant_actions: user_api::TENANT_ACTIONS,
            ..row(
                "user-api",
                |lookup| user_api::Settings::with_rules(lookup, &rules_with_revocation()).map(drop),
                user_api::ACTIONS,
            )
        },
        Function {
            tenant_actions: admin_api::TENANT_ACTIONS,
            ..row(
                "admin-api",
                |lookup| admin_api::Settings::with_rules(lookup, rules_with_revocation()).map(drop),
                admin_api::ACTIONS,
            )
        },
        // What it may do depends on the old system; a test of its own looks at that.
        row("user-migration", |lookup| user_migration::Settings::read(lookup).map(drop), user_migration::ACTIONS),
        // It is there only with an existing pool; a test of its own looks at what it may do.
        row("pool-attachment", |lookup| pool_attachment::Settings::read(lookup).map(drop), &[]),
        Function {
            source_actions: &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            ..row(
                "guest-promotion",
                |lookup| guest_promotion::Settings::read(lookup).map(drop),
                guest_promotion::ACTIONS,
            )
        },
        Function {
            source_actions: &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
                "sqs:SendMessage",
            ],
            ..row("guest-keeper", |lookup| guest_keeper::Settings::read(lookup).map(drop), guest_keeper::ACTIONS)
        },
    ]
}

/// What every function's role may do besides: write its own log and its traces.
const COMMON_ACTIONS: [&str; 4] =
    ["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"];

/// Settings that every function takes and none must have.
const COMMON_SETTINGS: [&str; 2] = ["LOG_LEVEL", "RULES_FILE"];

fn template() -> Template {
    Template::read().unwrap()
}

/// With what is off by default: everything that is there with these parameters.
fn with(parameters: &[(&str, &str)]) -> Template {
    Template::deployed(parameters).unwrap()
}

/// Everything that can be there at once.
fn whole() -> Template {
    with(&[
        ("OtherProviders", "CorpOIDC"),
        ("MigrationStore", "table"),
        ("MachineClient", "true"),
        ("GuestAccess", "true"),
        ("ChallengeSecretArn", CHALLENGE_SECRET),
        ("Revocation", "on"),
    ])
}

const CHALLENGE_SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:challenge-a1b2c3";

/// The shipped rules with what is off in them and has a setting.
fn rules_with_challenge() -> Rules {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let challenge = "[sign_up.challenge]\nparameter = \"captcha\"\nverify_url = \"https://verify.example/\"\n";
    Rules::read(&format!("{text}\n{challenge}")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rules_with_revocation() -> Rules {
    let text = std::fs::read_to_string(rules_file()).unwrap();
    let on = text.replace("[revocation]\nmode = \"off\"", "[revocation]\nmode = \"on\"");
    assert_ne!(on, text, "the shipped file says that revocation is off");
    Rules::read(&on).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rules() -> Rules {
    Rules::read(&std::fs::read_to_string(rules_file()).unwrap()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rules_file() -> std::path::PathBuf {
    workspace_root().join("rules/rules.toml")
}

/// `user-api` is `UserApiFunction` in the template.
fn logical_id(name: &str) -> String {
    let word = |word: &str| word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect();
    format!("{}Function", name.split('-').map(word).collect::<Vec<String>>().concat())
}

fn role_of(template: &Template, function: &str) -> String {
    let role = &template.resource(function).unwrap()["Properties"]["Role"]["Fn::GetAtt"][0];
    role.as_str().expect("a function has a role of its own").to_owned()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
