//! The explanation as a tree.

use serde_json::{Map, Value};
use shared::explanation::{Answer, EntryTold, Explanation, Newcomer, RequestTold, RouteTold, TokenTold};

use super::Explained;
use crate::output::Paint;

/// Writes branches under a heading.
struct Tree {
    text: String,
    paint: Paint,
}

impl Tree {
    fn section(&mut self, heading: &str, rest: &str, branches: &[String]) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let line = format!("{}  {rest}", self.paint.bold(heading));
        self.text.push_str(line.trim_end());
        self.text.push('\n');
        for (at, branch) in branches.iter().enumerate() {
            let arm = if at + 1 == branches.len() { "└─" } else { "├─" };
            self.text.push_str(&format!("{} {branch}\n", self.paint.dim(arm)));
        }
    }
}

/// The whole answer.
pub(super) fn text(explained: &Explained, paint: Paint) -> String {
    let mut tree = Tree { text: String::new(), paint };
    if let Some(newcomer) = &explained.newcomer {
        sign_up(&mut tree, newcomer);
    }
    if let Some(explanation) = &explained.explanation {
        tenancy(&mut tree, explanation);
        for token in &explanation.tokens {
            self::token(&mut tree, explained, explanation, token);
        }
        role(&mut tree, explained, explanation);
        routes(&mut tree, explained, &explanation.routes);
        requests(&mut tree, &explanation.requests);
    }
    tree.text
}

fn sign_up(tree: &mut Tree, newcomer: &Newcomer) {
    let paint = tree.paint;
    let answer = if newcomer.sign_up == "accept" { paint.good("accepted") } else { paint.bad(newcomer.sign_up) };
    let mut branches: Vec<String> = Vec::new();
    branches.extend(newcomer.needs.iter().map(|(what, without)| format!("needs {what}; without it {without}")));
    branches.extend(match newcomer.account {
        "separate" => None,
        "linked" => Some("linked to the user of the pool who has the address, if there is one".to_owned()),
        refusal => Some(format!("not linked: {refusal}")),
    });
    for (tenant, roles) in &newcomer.memberships {
        let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        branches.push(format!(
            "placed in {tenant} as {}",
            if roles.is_empty() { "nobody".into() } else { roles.join(", ") }
        ));
    }
    branches.extend(newcomer.groups.iter().map(|group| format!("added to the group {group}")));
    tree.section("Sign-up", &answer, &branches);
}

fn tenancy(tree: &mut Tree, explanation: &Explanation) {
    let paint = tree.paint;
    let told = &explanation.tenancy;
    let active = told.active.as_ref().map_or_else(|| paint.bad("none"), |tenant| paint.good(tenant));
    let list = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut branches = vec![
        format!("roles      {}", list(told.roles.iter().map(ToString::to_string).collect())),
        format!("to choose  {}", list(told.tenants.iter().map(ToString::to_string).collect())),
    ];
    let kept = if explanation.groups.kept { "" } else { "  (the rules replace the pool's list)" };
    branches.push(format!("groups     {}{kept}", list(explanation.groups.groups.clone())));
    if let Some(refused) = explanation.refused {
        branches.push(paint.bad(format!("no token is issued: {refused}")));
    }
    tree.section("Tenant", &format!("{active}  {}", paint.dim(told.reason)), &branches);
}

fn token(tree: &mut Tree, explained: &Explained, explanation: &Explanation, token: &TokenTold) {
    let paint = tree.paint;
    let kind = if token.token == "id" { "ID token" } else { "Access token" };
    let sizes = format!(
        "{} → {} bytes of claims, {} → {} characters",
        token.bytes_before, token.bytes_after, token.characters_before, token.characters_after
    );
    let entries: Vec<&EntryTold> = explanation.claims.iter().filter(|entry| entry.token == token.token).collect();
    let mut branches = changes(explained, token, &entries, paint);
    branches.extend(entries.iter().filter(|entry| entry.outcome != "Added").map(|entry| {
        let by = entry.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        let line = explained.line(&entry.path);
        paint.dim(format!("  {:<16} {}{by}  {} line {line}", entry.claim, entry.outcome, entry.path))
    }));
    if token.token == "access" {
        branches.extend(explanation.scopes.iter().map(|scope| {
            let by = scope.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
            let line = explained.line(&scope.path);
            paint.dim(format!("  {:<16} {}{by}  {} line {line}", "scopes", scope.outcome, scope.path))
        }));
    }
    tree.section(kind, &paint.dim(sizes), &branches);
}

