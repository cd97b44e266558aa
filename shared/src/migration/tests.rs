//! Every rule with a row that obeys it and a row that breaks it.

use super::*;
use crate::rules::Rules;
use Refusal::*;

const SECTION: &str = r#"
store = "pool"
final_status = "confirmed"
tenant_groups = true

[migration.attributes]
email = "mail"
phone_number = "mobile"
name = "displayName"
"custom:plan" = "plan"

[[migration.groups]]
from = "staff"
group = "users"

[[migration.groups]]
from = "Owners"
group = "owners"
tenant = "globex"
roles = ["admin"]

[[migration.groups]]
from = "Owners"
tenant = "globex"
roles = ["billing"]

[migration.lockout]
free_attempts = 5
first_wait_s = 60
longest_wait_s = 900
overall_per_minute = 300
"#;

fn file(section: &str) -> String {
    let before = "version = 1\n[sign_up]\nmode = \"open\"\n[tenants]\nsource = \"directory\"\n";
    format!("{before}[claims]\ntoken_version = \"v2\"\n[migration]\n{section}")
}

fn rules() -> MigrationRules {
    Rules::read(&file(SECTION)).unwrap().migration.unwrap()
}

fn ann() -> LegacyUser {
    let attributes = [("mail", "Ann@Acme.example"), ("displayName", "Ann"), ("shoe_size", "39"), ("sub", "old-sub")];
    LegacyUser {
        attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        email_verified: true,
        ..LegacyUser::new(LegacyId::parse("legacy-7").unwrap())
    }
}

fn sign_in(user_name: &str) -> Request<'_> {
    Request { source: Source::Authentication, user_name, password: Offered::Text }
}

fn forgotten(user_name: &str) -> Request<'_> {
    Request { source: Source::ForgotPassword, user_name, password: Offered::Nothing }
}

fn decision(request: Request<'_>, found: &Found, proof: Proof) -> Decision {
    decide(&rules(), request, Facts { found, proof })
}

#[expect(clippy::result_large_err, reason = "a test compares whole decisions")]
fn admission(request: Request<'_>, user: LegacyUser, proof: Proof) -> Result<Admission, Decision> {
    match decision(request, &Found::One(user), proof) {
        Decision::Admit(admission) => Ok(admission),
        other => Err(other),
    }
}

