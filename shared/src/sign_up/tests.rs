//! Every rule with a row that obeys it and a row that breaks it.

use super::*;
use Decision::{Accept, Refuse};

const PROVIDERS: &str = r#"
[[providers]]
name = "Google"
trusts_email = true

[[providers]]
name = "loose"
trusts_email = false

[[providers]]
name = "acme_saml"
trusts_email = false
admits = "always"

[tenants]
source = "directory"

[claims]
token_version = "v2"
"#;

fn rules(sign_up: &str) -> Rules {
    Rules::read(&format!("version = 1\n[sign_up]\n{sign_up}\n{PROVIDERS}")).unwrap()
}

/// The decision, once with and once without an invitation.
fn decisions(rules: &Rules, source: Source, user_name: &str, attributes: &[(&str, &str)]) -> (Decision, Decision) {
    let attributes: Attributes =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = Request { source, attributes: &attributes, user_name: Some(user_name), challenge: None };
    let invited = Facts { invited: true, ..Facts::default() };
    (decide(rules, request, &invited), decide(rules, request, &Facts::default()))
}

fn decision(rules: &Rules, source: Source, user_name: &str, attributes: &[(&str, &str)]) -> Decision {
    let (invited, stranger) = decisions(rules, source, user_name, attributes);
    assert_eq!(invited, stranger, "an invitation changes nothing here: {user_name} {attributes:?}");
    stranger
}

const UUID: &str = "5f0c4f9e-1111-4222-8333-944445555666";

#[test]
fn sources_are_known_or_refused() {
    let table = [
        ("PreSignUp_SignUp", Source::SelfService),
        ("PreSignUp_AdminCreateUser", Source::Administrator),
        ("PreSignUp_ExternalProvider", Source::Federated),
        ("PreSignUp_Future", Source::Unknown),
        ("presignup_signup", Source::Unknown),
        ("PreSignUp_SignUp ", Source::Unknown),
        ("TokenGeneration_HostedAuth", Source::Unknown),
        ("PostConfirmation_ConfirmSignUp", Source::Unknown),
        ("", Source::Unknown),
    ];
    for (text, expected) in table {
        assert_eq!(Source::parse(text), expected, "{text:?}");
    }
    let everyone = rules("mode = \"open\"");
    assert_eq!(decision(&everyone, Source::Unknown, UUID, &[]), Refuse(Refusal::UnknownSource));
}

#[test]
fn the_mode_says_who_may_sign_up_at_all() {
    let ann = [("email", "ann@example.com")];
    let table = [
        ("open", Source::SelfService, Accept, Accept),
        ("invited", Source::SelfService, Accept, Refuse(Refusal::NotInvited)),
        ("closed", Source::SelfService, Refuse(Refusal::SignUpClosed), Refuse(Refusal::SignUpClosed)),
        ("open", Source::Administrator, Accept, Accept),
        ("invited", Source::Administrator, Accept, Accept),
        ("closed", Source::Administrator, Accept, Accept),
    ];
    for (mode, source, invited, stranger) in table {
        let rules = rules(&format!("mode = \"{mode}\""));
        assert_eq!(decisions(&rules, source, UUID, &ann), (invited, stranger), "{mode} {source:?}");
    }
}

#[test]
fn a_domain_is_taken_from_a_strict_address_only() {
    let rules = rules(
        "mode = \"open\"\nallowed_domains = [\"allowed.com\", \"*.wide.com\"]\nblocked_domains = [\"bad.wide.com\"]",
    );
    let table = [
        ("a@allowed.com", Accept),
        ("a@ALLOWED.COM", Accept),
        ("a@x.wide.com", Accept),
        ("a@bad.wide.com", Refuse(Refusal::DomainBlocked)),
        ("a@wide.com", Refuse(Refusal::DomainNotAllowed)),
        ("a@sub.allowed.com", Refuse(Refusal::DomainNotAllowed)),
        ("a@allowed.com.evil.com", Refuse(Refusal::DomainNotAllowed)),
        ("allowed.com@evil.com", Refuse(Refusal::DomainNotAllowed)),
        ("a@evil.com#@allowed.com", Refuse(Refusal::EmailMalformed)),
        ("\"a@allowed.com\"@evil.com", Refuse(Refusal::EmailMalformed)),
        ("a@evil.com@allowed.com", Refuse(Refusal::EmailMalformed)),
        ("a@allowed.com.", Refuse(Refusal::EmailMalformed)),
        ("a@\u{430}llowed.com", Refuse(Refusal::EmailMalformed)),
        ("a@allowed.com\n", Refuse(Refusal::EmailMalformed)),
        ("a@allowed.com,b@evil", Refuse(Refusal::EmailMalformed)),
        ("a@[127.0.0.1]", Refuse(Refusal::EmailMalformed)),
        ("", Refuse(Refusal::EmailMissing)),
    ];
    for (email, expected) in table {
        assert_eq!(decision(&rules, Source::SelfService, UUID, &[("email", email)]), expected, "{email:?}");
    }
}

