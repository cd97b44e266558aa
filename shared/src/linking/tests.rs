//! Every rule with a row that obeys it and a row that breaks it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const FILE: &str = r#"
version = 1
[sign_up]
mode = "open"
forbidden_attributes = ["custom:provider_subject"]

[[providers]]
name = "Google"
trusts_email = true
links = "existing"

[[providers]]
name = "Corp_OIDC"
trusts_email = true
links = "existing"
subject_attribute = "custom:provider_subject"

[[providers]]
name = "Maker"
trusts_email = true
links = "create"
subject_attribute = "custom:provider_subject"

[[providers]]
name = "separate"
trusts_email = true

[[providers]]
name = "loose"
trusts_email = false

[tenants]
source = "directory"

[claims]
token_version = "v2"
"#;

const UUID: &str = "5f0c4f9e-1111-4222-8333-944445555666";
const OTHER: &str = "6a0c4f9e-2222-4222-8333-944445555666";
const ADDRESS: &str = "ann@x.test";

fn rules() -> Rules {
    Rules::read(FILE).unwrap()
}

fn attributes(entries: &[(&str, &str)]) -> Attributes {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A newcomer whom the provider vouches for.
fn newcomer(subject: &str) -> Attributes {
    attributes(&[("email", "Ann@X.test"), ("email_verified", "true"), ("custom:provider_subject", subject)])
}

fn decision(user_name: &str, attributes: &Attributes, found: &Found) -> Decision {
    decide(&rules(), Request { source: FIRST_FEDERATED_SIGN_IN, user_name: Some(user_name), attributes }, found)
}

fn needed(source: &str, user_name: &str, attributes: &Attributes) -> FactsNeeded {
    facts_needed(&rules(), Request { source, user_name: Some(user_name), attributes })
}

/// The user to whom everything may be linked.
fn user(name: &str) -> Candidate {
    Candidate {
        user_name: name.to_owned(),
        status: Status::Confirmed,
        enabled: true,
        attributes: attributes(&[("email", ADDRESS), ("email_verified", "true")]),
    }
}

fn with(mut user: Candidate, name: &str, value: &str) -> Candidate {
    let names: Vec<String> = user.attributes.names().map(str::to_owned).collect();
    let kept = names.into_iter().map(|name| (name.clone(), user.attributes.get(&name).unwrap_or_default().to_owned()));
    user.attributes = kept.chain([(name.to_owned(), value.to_owned())]).collect();
    user
}

fn identities(accounts: &[(&str, &str)]) -> String {
    let accounts: Vec<_> =
        accounts.iter().map(|(provider, id)| serde_json::json!({"providerName": provider, "userId": id})).collect();
    serde_json::Value::from(accounts).to_string()
}

/// Both lookups show this user.
fn both(user: Candidate) -> Found {
    Found { listed: vec![user.clone()], named: Some(user) }
}

fn link(provider: &str, subject: &str) -> Link {
    Link { user_name: UUID.to_owned(), provider: provider.to_owned(), subject: subject.to_owned() }
}

#[test]
fn a_proved_address_is_linked_to_its_one_proved_owner() {
    let table = [
        ("Google_123", "", link("Google", "123")),
        ("google_123", "", link("Google", "123")),
        ("GOOGLE_00042", "", link("Google", "00042")),
        ("corp_oidc_abc-def", "Abc-DEF", link("Corp_OIDC", "Abc-DEF")),
        ("Corp_OIDC_a_b", "A_b", link("Corp_OIDC", "A_b")),
        ("corp_oidc_7", "7", link("Corp_OIDC", "7")),
        ("maker_j\u{f6}rg", "J\u{d6}RG", link("Maker", "J\u{d6}RG")),
    ];
    for (user_name, subject, expected) in table {
        let found = decision(user_name, &newcomer(subject), &both(user(UUID)));
        assert_eq!(found, Decision::Link(expected), "{user_name} {subject}");
    }
}

#[test]
fn an_address_counts_only_when_a_trusted_provider_calls_it_verified() {
    let linked = Decision::Link(link("Google", "123"));
    let refused = Decision::Refuse(Refusal::EmailUnverified);
    let table = [
        ("Google_123", ADDRESS, "true", &linked),
        ("Google_123", ADDRESS, "True", &linked),
        ("Google_123", "ANN@X.TEST", "true", &linked),
        ("Google_123", ADDRESS, "false", &refused),
        ("Google_123", ADDRESS, "", &refused),
        ("Google_123", ADDRESS, "1", &refused),
        ("Google_123", ADDRESS, "yes", &refused),
        ("Google_123", "", "true", &refused),
        ("Google_123", "a@b@x.test", "true", &refused),
        ("separate_123", ADDRESS, "true", &Decision::SeparateAccount),
        ("separate_123", ADDRESS, "false", &Decision::SeparateAccount),
        ("loose_123", ADDRESS, "true", &Decision::SeparateAccount),
        ("unknown_123", ADDRESS, "true", &Decision::Refuse(Refusal::ProviderUnknown)),
        (UUID, ADDRESS, "true", &Decision::Refuse(Refusal::ProviderUnknown)),
    ];
    for (user_name, email, verified, expected) in table {
        let attributes = attributes(&[("email", email), ("email_verified", verified)]);
        assert_eq!(decision(user_name, &attributes, &both(user(UUID))), *expected, "{user_name} {email} {verified}");
        let asks = matches!(needed(FIRST_FEDERATED_SIGN_IN, user_name, &attributes), FactsNeeded::UsersWith(_));
        assert_eq!(asks, matches!(expected, Decision::Link(_)), "{user_name} {email} {verified}");
    }
}

#[test]
fn only_a_first_federated_sign_in_makes_links() {
    let sources =
        ["PreSignUp_SignUp", "PreSignUp_AdminCreateUser", "PreSignUp_Future", "", "presignup_externalprovider"];
    for source in sources {
        let attributes = newcomer("");
        assert_eq!(needed(source, "Google_123", &attributes), FactsNeeded::Nothing, "{source}");
        let request = Request { source, user_name: Some("Google_123"), attributes: &attributes };
        assert_eq!(decide(&rules(), request, &both(user(UUID))), Decision::SeparateAccount, "{source}");
    }
    let address = EmailAddress::parse(ADDRESS).unwrap();
    assert_eq!(needed(FIRST_FEDERATED_SIGN_IN, "Google_123", &newcomer("")), FactsNeeded::UsersWith(address));
}

#[test]
fn an_address_that_no_filter_can_hold_is_refused() {
    for (length, refused) in [(246, false), (247, true), (254, true)] {
        let labels = [50, 50, 50, length - 64 - 1 - 3 * 51].map(|label| "d".repeat(label)).join(".");
        let email = format!("{}@{labels}", "a".repeat(64));
        assert_eq!(email.len(), length);
        let attributes = attributes(&[("email", &email), ("email_verified", "true")]);
        let expected = if refused { Decision::Refuse(Refusal::EmailTooLong) } else { Decision::SeparateAccount };
        assert_eq!(decision("Google_1", &attributes, &Found::default()), expected, "{length}");
    }
}

#[test]
fn the_subject_is_known_to_the_letter_or_nothing_is_linked() {
    let table = [
        // No attribute: digits have no case to lose.
        ("google_abc", "", Refusal::SubjectUnknown),
        ("google_12a", "", Refusal::SubjectUnknown),
        ("google_12\u{e9}", "", Refusal::SubjectUnknown),
        // What is mapped elsewhere does not help.
        ("google_abc", "Abc", Refusal::SubjectUnknown),
        // An attribute that nothing is mapped to.
        ("corp_oidc_abc", "", Refusal::SubjectUnknown),
        ("corp_oidc_7", "", Refusal::SubjectUnknown),
        ("corp_oidc_abc", "Abd", Refusal::SubjectInconsistent),
        ("corp_oidc_abc", " Abc", Refusal::SubjectInconsistent),
        ("corp_oidc_abc", "oidc_abc", Refusal::SubjectInconsistent),
        ("corp_oidc_abc", "corp_oidc_abc", Refusal::SubjectInconsistent),
    ];
    for (user_name, subject, expected) in table {
        let attributes = newcomer(subject);
        let found = decision(user_name, &attributes, &both(user(UUID)));
        assert_eq!(found, Decision::Refuse(expected), "{user_name} {subject}");
        assert_eq!(needed(FIRST_FEDERATED_SIGN_IN, user_name, &attributes), FactsNeeded::Nothing, "{user_name}");
    }
}

#[test]
fn the_one_user_must_be_confirmed_enabled_and_verified() {
    let waiting = |status| Candidate { status, ..user(UUID) };
    let unverified = |value| with(user(UUID), "email_verified", value);
    let full = identities(&[("Google", "1"), ("Google", "2"), ("a", "3"), ("b", "4"), ("c", "5")]);
    let four = identities(&[("Google", "1"), ("Google", "2"), ("a", "3"), ("b", "4")]);
    let table = [
        ("as it should be", user(UUID), Ok(())),
        ("four links", with(user(UUID), "identities", &four), Ok(())),
        ("disabled", Candidate { enabled: false, ..user(UUID) }, Err(Refusal::TargetDisabled)),
        ("unverified", unverified("false"), Err(Refusal::TargetUnverified)),
        ("verified is unset", unverified(""), Err(Refusal::TargetUnverified)),
        ("unconfirmed", waiting(Status::Other), Err(Refusal::TargetUnconfirmed)),
        ("made by hand", waiting(Status::ForceChangePassword), Err(Refusal::TargetUnconfirmed)),
        ("five links", with(user(UUID), "identities", &full), Err(Refusal::TargetFull)),
        ("unreadable", with(user(UUID), "identities", "[{"), Err(Refusal::TargetUnreadable)),
    ];
    for (says, candidate, expected) in table {
        let found = decision("google_123", &newcomer(""), &both(candidate));
        let expected = expected.map_or_else(Decision::Refuse, |()| Decision::Link(link("Google", "123")));
        assert_eq!(found, expected, "{says}");
    }
}

#[test]
fn whoever_is_linked_already_is_not_linked_again() {
    let table = [
        ("Google", "123", Decision::Linked),
        ("google", "123", Decision::Linked),
        ("Google", "124", Decision::Link(link("Google", "123"))),
        ("Other", "123", Decision::Link(link("Google", "123"))),
    ];
    for (provider, id, expected) in table {
        let linked = with(user(UUID), "identities", &identities(&[(provider, id)]));
        assert_eq!(decision("google_123", &newcomer(""), &both(linked)), expected, "{provider} {id}");
    }
    // Even where there is no room: the fifth is this one.
    let five = identities(&[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"), ("Google", "123")]);
    let linked = with(user(UUID), "identities", &five);
    assert_eq!(decision("google_123", &newcomer(""), &both(linked)), Decision::Linked);
    // An earlier link that lost its case is another account.
    let lost = with(user(UUID), "identities", &identities(&[("Corp_OIDC", "abc")]));
    assert_eq!(decision("corp_oidc_abc", &newcomer("Abc"), &both(lost)), Decision::Link(link("Corp_OIDC", "Abc")));
}

#[test]
fn both_lookups_must_show_the_same_one_user() {
    let external = Candidate { status: Status::ExternalProvider, ..user("Facebook_9") };
    let elsewhere = with(user(OTHER), "email", "ann@x.test.evil.test");
    let prefix = with(user(OTHER), "email", "ann@x.testing");
    let shouting = with(user(UUID), "email", "ANN@X.TEST");
    let pending = Candidate { status: Status::Other, ..user(UUID) };
    let unverified = with(user(UUID), "email_verified", "false");
    let linked = Decision::Link(link("Google", "123"));
    let refused = Decision::Refuse;
    let table: Vec<(&str, Vec<Candidate>, Option<Candidate>, Decision)> = vec![
        ("nobody", vec![], None, Decision::SeparateAccount),
        ("one", vec![user(UUID)], Some(user(UUID)), linked.clone()),
        ("one on two pages", vec![user(UUID), user(UUID)], Some(user(UUID)), linked.clone()),
        ("one in capitals", vec![shouting.clone()], Some(shouting), linked.clone()),
        ("one and a prefix", vec![prefix.clone(), user(UUID)], Some(user(UUID)), linked.clone()),
        ("one and an external account", vec![external.clone(), user(UUID)], Some(user(UUID)), linked),
        ("an external account alone", vec![external.clone()], None, Decision::SeparateAccount),
        ("an external account by name", vec![], Some(external), Decision::SeparateAccount),
        ("others alone", vec![prefix, elsewhere.clone()], None, Decision::SeparateAccount),
        ("the list lags", vec![], Some(user(UUID)), refused(Refusal::LookupsDisagree)),
        ("the list is ahead", vec![user(UUID)], None, refused(Refusal::LookupsDisagree)),
        ("the name is another's", vec![user(UUID)], Some(elsewhere), refused(Refusal::LookupsDisagree)),
        ("no alias, unverified", vec![unverified.clone()], None, refused(Refusal::TargetUnverified)),
        ("no alias, unconfirmed", vec![pending.clone()], None, refused(Refusal::TargetUnconfirmed)),
        ("the list lags in detail", vec![unverified], Some(user(UUID)), Decision::Link(link("Google", "123"))),
        ("two", vec![user(UUID), user(OTHER)], Some(user(UUID)), refused(Refusal::Ambiguous)),
        ("two, one unconfirmed", vec![pending, user(OTHER)], Some(user(OTHER)), refused(Refusal::Ambiguous)),
        ("one each", vec![user(UUID)], Some(user(OTHER)), refused(Refusal::Ambiguous)),
        ("two, no alias", vec![user(UUID), user(OTHER)], None, refused(Refusal::Ambiguous)),
    ];
    for (says, listed, named, expected) in table {
        assert_eq!(decision("google_123", &newcomer(""), &Found { listed, named }), expected, "{says}");
    }
}

#[test]
fn a_user_is_made_only_where_the_rules_say_so_and_finished_only_when_it_is_ours() {
    let made = Decision::Create(NewUser {
        address: EmailAddress::parse(ADDRESS).unwrap(),
        subject_attribute: "custom:provider_subject".to_owned(),
        provider: "Maker".to_owned(),
        subject: "Abc".to_owned(),
    });
    let waiting = |subject| {
        with(Candidate { status: Status::ForceChangePassword, ..user(UUID) }, "custom:provider_subject", subject)
    };
    let refused = Decision::Refuse;
    let lagging = Found { listed: vec![], named: Some(waiting("Abc")) };
    let table = [
        ("maker_abc", "nobody", Found::default(), made),
        ("corp_oidc_abc", "nobody", Found::default(), Decision::SeparateAccount),
        ("maker_abc", "ours", both(waiting("Abc")), Decision::Finish(link("Maker", "Abc"))),
        ("maker_abc", "ours, not listed yet", lagging, refused(Refusal::LookupsDisagree)),
        ("maker_abc", "of another account", both(waiting("abc")), refused(Refusal::TargetUnconfirmed)),
        ("maker_abc", "an administrator's", both(waiting("")), refused(Refusal::TargetUnconfirmed)),
        ("corp_oidc_abc", "not for this provider", both(waiting("Abc")), refused(Refusal::TargetUnconfirmed)),
        (
            "maker_abc",
            "disabled",
            both(Candidate { enabled: false, ..waiting("Abc") }),
            refused(Refusal::TargetDisabled),
        ),
        ("maker_abc", "finished", both(user(UUID)), Decision::Link(link("Maker", "Abc"))),
    ];
    for (user_name, says, found, expected) in table {
        assert_eq!(decision(user_name, &newcomer("Abc"), &found), expected, "{user_name} {says}");
    }
}

#[test]
fn a_refused_link_counts_as_made_only_when_the_user_shows_it() {
    let full = identities(&[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"), ("a", "5")]);
    let table = [
        (identities(&[("Google", "123")]), None),
        (identities(&[("Google", "124")]), Some(Refusal::PoolRefused)),
        (String::new(), Some(Refusal::PoolRefused)),
        (full, Some(Refusal::TargetFull)),
        ("nonsense".to_owned(), Some(Refusal::TargetUnreadable)),
    ];
    for (identities, expected) in table {
        let user = with(user(UUID), "identities", &identities);
        assert_eq!(check_link(&link("Google", "123"), &user), expected, "{identities}");
    }
}

#[test]
fn statuses_are_read_to_the_letter() {
    let table = [
        ("CONFIRMED", Status::Confirmed),
        ("FORCE_CHANGE_PASSWORD", Status::ForceChangePassword),
        ("EXTERNAL_PROVIDER", Status::ExternalProvider),
        ("UNCONFIRMED", Status::Other),
        ("RESET_REQUIRED", Status::Other),
        ("ARCHIVED", Status::Other),
        ("confirmed", Status::Other),
        ("", Status::Other),
    ];
    for (text, expected) in table {
        assert_eq!(Status::parse(text), expected, "{text}");
    }
}

#[test]
fn each_refusal_has_a_code_of_its_own() {
    let all = [
        Refusal::ProviderUnknown,
        Refusal::EmailUnverified,
        Refusal::EmailTooLong,
        Refusal::SubjectUnknown,
        Refusal::SubjectInconsistent,
        Refusal::Ambiguous,
        Refusal::LookupsDisagree,
        Refusal::TargetDisabled,
        Refusal::TargetUnverified,
        Refusal::TargetUnconfirmed,
        Refusal::TargetFull,
        Refusal::TargetUnreadable,
        Refusal::PoolRefused,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(codes.len(), all.len());
    assert!(codes.iter().all(|code| code.starts_with("Link")), "{codes:?}");
}

/// Users of every kind, few enough that lookups often show the same ones.
fn any_user() -> impl Strategy<Value = Candidate> {
    let status = [Status::Confirmed, Status::ForceChangePassword, Status::ExternalProvider, Status::Other];
    let email = select(vec![ADDRESS, "Ann@X.Test", "ann@x.test.evil.test", "bob@x.test", ""]);
    let verified = select(vec!["true", "True", "false", ""]);
    let subject = select(vec!["Abc", "abc", ""]);
    let accounts = select(vec!["", "[]", "nonsense", r#"[{"providerName":"Maker","userId":"Abc"}]"#]);
    (select(vec![UUID, OTHER]), select(status.to_vec()), any::<bool>(), email, verified, subject, accounts).prop_map(
        |(name, status, enabled, email, verified, subject, accounts)| Candidate {
            user_name: name.to_owned(),
            status,
            enabled,
            attributes: attributes(&[
                ("email", email),
                ("email_verified", verified),
                ("custom:provider_subject", subject),
                ("identities", accounts),
            ]),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_found_only_the_one_proved_owner_is_linked(
        listed in vec(any_user(), 0..3),
        named in option::of(any_user()),
        name in select(vec!["google_123", "corp_oidc_abc", "maker_abc"]),
    ) {
        let found = Found { listed, named };
        let address = EmailAddress::parse(ADDRESS);
        let has_address = |user: &&Candidate| {
            user.status != Status::ExternalProvider && user.attributes.email() == address
        };
        let (link, finishes) = match decision(name, &newcomer("Abc"), &found) {
            Decision::Link(link) => (link, false),
            Decision::Finish(link) => (link, true),
            Decision::Create(_) | Decision::SeparateAccount => {
                prop_assert!(!found.listed.iter().chain(&found.named).any(|user| has_address(&user)));
                return Ok(());
            }
            Decision::Linked | Decision::Refuse(_) => return Ok(()),
        };
        let owner = found.named.as_ref().filter(has_address).map(|user| (user, user.user_name.as_str()));
        prop_assert_eq!(owner.map(|(_, name)| name), Some(link.user_name.as_str()));
        prop_assert!(found.listed.iter().filter(has_address).all(|user| user.user_name == link.user_name));
        prop_assert!(found.listed.iter().any(|user| has_address(&user)));
        if let Some((owner, _)) = owner {
            prop_assert!(owner.enabled && owner.attributes.verified_email() == address);
            let ours = owner.attributes.get("custom:provider_subject") == Some("Abc");
            let expected = if finishes { Status::ForceChangePassword } else { Status::Confirmed };
            prop_assert_eq!(owner.status, expected);
            prop_assert!(!finishes || (ours && name == "maker_abc"));
        }
    }
}
