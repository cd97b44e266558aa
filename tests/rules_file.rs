//! The shipped rule file and its schema.

use serde_json::Value;
use shared::rules::{Problem, Rules};

const SHIPPED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/rules.toml"));

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    let current = shared::rules::schema();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(&current).unwrap())).unwrap();
    }
    // As values: the order of members depends on the features that a build unites.
    let committed: Option<Value> = std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok());
    assert!(committed == Some(current), "rules/rules.schema.json is out of date: run this test with UPDATE_SCHEMA=1");
}

#[test]
fn the_shipped_rules_are_read_and_name_their_schema() {
    assert_eq!(SHIPPED.lines().next(), Some("#:schema ./rules.schema.json"));
    if let Err(problems) = Rules::read(SHIPPED) {
        panic!("{problems}");
    }
}

#[test]
fn the_challenge_that_is_off_can_be_turned_on_as_it_stands() {
    let mut text = SHIPPED.to_owned();
    for line in ["[sign_up.challenge]", "parameter = ", "verify_url = ", "hostnames = "] {
        let off = format!("\n# {line}");
        assert_eq!(text.matches(&off).count(), 1, "{line}");
        text = text.replace(&off, &format!("\n{line}"));
    }
    let rules = Rules::read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(rules.sign_up.challenge.unwrap().hostnames, ["app.example.com"]);
    assert!(Rules::read(SHIPPED).unwrap().sign_up.challenge.is_none());
}

#[test]
fn the_other_apis_and_issuers_stand_there_ready_to_be_switched_on() {
    let (before, after) = SHIPPED.split_once("# ---- Other APIs").unwrap();
    let is_setting = |line: &str| {
        let begins = line.trim_start_matches(|sign: char| sign.is_ascii_lowercase() || sign == '_');
        line.starts_with('[') || (begins.len() < line.len() && begins.starts_with(" = "))
    };
    let on = |line: &str| match line.strip_prefix("# ") {
        Some(setting) if is_setting(setting) => setting.to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<String> = after.lines().map(on).collect();
    let rules = Rules::read(&format!("{before}#{}", text.join("\n"))).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(rules.connect.unwrap().name(), "bearer");
    assert_eq!(rules.graphql.unwrap().fields.len(), 1);
    assert_eq!(rules.issuers.len(), 1);
    let shipped = Rules::read(SHIPPED).unwrap();
    assert!(shipped.connect.is_none() && shipped.graphql.is_none() && shipped.issuers.is_empty());
}

#[test]
fn the_shipped_rules_show_every_section() {
    let rules: toml::Table = toml::from_str(SHIPPED).unwrap();
    let schema = shared::rules::schema();
    let sections = schema.get("properties").and_then(Value::as_object).unwrap();
    assert!(sections.len() >= 8, "{sections:?}");
    for section in sections.keys() {
        let off = [format!("\n# [{section}]\n"), format!("\n# [[{section}]]\n")];
        assert!(rules.contains_key(section) || off.iter().any(|heading| SHIPPED.contains(heading)), "{section}");
    }
}

#[test]
fn the_schema_lets_nothing_unknown_in() {
    fn closed(at: &str, schema: &Value, open: &mut Vec<String>) {
        let is_struct = schema.get("properties").is_some();
        if is_struct && schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            open.push(at.to_owned());
        }
        let members = schema.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value));
        let items =
            schema.as_array().into_iter().flatten().enumerate().map(|(index, value)| (index.to_string(), value));
        for (key, value) in members.chain(items) {
            closed(&format!("{at}/{key}"), value, open);
        }
    }
    let mut open = Vec::new();
    closed("", &shared::rules::schema(), &mut open);
    assert_eq!(open, [""; 0]);
}

