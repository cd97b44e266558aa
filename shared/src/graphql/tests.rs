use super::*;
use crate::claims::TokenKind;
use crate::names::{IssuerName, RoleName, TenantId};
use crate::rules::Problems;

fn rules() -> GraphqlRules {
    toml::from_str(
        r#"
[[fields]]
type = "Query"
field = "items"
[[fields]]
type = "Mutation"
field = "deleteTenant"
roles = ["admin"]
[[fields]]
type = "Item"
field = "price"
roles = ["admin", "buyer"]
[[fields]]
type = "Query"
field = "report"
issuers = ["corp"]
"#,
    )
    .unwrap()
}

fn caller(roles: &[&str], issuer: Option<&str>) -> Caller {
    Caller {
        subject: "ann".to_owned(),
        issuer: issuer.and_then(IssuerName::parse),
        kind: TokenKind::Access,
        machine: false,
        tenant: TenantId::parse("acme"),
        roles: roles.iter().filter_map(|role| RoleName::parse(role)).collect(),
        groups: BTreeSet::new(),
        scopes: BTreeSet::new(),
    }
}

fn denied(names: &[&str]) -> Decision {
    Decision::Allow { denied: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn a_field_is_denied_or_has_no_rule_and_closes_the_request() {
    use ConditionRefusal::{IssuerNotTaken, TokenKindRefused};
    let no = |refusal| Decision::Refuse(refusal);
    let member = || caller(&["member"], None);
    let for_member = denied(&["Item.price", "Mutation.deleteTenant", "Query.report"]);
    let rows = [
        ("a member", member(), "{ items { price } }", for_member.clone()),
        ("nothing is asked yet", member(), "", for_member.clone()),
        ("what is denied is for AppSync to leave out", member(), "mutation { deleteTenant }", for_member.clone()),
        ("a type's name is no rule", member(), "{ items __typename }", for_member),
        ("an administrator", caller(&["admin"], None), "{ items }", denied(&["Query.report"])),
        ("a field without a rule", caller(&["admin"], None), "{ items secrets }", no(Refusal::FieldUnknown)),
        ("of another root type", caller(&["admin"], None), "mutation { items }", no(Refusal::FieldUnknown)),
        ("under another name", caller(&["admin"], None), "{ items: secrets }", no(Refusal::FieldUnknown)),
        ("in another case", caller(&["admin"], None), "{ Items }", no(Refusal::FieldUnknown)),
        ("the schema", caller(&["admin"], None), "{ __schema { types { name } } }", no(Refusal::FieldUnknown)),
        ("a broken document", caller(&["admin"], None), "{ items", no(Refusal::DocumentRefused)),
        (
            "another issuer's user",
            caller(&["admin"], Some("corp")),
            "{ report }",
            denied(&["Item.price", "Mutation.deleteTenant", "Query.items"]),
        ),
        ("an issuer that nothing names", caller(&["admin"], Some("x")), "", no(Refusal::Nothing(IssuerNotTaken))),
        (
            "the other kind of token",
            Caller { kind: TokenKind::Id, ..member() },
            "{ items }",
            no(Refusal::Nothing(TokenKindRefused)),
        ),
    ];
    for (name, caller, document, expected) in rows {
        assert_eq!(rules().decide(&caller, document), expected, "{name}");
    }
}

#[test]
fn a_field_has_one_rule_and_a_name() {
    let field = |text: &str| format!("[[fields]]\n{text}\n");
    let good = field("type = \"Query\"\nfield = \"items\"");
    let rows: Vec<(String, &[&str])> = vec![
        (good.clone(), &[]),
        ("fields = []".to_owned(), &["graphql.fields"]),
        (format!("cache_seconds = 3601\n{good}"), &["graphql.cache_seconds"]),
        (format!("cache_seconds = 3600\n{good}"), &[]),
        (format!("{good}{good}"), &["graphql.fields[1].field"]),
        (field("type = \"Query.x\"\nfield = \"items\""), &["graphql.fields[0].type"]),
        (field("type = \"Query\"\nfield = \"1a\""), &["graphql.fields[0].field"]),
        (field("type = \"Query\"\nfield = \"*\""), &["graphql.fields[0].field"]),
        (field("type = \"Query\"\nfield = \"a\"\ntoken = \"id\"\nscopes = [\"x\"]"), &["graphql.fields[0].scopes"]),
    ];
    for (text, expected) in rows {
        let rules: GraphqlRules = toml::from_str(&text).unwrap();
        let mut problems = Problems::default();
        rules.check(&mut problems);
        assert_eq!(problems.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), expected, "{text}");
    }
}