#[test]
fn attributes_are_required_forbidden_or_well_formed() {
    let rules = rules(
        "mode = \"open\"\nrequired_attributes = [\"name\"]\nforbidden_attributes = [\"custom:tenant\", \"custom:role\"]",
    );
    let table: &[(&[(&str, &str)], Decision)] = &[
        (&[], Accept),
        (&[("name", "")], Refuse(Refusal::AttributeMissing)),
        (&[("custom:plan", "gold")], Accept),
        (&[("custom:role", "admin")], Refuse(Refusal::AttributeForbidden)),
        (&[("custom:tenant", "t2")], Refuse(Refusal::AttributeForbidden)),
        (&[("custom:tenant", "")], Refuse(Refusal::AttributeForbidden)),
        (&[("cognito:groups", "admin")], Refuse(Refusal::AttributeForbidden)),
        (&[("cognito:user_status", "CONFIRMED")], Refuse(Refusal::AttributeForbidden)),
        (&[("identities", "[]")], Refuse(Refusal::AttributeForbidden)),
        (&[("email", "a@x.test"), ("email_verified", "true")], Refuse(Refusal::AttributeForbidden)),
        (&[("email", "a@x.test"), ("email_verified", "True")], Refuse(Refusal::AttributeForbidden)),
        (&[("email", "a@x.test"), ("email_verified", "false")], Accept),
        (&[("phone_number", "+15551234567"), ("phone_number_verified", "true")], Refuse(Refusal::AttributeForbidden)),
        // The pool adds these itself when aliases are on.
        (&[("cognito:email_alias", "a@x.test"), ("cognito:phone_number_alias", "")], Accept),
        (&[("phone_number", "+15551234567")], Accept),
        (&[("phone_number", "0015551234567")], Refuse(Refusal::PhoneMalformed)),
        (&[("phone_number", "+1 555 1234567")], Refuse(Refusal::PhoneMalformed)),
        (&[("phone_number", "+\u{661}\u{665}\u{665}")], Refuse(Refusal::PhoneMalformed)),
        (&[("phone_number", "")], Accept),
    ];
    for (more, expected) in table {
        let attributes: Vec<_> = [("name", "Ann")].iter().chain(*more).copied().collect();
        assert_eq!(decision(&rules, Source::SelfService, UUID, &attributes), *expected, "{more:?}");
        assert_eq!(decision(&rules, Source::Administrator, UUID, &attributes), Accept, "{more:?} by an administrator");
    }
}

#[test]
fn a_telephone_number_alone_is_enough_unless_a_rule_goes_by_the_address() {
    let table = [
        ("mode = \"open\"", Accept),
        ("mode = \"open\"\nrequired_attributes = [\"email\"]", Refuse(Refusal::AttributeMissing)),
        ("mode = \"open\"\nallowed_domains = [\"x.test\"]", Refuse(Refusal::EmailMissing)),
        ("mode = \"open\"\nblocked_domains = [\"x.test\"]", Accept),
        ("mode = \"invited\"", Refuse(Refusal::EmailMissing)),
    ];
    for (sign_up, expected) in table {
        let found = decision(&rules(sign_up), Source::SelfService, UUID, &[("phone_number", "+15551234567")]);
        assert_eq!(found, expected, "{sign_up}");
    }
}

