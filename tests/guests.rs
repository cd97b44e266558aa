//! Guests as `template.yaml` deploys them: what the rule file and the role both
//! say, where the two functions' events come from, and who learns of what fails.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a check fails by panicking")]

use std::collections::BTreeSet;

use iam_rs::{Context, ContextValue};
use serde_json::{Value, json};
use shared::guests::GuestRules;
use shared::rules::Rules;
use tests::iam::Role;
use tests::template::{ACCOUNT, IDENTITY_POOL, REGION, Template, items, texts};
use tests::workspace_root;

fn rules() -> GuestRules {
    let text = std::fs::read_to_string(workspace_root().join("rules/rules.toml")).unwrap();
    Rules::read(&text).unwrap_or_else(|problems| panic!("{problems}")).guests.expect("the shipped rules know guests")
}

fn deployed(guests: &str) -> Template {
    Template::deployed(&[("GuestAccess", guests)]).unwrap()
}

/// A resource's properties, worked out for a deployment with guests.
fn properties(id: &str) -> Value {
    let template = deployed("true");
    template.resolve(&template.resource(id).unwrap()["Properties"]).unwrap()
}

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}")
}

// ---- The role and the rule file

#[test]
fn the_role_and_the_rule_file_list_the_same_attributes() {
    let key = ["pk", "sk"].map(str::to_owned);
    let expected: BTreeSet<String> = rules().attributes.into_iter().chain(key).collect();
    let statements = deployed("true").statements("GuestRole").unwrap();
    let writes = |statement: &&Value| !texts(&statement["Action"]).is_disjoint(&writing());
    let listed: Vec<BTreeSet<String>> = statements
        .iter()
        .filter(writes)
        .map(|statement| texts(&statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]))
        .collect();
    assert_eq!(listed, [expected], "one statement writes, and it names what");
}

fn writing() -> BTreeSet<String> {
    ["dynamodb:PutItem", "dynamodb:UpdateItem"].map(str::to_owned).into()
}

#[test]
fn what_a_guest_may_not_write_is_what_ends_his_records() {
    let table = properties("RecordsTable");
    let end = table["TimeToLiveSpecification"]["AttributeName"].as_str().unwrap();
    assert!(!rules().attributes.contains(end), "{end}");
    assert_eq!(table["TimeToLiveSpecification"]["Enabled"], true);
}

// ---- With and without guests

#[test]
fn nothing_of_guests_is_there_unless_it_is_asked_for() {
    let (without, with) = (deployed("false"), deployed("true"));
    let mut count = 0;
    for (id, resource) in with.resources().filter(|(id, _)| id.starts_with("Guest")) {
        assert!(with.is_made(resource).unwrap() && !without.is_made(resource).unwrap(), "{id}");
        count += 1;
    }
    assert!(count > 15, "the search finds the functions, their roles, the queues: {count}");
    let stream = |template: &Template| {
        template.resolve(&template.resource("RecordsTable").unwrap()["Properties"]).unwrap()["StreamSpecification"]
            .clone()
    };
    assert!(stream(&without).is_null(), "a stream that nobody reads");
    assert_eq!(stream(&with), json!({ "StreamViewType": "KEYS_ONLY" }), "the keeper reads the records themselves");
    // Whoever is always there needs nothing of it.
    for (id, resource) in without.resources().filter(|(_, resource)| without.is_made(resource).unwrap()) {
        let needs = without.needs(resource).unwrap();
        assert!(needs.iter().all(|id| !id.starts_with("Guest")), "{id} needs {needs:?}");
    }
}

// ---- Where the events come from

#[test]
fn the_queue_gives_a_promotion_time_and_gives_it_up_in_the_end() {
    let queue = properties("GuestPromotionQueue");
    let timeout = properties("GuestPromotionFunction")["Timeout"].as_u64().unwrap();
    assert!(timeout < 30, "an HTTP API waits 30 seconds");
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * timeout);
    assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() >= 5);
    assert_eq!(queue["RedrivePolicy"]["deadLetterTargetArn"], arn("sqs", "GuestDeadLettersQueue"));
    for id in ["GuestPromotionQueue", "GuestDeadLettersQueue"] {
        assert_eq!(properties(id)["SqsManagedSseEnabled"], true, "{id}");
        assert_eq!(properties(id)["MessageRetentionPeriod"], 14 * 24 * 60 * 60, "{id}");
    }
    assert!(properties("GuestDeadLettersQueue")["RedrivePolicy"].is_null());
}