fn shown(admission: &Admission) -> Vec<(&str, &str)> {
    admission.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

const WHOLE: [(&str, &str); 4] =
    [("custom:legacy_id", "legacy-7"), ("email", "ann@acme.example"), ("email_verified", "true"), ("name", "Ann")];

#[test]
fn sources_are_known_or_refused() {
    let table = [
        ("UserMigration_Authentication", Source::Authentication),
        ("UserMigration_ForgotPassword", Source::ForgotPassword),
        ("UserMigration_Future", Source::Unknown),
        ("usermigration_authentication", Source::Unknown),
        ("PreSignUp_SignUp", Source::Unknown),
        ("", Source::Unknown),
    ];
    for (text, expected) in table {
        assert_eq!(Source::parse(text), expected, "{text:?}");
    }
    let request = Request { source: Source::Unknown, ..sign_in("ann@acme.example") };
    assert_eq!(decision(request, &Found::One(ann()), Proof::Right), Decision::Refuse(UnknownSource));
}

#[test]
fn the_old_system_is_asked_only_what_can_decide() {
    let key = "ann@acme.example".to_owned();
    let with = |source, user_name, password| Request { source, user_name, password };
    let (both, forgot) = (Source::Authentication, Source::ForgotPassword);
    let table = [
        (with(both, "Ann@acme.example", Offered::Text), FactsNeeded::CheckedUser(key.clone())),
        (with(both, "Ann@acme.example", Offered::Nothing), FactsNeeded::Nothing),
        (with(both, "Ann@acme.example", Offered::TooLong), FactsNeeded::Nothing),
        (with(both, "", Offered::Text), FactsNeeded::Nothing),
        (with(forgot, "ANN@acme.example", Offered::Nothing), FactsNeeded::User(key.clone())),
        // A password that comes along is not looked at.
        (with(forgot, "ann@acme.example", Offered::Text), FactsNeeded::User(key)),
        (with(forgot, "a\nb", Offered::Nothing), FactsNeeded::Nothing),
        (with(Source::Unknown, "ann@acme.example", Offered::Text), FactsNeeded::Nothing),
    ];
    for (request, expected) in table {
        assert_eq!(facts_needed(request), expected, "{request:?}");
    }
}

#[test]
fn only_a_right_password_moves_anybody_in_at_a_sign_in() {
    let one = Found::One(ann());
    let table = [
        ("M01", &one, Proof::Right, None),
        ("wrong", &one, Proof::Wrong, Some(PasswordWrong)),
        ("wrong, and nobody says whose", &Found::Nobody, Proof::Wrong, Some(PasswordWrong)),
        ("nothing to check with", &one, Proof::Unchecked, Some(PasswordUnchecked)),
        ("M12", &one, Proof::Unusable("HashMalformed"), Some(PasswordUnusable("HashMalformed"))),
        ("unknown", &Found::Nobody, Proof::Unchecked, Some(UnknownUser)),
        ("M25", &Found::Several, Proof::Unchecked, Some(AmbiguousUser)),
        ("unreadable", &Found::Unreadable, Proof::Unchecked, Some(RecordUnreadable)),
        // Facts that contradict each other move nobody in.
        ("nobody's right password", &Found::Nobody, Proof::Right, Some(UnknownUser)),
        ("several people's right password", &Found::Several, Proof::RightButWeak, Some(AmbiguousUser)),
    ];
    for (name, found, proof, expected) in table {
        match (decision(sign_in("ann@acme.example"), found, proof), expected) {
            (Decision::Admit(_), None) => {}
            (found, expected) => assert_eq!(Some(found), expected.map(Decision::Refuse), "{name}"),
        }
    }
    for (offered, expected) in [(Offered::Nothing, PasswordMissing), (Offered::TooLong, PasswordTooLong)] {
        let request = Request { password: offered, ..sign_in("ann@acme.example") };
        assert_eq!(decision(request, &one, Proof::Right), Decision::Refuse(expected), "M07 M08");
    }
    assert_eq!(decision(sign_in(""), &one, Proof::Right), Decision::Refuse(NameUnusable));
}

#[test]
fn the_status_is_the_rules_unless_a_new_password_is_needed() {
    let resetting = LegacyUser { must_reset: true, ..ann() };
    let table = [
        (FinalStatus::Confirmed, ann(), Proof::Right, FinalStatus::Confirmed),
        (FinalStatus::Confirmed, ann(), Proof::RightButWeak, FinalStatus::ResetRequired),
        (FinalStatus::Confirmed, resetting.clone(), Proof::Right, FinalStatus::ResetRequired),
        (FinalStatus::ResetRequired, ann(), Proof::Right, FinalStatus::ResetRequired),
        (FinalStatus::ResetRequired, resetting, Proof::RightButWeak, FinalStatus::ResetRequired),
    ];
    for (final_status, user, proof, expected) in table {
        let rules = MigrationRules { final_status, ..rules() };
        let row = format!("M16 {final_status:?} {user:?} {proof:?}");
        let facts = Facts { found: &Found::One(user), proof };
        let Decision::Admit(admission) = decide(&rules, sign_in("ann@acme.example"), facts) else { panic!("{row}") };
        assert_eq!(admission.final_status, expected, "{row}");
    }
}

#[test]
fn attributes_are_carried_over_by_name_and_nothing_else_is() {
    let with = |name: &str, value: &str| {
        let mut user = ann();
        user.attributes.insert(name.to_owned(), value.to_owned());
        user
    };
    let plus = |more: (&'static str, &'static str)| {
        let mut whole = WHOLE.to_vec();
        whole.push(more);
        whole.sort_unstable();
        whole
    };
    let without = |name: &str| WHOLE.into_iter().filter(|(own, _)| *own != name).collect::<Vec<_>>();
    let too_long = "x".repeat(2049);
    let table = [
        ("renamed", ann(), WHOLE.to_vec()),
        ("custom", with("plan", "gold"), plus(("custom:plan", "gold"))),
        ("a number", with("mobile", "+15551234567"), plus(("phone_number", "+15551234567"))),
        ("no number", with("mobile", "0555 1234"), WHOLE.to_vec()),
        ("empty", with("displayName", ""), without("name")),
        ("too long", with("displayName", &too_long), without("name")),
        ("not named", with("custom:role", "admin"), WHOLE.to_vec()),
        ("not named either", with("email_verified", "true"), WHOLE.to_vec()),
        ("M24", LegacyUser { email_verified: false, ..ann() }, without("email_verified")),
    ];
    for (name, user, expected) in table {
        let admission = admission(sign_in("ann@acme.example"), user, Proof::Right).unwrap();
        assert_eq!(shown(&admission), expected, "{name}");
    }
    let malformed = admission(sign_in("ann"), with("mail", "Ann <ann@acme.example>"), Proof::Right).unwrap();
    let left = [("custom:legacy_id", "legacy-7"), ("name", "Ann")];
    assert_eq!(shown(&malformed), left, "an address that is left out is not verified either");
}

#[test]
fn a_name_that_is_an_address_must_be_the_users_own() {
    let mut with_number = ann();
    with_number.attributes.insert("mobile".to_owned(), "+15551234567".to_owned());
    let without_address = LegacyUser { attributes: BTreeMap::new(), ..ann() };
    let table = [
        ("ann@acme.example", ann(), true),
        ("ANN@ACME.EXAMPLE", ann(), true),
        ("bob@acme.example", ann(), false),
        ("ann@acme.example", without_address.clone(), false),
        ("ann", ann(), true),
        ("ann", without_address.clone(), true),
        ("+15551234567", with_number.clone(), true),
        ("+15551234568", with_number, false),
        ("+15551234567", without_address, false),
    ];
    for (user_name, user, expected) in table {
        let admission = admission(sign_in(user_name), user, Proof::Right);
        let expected = if expected { None } else { Some(Decision::Refuse(NameMismatch)) };
        assert_eq!(admission.err(), expected, "M25 {user_name}");
    }
}

#[test]
fn who_may_not_sign_in_there_may_not_come_in_here() {
    let disabled = LegacyUser { disabled: true, ..ann() };
    let request = sign_in("ann@acme.example");
    assert_eq!(admission(request, disabled.clone(), Proof::Right), Err(Decision::Refuse(UserDisabled)));
    // Who has not proved to be him does not learn it, not even in the log.
    assert_eq!(admission(request, disabled.clone(), Proof::Wrong), Err(Decision::Refuse(PasswordWrong)));
    let request = forgotten("ann@acme.example");
    assert_eq!(admission(request, disabled, Proof::Unchecked), Err(Decision::LeaveAlone(UserDisabled)));
}

#[test]
fn a_forgotten_password_needs_a_proved_address_and_nothing_of_it_shows() {
    let request = forgotten("ann@acme.example");
    let mut user = ann();
    user.attributes.insert("mobile".to_owned(), "+15551234567".to_owned());
    let admitted = admission(request, user, Proof::Unchecked).unwrap();
    assert_eq!((shown(&admitted), admitted.final_status), (WHOLE.to_vec(), FinalStatus::ResetRequired), "M04");
    let unverified = Found::One(LegacyUser { email_verified: false, ..ann() });
    let without_address = Found::One(LegacyUser { attributes: BTreeMap::new(), ..ann() });
    let table = [
        ("M04", Found::Nobody, UnknownUser),
        ("M25", Found::Several, AmbiguousUser),
        ("unreadable", Found::Unreadable, RecordUnreadable),
        ("M05", unverified, ContactUnverified),
        ("no address", without_address, ContactUnverified),
    ];
    for (name, found, expected) in table {
        assert_eq!(decision(request, &found, Proof::Unchecked), Decision::LeaveAlone(expected), "{name}");
    }
    let other = decision(forgotten("bob@acme.example"), &Found::One(ann()), Proof::Unchecked);
    assert_eq!(other, Decision::LeaveAlone(NameMismatch));
    assert_eq!(decision(forgotten("a\nb"), &Found::One(ann()), Proof::Unchecked), Decision::LeaveAlone(NameUnusable));
}

#[test]
fn rights_are_carried_over_as_the_rules_say() {
    type Expected<'a> = (&'a [(&'a str, &'a [&'a str])], &'a [&'a str]);
    let table: &[(&[&str], Expected<'_>)] = &[
        // Nothing is an arrival too: it replaces what was kept before.
        (&[], (&[], &[])),
        (&["unknown", "STAFF", "Acme:admin", "acme:Admin", "acme:"], (&[], &[])),
        (&["staff"], (&[], &["users"])),
        (&["acme:admin", "acme:member", "acme:admin"], (&[("acme", &["admin", "member"])], &[])),
        (&["Owners"], (&[("globex", &["admin", "billing"])], &["owners"])),
        (
            &["Owners", "globex:member", "acme:member", "staff"],
            (&[("acme", &["member"]), ("globex", &["admin", "billing", "member"])], &["owners", "users"]),
        ),
    ];
    for (groups, expected) in table {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        let user = LegacyUser { groups, ..ann() };
        let admission = admission(sign_in("ANN@acme.example"), user.clone(), Proof::Right).unwrap();
        let arrival = &admission.arrival;
        assert_eq!((arrival.id().as_str(), arrival.address()), ("legacy-7", "ann@acme.example"));
        let memberships = arrival.memberships().iter().map(|(tenant, roles)| {
            (tenant.as_str().to_owned(), roles.iter().map(|role| role.as_str().to_owned()).collect::<Vec<_>>())
        });
        let found = (memberships.collect::<Vec<_>>(), arrival.groups().iter().cloned().collect::<Vec<_>>());
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (memberships, groups) = expected;
        let memberships = memberships.iter().map(|(tenant, roles)| ((*tenant).to_owned(), texts(roles)));
        let expected = (memberships.collect::<Vec<_>>(), texts(groups));
        assert_eq!(found, expected, "{:?}", user.groups);
    }
}

#[test]
fn without_the_rule_a_group_is_no_membership_and_too_many_rights_are_refused() {
    let with_groups = |groups: Vec<String>| Found::One(LegacyUser { groups, ..ann() });
    let found = with_groups(vec!["acme:admin".to_owned()]);
    let facts = Facts { found: &found, proof: Proof::Right };
    let rules = MigrationRules { tenant_groups: false, ..rules() };
    let Decision::Admit(admission) = decide(&rules, sign_in("ann"), facts) else { panic!("admitted") };
    assert!(admission.arrival.memberships().is_empty());
    let many = with_groups((0..=Arrival::MOST_MEMBERSHIPS).map(|n| format!("t{n}:member")).collect());
    assert_eq!(decision(sign_in("ann"), &many, Proof::Right), Decision::Refuse(TooMuchToCarry));
    let without_address = LegacyUser { attributes: BTreeMap::new(), groups: vec!["staff".to_owned()], ..ann() };
    let arrival = self::admission(sign_in("ANN"), without_address, Proof::Right).unwrap().arrival;
    assert_eq!(arrival.address(), "ann", "without an address it is the name");
}

#[test]
fn a_section_that_contradicts_itself_is_refused_with_its_place() {
    const TABLE: &str = "store = \"table\"";
    const HASHES: &str = "[migration.hashes]\nkinds = [\"bcrypt\"]\ndecoy = \"bcrypt:10\"\n";
    let hashes = |kinds: &str| HASHES.replace("\"bcrypt\"]", kinds);
    let table = [
        ("store = \"pool\"", TABLE, "migration.hashes", "hashes"),
        ("[migration.lockout]", &format!("{HASHES}[migration.lockout]"), "migration.hashes", "remove"),
        ("email = \"mail\"", "email = \"\"", "migration.attributes.email", "old system's"),
        ("email = \"mail\"", "sub = \"id\"", "migration.attributes.sub", "cannot be set"),
        ("email = \"mail\"", "email_verified = \"v\"", "migration.attributes.email_verified", "cannot be set"),
        ("\"custom:plan\"", "\"custom:legacy_id\"", "migration.attributes.custom:legacy_id", "always"),
        ("\"custom:plan\"", "\"cognito:groups\"", "migration.attributes.cognito:groups", "cannot be set"),
        ("from = \"staff\"", "from = \"\"", "migration.groups[0].from", "name the group"),
        ("group = \"users\"", "group = \"two words\"", "migration.groups[0].group", "blanks"),
        ("group = \"users\"", "", "migration.groups[0]", "that it becomes"),
        ("group = \"users\"", "group = \"u\"\nroles = [\"a\"]", "migration.groups[0].roles", "tenant"),
        ("free_attempts = 5", "free_attempts = 0", "migration.lockout.free_attempts", "1 to 10"),
        ("free_attempts = 5", "free_attempts = 11", "migration.lockout.free_attempts", "1 to 10"),
        ("first_wait_s = 60", "first_wait_s = 0", "migration.lockout.first_wait_s", "guesser"),
        ("first_wait_s = 60", "first_wait_s = 901", "migration.lockout.longest_wait_s", "shorter"),
        ("longest_wait_s = 900", "longest_wait_s = 3601", "migration.lockout.longest_wait_s", "hour"),
        ("overall_per_minute = 300", "overall_per_minute = 0", "migration.lockout.overall_per_minute", "nobody"),
    ];
    for (from, to, path, says) in table {
        let text = file(&SECTION.replacen(from, to, 1));
        let problems = Rules::read(&text).expect_err(to);
        let named = problems.iter().any(|problem| problem.path == path && problem.message.contains(says));
        assert!(named, "{to}: {problems}");
    }
    for missing in ["store = \"pool\"", "final_status = \"confirmed\"", "free_attempts = 5", "overall_per_minute = 300"]
    {
        assert!(Rules::read(&file(&SECTION.replacen(missing, "", 1))).is_err(), "{missing} cannot be left out");
    }
    let with_table = SECTION.replace("store = \"pool\"", TABLE);
    for (kinds, accepted) in [("\"bcrypt\"]", true), ("\"argon2\"]", false)] {
        let text = file(&format!("{with_table}{}", hashes(kinds)));
        assert_eq!(Rules::read(&text).is_ok(), accepted, "{kinds}");
    }
}

#[test]
fn what_would_never_be_read_is_refused() {
    let groups = file(SECTION).replace("source = \"directory\"", "source = \"groups\"");
    let problems = Rules::read(&groups).unwrap_err();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    for path in ["migration.tenant_groups", "migration.groups[1].tenant", "migration.groups[2].tenant"] {
        assert!(paths.contains(&path), "{path}: {problems}");
    }
    let provider = "[[providers]]\nname = \"Google\"\ntrusts_email = true\nsubject_attribute = \"custom:plan\"\n";
    let section = format!("{SECTION}{provider}");
    let problems = Rules::read(&file(&section)).unwrap_err();
    assert!(problems.iter().any(|problem| problem.path == "migration.attributes.custom:plan"), "{problems}");
    let nobody = file(SECTION).replace("[migration]", "").replace(SECTION, "");
    assert_eq!(Rules::read(&nobody).unwrap().migration, None);
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let all = [
        UnknownSource,
        NameUnusable,
        PasswordMissing,
        PasswordTooLong,
        UnknownUser,
        AmbiguousUser,
        RecordUnreadable,
        UserDisabled,
        PasswordWrong,
        PasswordUnchecked,
        PasswordUnusable("HashMalformed"),
        NameMismatch,
        ContactUnverified,
        TooMuchToCarry,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(codes.len(), all.len());
}