#[test]
fn nobody_chooses_the_name_of_a_federated_user() {
    let rules = rules("mode = \"open\"");
    let table = [
        (UUID, Accept),
        ("ann_lee", Accept),
        ("Google", Accept),
        ("google_123", Refuse(Refusal::UserNameReserved)),
        ("Google_123", Refuse(Refusal::UserNameReserved)),
        ("ACME_SAML_ann", Refuse(Refusal::UserNameReserved)),
        ("__proto__", Accept),
    ];
    for (user_name, expected) in table {
        assert_eq!(decision(&rules, Source::SelfService, user_name, &[]), expected, "{user_name}");
        assert_eq!(decision(&rules, Source::Administrator, user_name, &[]), Accept, "{user_name}");
    }
}

#[test]
fn federated_users_come_from_a_known_provider() {
    let rules = rules("mode = \"open\"");
    let google = r#"[{"userId":"123","providerName":"Google"}]"#;
    let table = [
        ("Google_123", "", Accept),
        ("google_123", "", Accept),
        ("google_123", google, Accept),
        ("acme_saml_ann@acme.example", "", Accept),
        ("google_124", google, Refuse(Refusal::IdentitiesInconsistent)),
        ("loose_123", google, Refuse(Refusal::IdentitiesInconsistent)),
        ("google_123", "[{", Refuse(Refusal::IdentitiesInconsistent)),
        ("Facebook_123", "", Refuse(Refusal::UnknownProvider)),
        ("acme_123", "", Refuse(Refusal::UnknownProvider)),
        (UUID, "", Refuse(Refusal::UnknownProvider)),
        ("", "", Refuse(Refusal::UnknownProvider)),
    ];
    for (user_name, identities, expected) in table {
        let found = decision(&rules, Source::Federated, user_name, &[("identities", identities)]);
        assert_eq!(found, expected, "{user_name} {identities}");
    }
}

#[test]
fn a_federated_address_counts_only_when_a_trusted_provider_has_verified_it() {
    let listed = "mode = \"open\"\nallowed_domains = [\"x.test\"]\nblocked_domains = [\"bad.test\"]";
    let table = [
        ("Google_1", "a@x.test", "true", Accept),
        ("Google_1", "a@x.test", "false", Refuse(Refusal::EmailUnverified)),
        ("Google_1", "a@x.test", "", Refuse(Refusal::EmailUnverified)),
        ("Google_1", "a@y.test", "true", Refuse(Refusal::DomainNotAllowed)),
        ("Google_1", "a@bad.test", "true", Refuse(Refusal::DomainBlocked)),
        ("Google_1", "a@b@x.test", "true", Refuse(Refusal::EmailMalformed)),
        ("Google_1", "", "true", Refuse(Refusal::EmailMissing)),
        ("loose_1", "a@x.test", "true", Refuse(Refusal::EmailUnverified)),
        ("acme_saml_1", "a@y.test", "", Accept),
        ("acme_saml_1", "", "", Accept),
        ("acme_saml_1", "a@bad.test", "", Refuse(Refusal::DomainBlocked)),
    ];
    for (user_name, email, verified, expected) in table {
        let attributes = [("email", email), ("email_verified", verified)];
        let found = decision(&rules(listed), Source::Federated, user_name, &attributes);
        assert_eq!(found, expected, "{user_name} {email} {verified}");
    }
}

#[test]
fn the_mode_holds_for_federated_users_unless_the_provider_admits_all() {
    let both = |decision: Decision| (decision, decision);
    let table = [
        ("open", "loose_1", "false", both(Accept)),
        ("closed", "Google_1", "true", both(Refuse(Refusal::SignUpClosed))),
        ("closed", "acme_saml_1", "false", both(Accept)),
        ("invited", "Google_1", "true", (Accept, Refuse(Refusal::NotInvited))),
        ("invited", "Google_1", "false", both(Refuse(Refusal::EmailUnverified))),
        ("invited", "loose_1", "true", both(Refuse(Refusal::EmailUnverified))),
        ("invited", "acme_saml_1", "false", both(Accept)),
    ];
    for (mode, user_name, verified, expected) in table {
        let rules = rules(&format!("mode = \"{mode}\""));
        let attributes = [("email", "a@x.test"), ("email_verified", verified)];
        assert_eq!(decisions(&rules, Source::Federated, user_name, &attributes), expected, "{mode} {user_name}");
    }
}