/// Each row changes the shipped file; `@` marks where the problem must be found.
#[test]
fn every_contradiction_is_refused_with_its_key_and_line() {
    let rule = "[[roles.rules]]\nclaim = \"a\"\nmatch = \"equals\"\nvalue = \"b\"\n\
                role = \"arn:aws:iam::123456789012:role/x\"\n";
    let table: Vec<(&str, &str, &str, &str)> = vec![
        // What is replaced, by what, the key that must be named, a word of the message.
        ("version = 1\n", "@version = 2\n", "version", "version 1"),
        ("allowed_domains = []", "allowed_domains = [@\"mailinator.com\"]", "sign_up.allowed_domains[0]", "blocked"),
        ("\"custom:tenant\",", "@\"email\",", "sign_up.forbidden_attributes[0]", "required"),
        ("\"email\"]\n", "@\"e-mail\"]\n", "sign_up.required_attributes[0]", "e-mail"),
        (
            "email_domains = [\"acme.example\"]",
            "providers = [@\"Okta\"]",
            "tenants.placements[0].providers[0]",
            "[[providers]]",
        ),
        ("email_domains = [\"acme.example\"]", "", "tenants.placements[0]", "everyone"),
        ("source = \"directory\"", "source = \"groups\"", "tenants.placements", "groups"),
        ("name = \"plan\"", "@name = \"cognito:roles\"", "claims.map[3].name", "cognito:roles"),
        ("name = \"plan\"", "@name = \"sub\"", "claims.map[3].name", "sub"),
        ("name = \"plan\"", "@name = \"tenant\"", "claims.map[3].name", "tenant"),
        ("name = \"plan\"", "name = \"support\"", "claims.map[4].name", "support"),
        ("id = [], access", "id = [@\"cognito:groups\"], access", "claims.suppress.id[0]", "cognito:groups"),
        ("id = [], access", "id = [\"plan\"], access", "claims.map[3].name", "suppress"),
        ("add = [\"items/read\",", "add = [@\"items read\",", "claims.scopes[0].add[0]", "scope"),
        ("budget_bytes = { id = 6144", "budget_bytes = { @id = 0", "claims.budget_bytes.id", "zero"),
        ("keep_days = 30", "@keep_days = 0", "guests.keep_days", "365"),
        ("most_items = 1000", "@most_items = 100001", "guests.most_items", "100000"),
        ("most_bytes = 1048576", "@most_bytes = 0", "guests.most_bytes", "between"),
        ("aside_days = 90", "@aside_days = 0", "guests.aside_days", "between"),
        ("most_proof_age_s = 600", "@most_proof_age_s = 86400", "guests.most_proof_age_s", "900"),
        ("attributes = [\"data\"", "@attributes = [\"expires_at\", \"data\"", "guests.attributes", "of its own"),
        ("on_conflict = \"keep-both\"", "on_conflict = \"keep-newer\"", "guests.newer_by", "which is newer"),
        (
            "on_conflict = \"keep-both\"",
            "on_conflict = \"keep-newer\"\n@newer_by = \"made_at\"",
            "guests.newer_by",
            "not among",
        ),
        (
            "on_conflict = \"keep-both\"",
            "on_conflict = \"keep-both\"\n@newer_by = \"data\"",
            "guests.newer_by",
            "leave",
        ),
        (
            "# Cognito groups that come with the promotion. The pool must have them.\ngroups = []",
            "@groups = [\"\"]",
            "guests.groups",
            "128",
        ),
        ("authenticated_role = \"AuthenticatedRole\"\n", "", "roles.ambiguous", "authenticated_role"),
        ("role = \"AdministratorRole\"", "@role = \"admin-role\"", "roles.rules[0].role", "ARN"),
        ("precedence = 100", "@role = \"role/reader\"", "roles.groups[0].role", "template.yaml"),
        ("mode = \"off\"", "mode = @\"yes\"", "revocation.mode", "unknown variant"),
        ("unavailable = \"refuse\"", "unavailable = @\"\"", "revocation.unavailable", "unknown variant"),
        ("cache_seconds = 0", "@cache_seconds = 61", "revocation.cache_seconds", "60"),
        ("path = \"/admin/items\"", "@path = \"/admin/members\"", "routes[14].path", "again"),
        ("path = \"/admin/items\"", "path = \"/admin/items\"\n@machines = \"yes\"", "routes[14].machines", "tenant"),
        (
            "path = \"/admin/items\"",
            "path = \"/admin/items\"\ntoken = \"id\"\n@scopes = [\"a\"]",
            "routes[14].scopes",
            "ID",
        ),
        (
            "path = \"/tenants/{tenant}\"",
            "path = \"/tenants/{tenant}\"\n@tenant = false",
            "routes[3].tenant",
            "{tenant}",
        ),
    ];
    let mut failures: Vec<String> =
        table.iter().filter_map(|(from, to, path, says)| refuses(SHIPPED, from, to, path, says).err()).collect();
    let by_token = SHIPPED.replace("type = \"rules\"", "type = \"token\"");
    failures.extend(refuses(&by_token, "precedence = 100", "precedence = 1", "roles.rules", "type = \"rules\"").err());
    let before = "# ---- What each route";
    let too_many = format!("{}@{rule}{before}", rule.repeat(24));
    failures.extend(refuses(SHIPPED, before, &too_many, "roles.rules[25]", "25").err());
    assert_eq!(failures, [""; 0]);
}

#[test]
fn an_older_token_version_is_refused_where_it_cannot_carry_the_claims() {
    let text = SHIPPED.replace("token_version = \"v2\"", "token_version = \"v1\"");
    let problems = Rules::read(&text).unwrap_err();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    for path in ["claims.map[0].token", "claims.map[1].token", "claims.map[1].from", "claims.scopes[0]"] {
        assert!(paths.contains(&path), "{path}: {problems}");
    }
    assert!(problems.iter().all(|problem| problem.line > 1), "{problems}");
}

#[test]
fn a_route_that_no_token_could_pass_is_refused() {
    let table = [
        ("from = { membership = \"roles\" }", "from = { groups = true }", "roles"),
        ("from = { membership = \"tenant\" }", "from = { constant = \"acme\" }", "tenant"),
    ];
    for (from, to, key) in table {
        let problems = Rules::read(&SHIPPED.replace(from, to)).unwrap_err();
        let named = |index: usize| problems.iter().any(|problem| problem.path == format!("routes[{index}].{key}"));
        assert!(named(14) && !named(0), "{key}: {problems}");
    }
}

/// Changes a file, reads it, and says how the problem differs from the expected one.
fn refuses(file: &str, from: &str, to: &str, path: &str, says: &str) -> Result<(), String> {
    let marked = file.replacen(from, to, 1);
    if marked == file {
        return Err(format!("{from} is not in the file"));
    }
    let Err(problems) = Rules::read(&marked.replacen('@', "", 1)) else {
        return Err(format!("{to} is read"));
    };
    let expected_place = marked.split_once('@').map(|(before, _)| {
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().map_or(0, str::len) + 1)
    });
    let is_expected = |problem: &&Problem| {
        let at_place = expected_place.is_none_or(|place| place == (problem.line, problem.column));
        problem.path == path && problem.message.contains(says) && at_place
    };
    problems.iter().find(is_expected).map(|_| ()).ok_or(format!("{to}: not {expected_place:?}, {path}: {problems}"))
}