#[test]
fn each_source_feeds_its_own_function_and_takes_back_what_failed() {
    let template = deployed("true");
    let sources = [
        ("GuestPromotionSource", "GuestPromotionFunction", arn("sqs", "GuestPromotionQueue")),
        (
            "GuestKeeperSource",
            "GuestKeeperFunction",
            arn("dynamodb", "table/RecordsTable/stream/2026-01-01T00:00:00.000"),
        ),
    ];
    let of_template: BTreeSet<&str> = template.of_type("AWS::Lambda::EventSourceMapping").map(|(id, _)| id).collect();
    assert_eq!(of_template, sources.iter().map(|(id, ..)| *id).collect(), "no other way into a function");
    for (id, function, source) in sources {
        let mapping = properties(id);
        assert_eq!(mapping["FunctionName"], arn("lambda", &format!("function:{function}")), "{id}");
        assert_eq!(mapping["EventSourceArn"], source, "{id}");
        assert_eq!(texts(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures".to_owned()].into(), "{id}");
    }
    let queue = properties("GuestPromotionSource");
    assert_eq!(queue["BatchSize"], 1, "a promotion may need the whole time of a run");
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    assert!((2..=1_000).contains(&queue["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap()));
    let stream = properties("GuestKeeperSource");
    assert_eq!(stream["StartingPosition"], "TRIM_HORIZON", "no record is missed that was written meanwhile");
    assert_eq!(stream["BisectBatchOnFunctionError"], true);
    assert!(stream["MaximumRetryAttempts"].as_u64().unwrap() > 0, "a record that spoils a batch ends some day");
    assert_eq!(stream["DestinationConfig"]["OnFailure"]["Destination"], arn("sqs", "GuestDeadLettersQueue"));
}

#[test]
fn the_keeper_sees_what_guests_write_and_nothing_else() {
    let filters = properties("GuestKeeperSource")["FilterCriteria"]["Filters"].clone();
    let filters: Vec<&Value> = items(&filters).collect();
    assert_eq!(filters.len(), 1, "filters are alternatives");
    let pattern: Value = serde_json::from_str(filters[0]["Pattern"].as_str().unwrap()).unwrap();
    // https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
    let expected = json!({
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": "GUEST#" }] } } },
    });
    assert_eq!(pattern, expected);
}

// ---- What the functions may do beside the table

fn may(role: &str, action: &str, resource: &str, context: &[(&str, ContextValue)]) -> bool {
    let mut all = Context::new();
    for (key, value) in context {
        all.insert((*key).to_owned(), value.clone());
    }
    Role::of(&deployed("true"), role).unwrap().may(action, resource, &all).unwrap()
}

#[test]
fn one_kind_of_event_is_sent_to_one_bus() {
    let bus = arn("events", "event-bus/default");
    let rows = [
        (Some("poolhouse"), Some("guest.promoted"), bus.as_str(), true),
        (Some("poolhouse"), Some("user.deleted"), &bus, false),
        (Some("aws.s3"), Some("guest.promoted"), &bus, false),
        (None, Some("guest.promoted"), &bus, false),
        (Some("poolhouse"), None, &bus, false),
        (Some("poolhouse"), Some("guest.promoted"), &arn("events", "event-bus/other"), false),
    ];
    for (source, kind, bus, expected) in rows {
        let source = source.map(|source| ("events:source", ContextValue::StringList(vec![source.to_owned()])));
        let kind = kind.map(|kind| ("events:detail-type", ContextValue::String(kind.to_owned())));
        let context: Vec<_> = source.into_iter().chain(kind).collect();
        assert_eq!(may("GuestPromotionRole", "events:PutEvents", bus, &context), expected, "{context:?} {bus}");
    }
}

#[test]
fn identities_are_deleted_from_this_pool_alone() {
    let pool = |id: &str| arn("cognito-identity", &format!("identitypool/{id}"));
    for (asked, expected) in [(Some(IDENTITY_POOL), true), (Some("us-east-1:other"), false), (None, false)] {
        let of = asked.map(|id| ("cognito-identity:IdentityPoolArn", ContextValue::String(pool(id))));
        let context: Vec<_> = of.into_iter().collect();
        // The action knows no resource; the evaluator wants one to be named.
        let allowed = may("GuestPromotionRole", "cognito-identity:DeleteIdentities", &pool(IDENTITY_POOL), &context);
        assert_eq!(allowed, expected, "{asked:?}");
    }
}

#[test]
fn messages_go_where_they_are_meant_to() {
    let (queue, dead) = (arn("sqs", "GuestPromotionQueue"), arn("sqs", "GuestDeadLettersQueue"));
    let rows = [
        ("GuestPromotionRole", "sqs:SendMessage", &queue, true),
        ("GuestPromotionRole", "sqs:ReceiveMessage", &queue, true),
        ("GuestPromotionRole", "sqs:DeleteMessage", &queue, true),
        ("GuestPromotionRole", "sqs:SendMessage", &dead, false),
        ("GuestPromotionRole", "sqs:ReceiveMessage", &dead, false),
        ("GuestPromotionRole", "sqs:PurgeQueue", &queue, false),
        ("GuestKeeperRole", "sqs:SendMessage", &queue, true),
        ("GuestKeeperRole", "sqs:SendMessage", &dead, true),
        ("GuestKeeperRole", "sqs:ReceiveMessage", &queue, false),
        ("GuestKeeperRole", "sqs:ReceiveMessage", &dead, false),
        ("GuestRole", "sqs:SendMessage", &queue, false),
        ("AuthenticatedRole", "sqs:SendMessage", &queue, false),
    ];
    for (role, action, queue, expected) in rows {
        assert_eq!(may(role, action, queue, &[]), expected, "{role} {action} {queue}");
    }
    let stream = arn("dynamodb", "table/RecordsTable/stream/2026-01-01T00:00:00.000");
    for (role, expected) in [("GuestKeeperRole", true), ("GuestPromotionRole", false), ("GuestRole", false)] {
        assert_eq!(may(role, "dynamodb:GetRecords", &stream, &[]), expected, "{role}");
    }
}

// ---- Who learns of what fails

#[test]
fn alarms_watch_the_dead_letters_and_a_ledger_that_cannot_be_read() {
    let filter = properties("GuestLedgerCorrupt");
    assert_eq!(filter["LogGroupName"], "GuestPromotionLogs");
    assert_eq!(filter["FilterPattern"], "{ $.code = \"LedgerCorrupt\" }");
    let (metric, alarm) = (&filter["MetricTransformations"][0], properties("GuestLedgerAlarm"));
    assert_eq!(alarm["Namespace"], metric["MetricNamespace"]);
    assert_eq!(alarm["MetricName"], metric["MetricName"]);
    let dead = properties("GuestDeadLettersAlarm");
    assert_eq!(dead["Dimensions"], json!([{ "Name": "QueueName", "Value": "GuestDeadLettersQueue" }]));
    for alarm in [&alarm, &dead] {
        assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold");
        assert_eq!(alarm["Threshold"], 0, "one is too many");
        assert!(alarm["AlarmActions"].is_null(), "told to nobody unless a topic is named");
    }
    let topic = arn("sns", "alarms");
    let told = deployed("true").with("AlarmTopicArn", &topic).unwrap();
    for id in ["GuestLedgerAlarm", "GuestDeadLettersAlarm"] {
        let actions = told.resolve(&told.resource(id).unwrap()["Properties"]["AlarmActions"]).unwrap();
        assert_eq!(texts(&actions), [topic.clone()].into(), "{id}");
    }
}