#[test]
fn an_invitation_is_looked_up_only_when_it_would_decide() {
    let table = [
        ("invited", Source::SelfService, "Ann@X.test", Some("ann@x.test")),
        ("invited", Source::SelfService, "ann@bad.test", None),
        ("invited", Source::SelfService, "a@b@x.test", None),
        ("invited", Source::SelfService, "", None),
        ("invited", Source::Administrator, "ann@x.test", None),
        ("invited", Source::Unknown, "ann@x.test", None),
        ("open", Source::SelfService, "ann@x.test", None),
        ("closed", Source::SelfService, "ann@x.test", None),
    ];
    for (mode, source, email, expected) in table {
        let rules = rules(&format!("mode = \"{mode}\"\nblocked_domains = [\"bad.test\"]"));
        let attributes = Attributes::from([("email", email)]);
        let request = Request { source, attributes: &attributes, user_name: Some(UUID), challenge: None };
        let needed = facts_needed(&rules, request);
        let address = needed.invitation.as_ref().map(EmailAddress::as_str);
        assert_eq!((address, needed.challenge), (expected, None), "{mode} {source:?} {email}");
    }
}

#[test]
fn required_attributes_bind_federated_users_too() {
    let rules = rules("mode = \"open\"\nrequired_attributes = [\"email\"]\nforbidden_attributes = [\"custom:plan\"]");
    let table: &[(&[(&str, &str)], Decision)] = &[
        (&[("email", "a@x.test")], Accept),
        (&[], Refuse(Refusal::AttributeMissing)),
        // A mapping that the operator made has set it, not the client.
        (&[("email", "a@x.test"), ("custom:plan", "gold")], Accept),
    ];
    for (attributes, expected) in table {
        assert_eq!(decision(&rules, Source::Federated, "acme_saml_1", attributes), *expected, "{attributes:?}");
    }
}

const CHALLENGE: &str = "blocked_domains = [\"bad.test\"]\nchallenge = { parameter = \"captcha\", verify_url = \"https://verify.example\", hostnames = [\"app.x.test\"] }";

fn token(text: &str) -> ChallengeToken {
    ChallengeToken::new(text.to_owned())
}

fn solved(hostname: Option<&str>) -> Option<ChallengeOutcome> {
    Some(ChallengeOutcome::Solved { hostname: hostname.map(str::to_owned) })
}

#[test]
fn who_signs_up_alone_shows_a_solved_challenge() {
    use Refusal::{ChallengeElsewhere, ChallengeFailed, ChallengeMissing, ChallengeUsed};
    let strict = rules(&format!("mode = \"open\"\n{CHALLENGE}"));
    let attributes = Attributes::from([("email", "a@x.test")]);
    let ours = || solved(Some("app.x.test"));
    let (good, longest, too_long) = (token("t.0-k_en"), token(&"x".repeat(4096)), token(&"x".repeat(4097)));
    let (empty, blank, accented) = (token(""), token("token "), token("t\u{f6}ken"));
    let table = [
        ("solved on our page", Some(&good), ours(), Accept),
        ("in capitals", Some(&good), solved(Some("APP.x.test")), Accept),
        ("as long as may be", Some(&longest), ours(), Accept),
        ("on another page", Some(&good), solved(Some("evil.test")), Refuse(ChallengeElsewhere)),
        ("on a page below", Some(&good), solved(Some("a.app.x.test")), Refuse(ChallengeElsewhere)),
        ("on no page", Some(&good), solved(None), Refuse(ChallengeElsewhere)),
        ("failed", Some(&good), Some(ChallengeOutcome::Failed), Refuse(ChallengeFailed)),
        ("used", Some(&good), Some(ChallengeOutcome::Used), Refuse(ChallengeUsed)),
        ("nobody looked", Some(&good), None, Refuse(ChallengeFailed)),
        ("missing", None, ours(), Refuse(ChallengeMissing)),
        ("empty", Some(&empty), ours(), Refuse(ChallengeMissing)),
        ("too long", Some(&too_long), ours(), Refuse(ChallengeFailed)),
        ("with a blank", Some(&blank), ours(), Refuse(ChallengeFailed)),
        ("not ASCII", Some(&accented), ours(), Refuse(ChallengeFailed)),
    ];
    for (name, challenge, outcome, expected) in table {
        let request = Request { source: Source::SelfService, attributes: &attributes, user_name: None, challenge };
        let facts = Facts { challenge: outcome, ..Facts::default() };
        assert_eq!(decide(&strict, request, &facts), expected, "{name}");
    }
    let anywhere =
        rules("mode = \"open\"\nchallenge = { parameter = \"captcha\", verify_url = \"https://verify.example\" }");
    for outcome in [solved(Some("evil.test")), solved(None)] {
        let challenge = Some(&good);
        let request = Request { source: Source::SelfService, attributes: &attributes, user_name: None, challenge };
        let facts = Facts { challenge: outcome, ..Facts::default() };
        assert_eq!(decide(&anywhere, request, &facts), Accept, "no host is named, so none is checked");
    }
}

