//! The answer: what was found, what was written, and what the rule file has to
//! say so that these users can sign in.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use shared::password::Kind;

use super::check::Accepted;
use super::format::Format;
use super::rejection::Rejection;
use super::report::Line;
use super::state::Progress;
use crate::output::{Answer, Outcome, Paint};

/// What an import found and did.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    format: Format,
    dry_run: bool,
    /// All rows of the file.
    rows: u64,
    accepted: u64,
    rejected: u64,
    /// How many rows were rejected, by code.
    rejections: BTreeMap<&'static str, u64>,
    /// The first rejected rows.
    first_rejected: Vec<Line>,
    /// What was written; `None` in a dry run.
    written: Option<Written>,
    /// How many users have a verified address.
    email_verified: u64,
    /// How many users are disabled.
    disabled: u64,
    /// How many users have no hash, and have to choose a new password.
    without_hash: u64,
    /// How many users have a hash that is too weak to keep the password.
    weak_hashes: u64,
    /// How many users have a hash, by its kind.
    #[serde(serialize_with = "by_name")]
    hashes: BTreeMap<Kind, u64>,
    /// What the rule file has to say.
    rules: String,
    /// Which secret the user-migration function needs for these hashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'static str>,
    #[serde(skip)]
    costs: BTreeMap<String, u64>,
    #[serde(skip)]
    attributes: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct Written {
    table: String,
    /// Users who were not in the table.
    new: u64,
    /// Users who were.
    renewed: u64,
    /// The row that an earlier import had got to.
    resumed_after_row: u64,
}

impl Summary {
    /// A summary of nothing yet.
    pub(super) fn start(format: Format) -> Self {
        Self {
            format,
            dry_run: true,
            rows: 0,
            accepted: 0,
            rejected: 0,
            rejections: BTreeMap::new(),
            first_rejected: Vec::new(),
            written: None,
            email_verified: 0,
            disabled: 0,
            without_hash: 0,
            weak_hashes: 0,
            hashes: BTreeMap::new(),
            rules: String::new(),
            secret: None,
            costs: BTreeMap::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// Counts a user.
    pub(super) fn accept(&mut self, user: &Accepted) {
        self.rows += 1;
        self.accepted += 1;
        self.email_verified += u64::from(user.email_verified);
        self.disabled += u64::from(user.disabled);
        match &user.hash {
            None => self.without_hash += 1,
            Some(hash) => {
                *self.hashes.entry(hash.kind).or_default() += 1;
                *self.costs.entry(hash.cost.clone()).or_default() += 1;
                self.weak_hashes += u64::from(hash.weak);
            }
        }
        for (_, name) in self.format.usual_attributes() {
            if user.attributes.iter().any(|one| one == name) {
                *self.attributes.entry((*name).to_owned()).or_default() += 1;
            }
        }
    }

    /// Counts a row that is left out.
    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.rows += 1;
        self.rejected += 1;
        *self.rejections.entry(rejection.code()).or_default() += 1;
    }

    /// Notes what was written, where to, and from where on.
    pub(super) fn wrote(&mut self, table: &str, before: Progress, after: Progress) {
        let Progress { new, renewed, .. } = after;
        self.dry_run = false;
        self.written = Some(Written { table: table.to_owned(), new, renewed, resumed_after_row: before.row });
    }

    /// Ends it.
    pub(super) fn finish(mut self, first_rejected: Vec<Line>) -> Self {
        self.first_rejected = first_rejected;
        self.rules = self.rule_lines();
        let firebase = self.hashes.contains_key(&Kind::FirebaseScrypt);
        self.secret = firebase.then_some(
            "put the project's base64_signer_key as firebase_signer_key into the secret that MigrationSecretArn names",
        );
        self
    }

    /// What the file itself tells: the kinds that occur, the cost that most
    /// hashes have, the attributes that are there.
    fn rule_lines(&self) -> String {
        let mut text = "[migration]\nstore = \"table\"\n".to_owned();
        let usual = self.format.usual_attributes();
        let there: Vec<_> = usual.iter().filter(|(_, name)| self.attributes.contains_key(*name)).collect();
        text.push_str("\n[migration.attributes]\n");
        there.iter().for_each(|(pool, name)| text.push_str(&format!("{pool} = \"{name}\"\n")));
        text.push_str(&self.hash_lines());
        text
    }
}

impl Summary {
    fn hash_lines(&self) -> String {
        let heading = "\n[migration.hashes]\n";
        // Of costs that are as frequent, the last by name.
        let Some((cost, _)) = self.costs.iter().max_by_key(|(_, count)| **count) else {
            // A table has to name some.
            return format!(
                "{heading}# There are no hashes; any kind will do.\nkinds = [\"bcrypt\"]\ndecoy = \"bcrypt:10\"\n"
            );
        };
        let kinds: Vec<String> = self.hashes.keys().map(|kind| format!("\"{}\"", kind.name())).collect();
        format!("{heading}kinds = [{}]\ndecoy = \"{cost}\"\n", kinds.join(", "))
    }

    /// What there is to say of the users who can come in.
    fn users(&self) -> Vec<String> {
        let kinds = self.hashes.iter().map(|(kind, count)| (*count, format!("with a {} hash", kind.name())));
        let others = [
            (self.weak_hashes, "of them too weak: the right password lets its owner choose a new one"),
            (self.without_hash, "without a hash: a new password has to be chosen"),
            (self.email_verified, "with a verified address; only they can be sent a code for a new password"),
            (self.disabled, "disabled: they cannot sign in"),
        ];
        let others = others.into_iter().map(|(count, text)| (count, text.to_owned()));
        kinds.chain(others).filter(|(count, _)| *count > 0).map(|(count, text)| format!("{count} {text}")).collect()
    }

    fn rejected_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.first_rejected.iter().map(ToString::to_string).collect();
        let named = u64::try_from(self.first_rejected.len()).unwrap_or(u64::MAX);
        if self.rejected > named {
            lines.push(format!("… and {} more; --report writes them all to a file", self.rejected - named));
        }
        lines
    }
}

impl Written {
    fn text(&self) -> String {
        let Self { table, new, renewed, resumed_after_row } = self;
        let since = match resumed_after_row {
            0 => String::new(),
            row => format!(", rows up to {row} by an earlier run"),
        };
        format!("{} users to {table} ({new} new, {renewed} anew{since})", new + renewed)
    }
}

fn nothing() -> String {
    "nothing: this was a dry run".to_owned()
}

fn by_name<S: Serializer>(hashes: &BTreeMap<Kind, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(hashes.iter().map(|(kind, count)| (kind.name(), count)))
}

impl Answer for Summary {
    fn text(&self, _: Paint) -> String {
        let mut lines = vec![format!("Read      {} rows", self.rows), format!("Accepted  {}", self.accepted)];
        lines.extend(self.users().into_iter().map(|line| format!("  {line}")));
        lines.push(format!("Rejected  {}", self.rejected));
        lines.extend(self.rejected_lines().into_iter().map(|line| format!("  {line}")));
        lines.push(format!("Written   {}", self.written.as_ref().map_or_else(nothing, Written::text)));
        if self.accepted > 0 {
            lines.push("\nFor these users the rule file says:\n".to_owned());
            lines.extend(self.rules.lines().map(|line| format!("  {line}").trim_end().to_owned()));
        }
        lines.extend(self.secret.map(|secret| format!("\nAnd {secret}.")));
        lines.join("\n") + "\n"
    }

    fn outcome(&self) -> Outcome {
        if self.rejected > 0 { Outcome::Partial } else { Outcome::Done }
    }
}