/// What the token carries: unchanged, added, changed and taken out.
fn changes(explained: &Explained, token: &TokenTold, entries: &[&EntryTold], paint: Paint) -> Vec<String> {
    let by = |name: &String| {
        let entry = entries.iter().find(|entry| entry.claim == *name && entry.outcome == "Added");
        entry
            .map(|entry| paint.dim(format!("  {} line {}", entry.path, explained.line(&entry.path))))
            .unwrap_or_default()
    };
    let before: &Map<String, Value> = &token.before;
    let mut lines: Vec<String> = TokenTold::telling(&token.after)
        .map(|(name, value)| match before.get(name) {
            None => format!("{} {name:<16} {value}{}", paint.good("+"), by(name)),
            Some(was) if was != value => format!("{} {name:<16} {was} → {value}{}", paint.good("~"), by(name)),
            Some(_) => format!("  {name:<16} {value}{}", by(name)),
        })
        .collect();
    let gone = TokenTold::telling(before).filter(|(name, _)| !token.after.contains_key(*name));
    lines.extend(gone.map(|(name, value)| format!("{} {name:<16} {value}", paint.bad("-"))));
    lines
}

fn role(tree: &mut Tree, explained: &Explained, explanation: &Explanation) {
    let Some(told) = &explanation.iam_role else { return };
    let paint = tree.paint;
    let role = told.role.as_ref().map_or_else(|| paint.bad("no credentials"), |role| paint.good(role));
    let rule = told.rule.as_ref().map(|rule| format!("  {rule} line {}", explained.line(rule))).unwrap_or_default();
    tree.section("IAM role", &format!("{role}  {}", paint.dim(format!("{}{rule}", told.reason))), &[]);
}

fn routes(tree: &mut Tree, explained: &Explained, routes: &[RouteTold]) {
    let paint = tree.paint;
    let wide = routes.iter().map(|route| route.path.len()).max().unwrap_or_default();
    let line = |route: &RouteTold| {
        let (mark, why) = answer(&route.answer, paint);
        let place = format!("{} line {}", route.route, explained.line(&route.route));
        let why = match &route.answer {
            Answer::Allow(_) => String::new(),
            _ => format!("{why}  "),
        };
        format!("{mark}  {:<6} {:<wide$}  {:<6}  {why}{}", route.method, route.path, route.token, paint.dim(place))
    };
    if !routes.is_empty() {
        tree.section(
            "Routes",
            &paint.dim("with the token that each takes"),
            &routes.iter().map(line).collect::<Vec<_>>(),
        );
    }
}

fn requests(tree: &mut Tree, requests: &[RequestTold]) {
    let paint = tree.paint;
    for request in requests {
        let lines: Vec<String> = request
            .answers
            .iter()
            .map(|passage| {
                let (mark, why) = answer(&passage.answer, paint);
                let token = if passage.token == "id" { "ID token    " } else { "access token" };
                format!("{mark}  with the {token}  {}", paint.dim(why))
            })
            .collect();
        tree.section(&format!("{} {}", request.method, request.path), "", &lines);
    }
}

fn answer(answer: &Answer, paint: Paint) -> (String, String) {
    match answer {
        Answer::Allow(route) => (paint.good("yes"), format!("by {route}")),
        Answer::Within(tenant) => (paint.good("yes"), format!("in {tenant} only")),
        Answer::Refuse(code) => (paint.bad("no "), (*code).to_owned()),
    }
}