#[test]
fn a_token_is_used_up_only_where_it_would_decide() {
    let token = token("token");
    let table = [
        (CHALLENGE, "open", Source::SelfService, "a@x.test", (true, false)),
        (CHALLENGE, "invited", Source::SelfService, "a@x.test", (true, true)),
        (CHALLENGE, "closed", Source::SelfService, "a@x.test", (false, false)),
        (CHALLENGE, "open", Source::SelfService, "a@bad.test", (false, false)),
        (CHALLENGE, "invited", Source::SelfService, "", (false, false)),
        (CHALLENGE, "open", Source::Administrator, "a@x.test", (false, false)),
        (CHALLENGE, "open", Source::Federated, "a@x.test", (false, false)),
        (CHALLENGE, "invited", Source::Federated, "a@x.test", (false, true)),
        (CHALLENGE, "open", Source::Unknown, "a@x.test", (false, false)),
        ("", "open", Source::SelfService, "a@x.test", (false, false)),
    ];
    for (challenge, mode, source, email, expected) in table {
        let rules = rules(&format!("mode = \"{mode}\"\n{challenge}"));
        let attributes = Attributes::from([("email", email), ("email_verified", "true")]);
        let attributes = if source == Source::SelfService { Attributes::from([("email", email)]) } else { attributes };
        let user_name = Some(if source == Source::Federated { "Google_1" } else { UUID });
        let request = Request { source, attributes: &attributes, user_name, challenge: Some(&token) };
        let needed = facts_needed(&rules, request);
        let found = (needed.challenge.is_some(), needed.invitation.is_some());
        assert_eq!(found, expected, "{mode} {source:?} {email}");
        let unasked = Request { challenge: None, ..request };
        assert_eq!(facts_needed(&rules, unasked).challenge, None, "without a token there is nothing to ask");
    }
}

#[test]
fn a_program_cannot_ask_who_is_invited() {
    let rules = rules(&format!("mode = \"invited\"\n{CHALLENGE}"));
    let attributes = Attributes::from([("email", "a@x.test")]);
    let token = token("token");
    let request =
        Request { source: Source::SelfService, attributes: &attributes, user_name: None, challenge: Some(&token) };
    let table = [
        (true, solved(Some("app.x.test")), Accept),
        (false, solved(Some("app.x.test")), Refuse(Refusal::NotInvited)),
        (true, Some(ChallengeOutcome::Failed), Refuse(Refusal::ChallengeFailed)),
        (false, Some(ChallengeOutcome::Failed), Refuse(Refusal::ChallengeFailed)),
        (false, Some(ChallengeOutcome::Used), Refuse(Refusal::ChallengeUsed)),
    ];
    for (invited, challenge, expected) in table {
        let name = format!("{invited} {challenge:?}");
        assert_eq!(decide(&rules, request, &Facts { invited, challenge }), expected, "{name}");
    }
    let missing = Request { challenge: None, ..request };
    assert_eq!(facts_needed(&rules, missing), FactsNeeded::default(), "nobody is looked up");
}
