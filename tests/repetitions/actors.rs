//! Who calls the triggers, and who else writes meanwhile.

use std::rc::Rc;
use std::sync::Arc;

use directory::{Directory, PoolGroups};
use post_confirmation::PostConfirmation;
use pre_sign_up::{ChallengeCheck, Invitations, PoolAccounts, PreSignUp};
use pre_token_generation::{PreTokenGeneration, Register};
use records::schedule::Random;
use serde_json::{Value, json};
use shared::address::EmailAddress;
use shared::migration::{Found, LegacyId, LegacyUser, Proof};
use shared::password::Password;
use shared::rules::Rules;
use shell::{Handler, Invocation};
use tests::DIRECTORY_TABLE;
use user_migration::{
    Allowed, Attempts, AttemptsError, LegacyDirectory, LookupError, OldAnswer, Question, UserMigration,
};

use crate::world::{World, lock};

/// The address of the user who signs in with a password and gets linked.
pub(crate) const ADDRESS_OF_NATIVE: &str = "dan@globex.example";
/// The address of the user who is made for a provider's.
pub(crate) const ADDRESS_OF_MADE: &str = "eve@globex.example";
/// Two users have it: one of them gets what it was invited to.
const SHARED_ADDRESS: &str = "ann@acme.example";
const LEGACY: &str = "4711";
const NOW: u64 = 1_800_000_000;

/// A user who is confirmed and wants tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) subject: &'static str,
    address: &'static str,
    moves_in: bool,
}

pub(crate) const USERS: [User; 3] = [
    User { subject: "00000000-0000-4000-8000-00000000000a", address: SHARED_ADDRESS, moves_in: false },
    User { subject: "00000000-0000-4000-8000-00000000000b", address: SHARED_ADDRESS, moves_in: false },
    User { subject: "00000000-0000-4000-8000-00000000000c", address: "old@acme.example", moves_in: true },
];

/// An account at a provider, to be linked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct External {
    pub(crate) provider: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) address: &'static str,
}

pub(crate) const EXTERNALS: [External; 3] = [
    External { provider: "Google", subject: "108234567890123456789", address: ADDRESS_OF_NATIVE },
    External { provider: "CorpOIDC", subject: "00u1A2b3C4d5E6", address: ADDRESS_OF_NATIVE },
    External { provider: "Maker_Of_Users", subject: "00u9", address: ADDRESS_OF_MADE },
];

const RULES: &str = r#"
version = 1
[sign_up]
mode = "open"
forbidden_attributes = ["custom:provider_subject", "custom:legacy_id"]
[[providers]]
name = "Google"
trusts_email = true
links = "existing"
subject_attribute = "custom:provider_subject"
[[providers]]
name = "CorpOIDC"
trusts_email = true
links = "existing"
subject_attribute = "custom:provider_subject"
[[providers]]
name = "Maker_Of_Users"
trusts_email = true
links = "create"
subject_attribute = "custom:provider_subject"
[tenants]
source = "directory"
[[tenants.placements]]
tenant = "acme"
roles = ["member"]
email_domains = ["acme.example"]
[[groups]]
name = "users"
[migration]
store = "table"
final_status = "confirmed"
tenant_groups = true
[migration.attributes]
email = "email"
[migration.hashes]
kinds = ["bcrypt"]
decoy = "bcrypt:10"
[migration.lockout]
free_attempts = 5
first_wait_s = 60
longest_wait_s = 900
overall_per_minute = 300
[claims]
token_version = "v2"
"#;

/// What somebody does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Confirm(User),
    Token(User),
    Link(External),
    MoveIn,
    Suspend(User),
    Remove(User),
    Invite { version: u64 },
}

/// What a seed has happen, each event up to three times.
pub(crate) fn cast(random: &mut Random) -> Vec<Role> {
    let mut roles = vec![Role::MoveIn, Role::Invite { version: 1 }];
    for user in USERS {
        roles.extend((0..random.below(4)).map(|_| Role::Confirm(user)));
        roles.extend((0..random.below(4)).map(|_| Role::Token(user)));
    }
    for external in EXTERNALS {
        roles.extend((0..random.below(4)).map(|_| Role::Link(external)));
    }
    roles.extend((0..random.below(3)).map(|_| Role::MoveIn));
    if random.happens(400) {
        roles.push(Role::Suspend(USERS[random.below(2)]));
    }
    if random.happens(400) {
        roles.push(Role::Remove(USERS[random.below(2)]));
    }
    if random.happens(300) {
        roles.push(Role::Invite { version: 2 });
    }
    roles
}

/// What each does once more at the end, one after the other.
pub(crate) fn encore() -> Vec<Role> {
    let links = EXTERNALS.map(Role::Link);
    // A user who was made half is finished by the second.
    let links = links.into_iter().flat_map(|link| [link, link]);
    [Role::MoveIn].into_iter().chain(USERS.map(Role::Token)).chain(links).collect()
}

/// Sets the scene.
pub(crate) fn set(world: &World) {
    world.pool.add(tests::PoolUser::new("00000000-0000-4000-8000-00000000000d", ADDRESS_OF_NATIVE));
}

/// The four functions, with clients of one world.
pub(crate) struct Functions {
    confirmation: PostConfirmation<PoolGroups>,
    tokens: PreTokenGeneration<Register<PoolGroups>>,
    sign_up: PreSignUp<Nobody, PoolAccounts, ChallengeCheck>,
    migration: UserMigration<OldSystem, Everybody, Directory>,
}

impl Functions {
    pub(crate) fn before(world: &Arc<World>) -> Self {
        let rules = Rules::read(RULES).unwrap_or_else(|problems| panic!("{problems}"));
        let client = world.client();
        let directory = || Directory::new(client.clone(), DIRECTORY_TABLE);
        let groups = || PoolGroups::new(client.clone());
        let migration = rules.migration.clone().expect("the rules move users in");
        Self {
            confirmation: PostConfirmation::new(rules.clone(), directory(), groups()),
            tokens: PreTokenGeneration::new(rules.clone(), Some(Register::new(directory(), groups()))),
            sign_up: PreSignUp::new(rules, Nobody, PoolAccounts::new(Some(client.clone())), ChallengeCheck::OFF),
            migration: UserMigration::new(migration, OldSystem, Everybody, directory()),
        }
    }
}

/// Plays a role to its end.
pub(crate) async fn play(world: Arc<World>, functions: Rc<Functions>, role: Role) {
    let late = world.random().below(12);
    for _ in 0..late {
        world.gate.turn().await;
    }
    match role {
        Role::Confirm(user) => {
            if is_there(&world, user).await {
                let event = event("PostConfirmation_ConfirmSignUp", user.subject, "1", &user_request(user));
                invoke(&world, &functions.confirmation, &event).await;
            }
        }
        Role::Token(user) => {
            if is_there(&world, user).await {
                let event = event("TokenGeneration_Authentication", user.subject, "2", &user_request(user));
                invoke(&world, &functions.tokens, &event).await;
            }
        }
        Role::Link(external) => {
            let attributes = json!({
                "email": external.address, "email_verified": "true", "custom:provider_subject": external.subject,
            });
            let name = format!("{}_{}", external.provider, external.subject);
            let request = json!({"userAttributes": attributes, "validationData": {}});
            invoke(&world, &functions.sign_up, &event("PreSignUp_ExternalProvider", &name, "1", &request)).await;
        }
        Role::MoveIn => {
            let request = json!({"password": "correct horse"});
            let event = event("UserMigration_Authentication", USERS[2].address, "1", &request);
            let code = invoke(&world, &functions.migration, &event).await;
            // Only now does the pool make the user.
            if code == "MovedIn" {
                lock(&world.seen).moved_in = true;
            }
        }
        Role::Suspend(user) => {
            if let Some(mut item) = world.items().remove(&(("acme#members").to_owned(), user.subject.to_owned())) {
                item["status"] = json!({"S": "suspended"});
                item["version"] = json!({"N": "2"});
                world.put(&item);
            }
        }
        Role::Remove(user) => {
            let key = ("acme#members".to_owned(), user.subject.to_owned());
            if world.items().contains_key(&key) {
                world.delete(&key.0, &key.1);
                lock(&world.seen).taken_away.push(key);
            }
        }
        Role::Invite { version } => {
            let role = if version == 1 { "member" } else { "admin" };
            world.put(&json!({
                "pk": {"S": "beta#invitations"}, "sk": {"S": SHARED_ADDRESS},
                "subject": {"S": format!("EMAIL#{SHARED_ADDRESS}")}, "tenant": {"S": "beta"},
                "invited_by": {"S": "00000000-0000-4000-8000-00000000000f"}, "roles": {"SS": [role]},
                "created_at": {"N": NOW.to_string()}, "expires_at": {"N": (NOW + 1_000 + version).to_string()},
            }));
        }
    }
}

/// A user who moves in is there only once he has.
async fn is_there(world: &World, user: User) -> bool {
    for _ in 0..200 {
        if !user.moves_in || lock(&world.seen).moved_in {
            return true;
        }
        world.gate.turn().await;
    }
    false
}

/// One invocation; the code of what came of it.
async fn invoke<H: Handler>(world: &World, handler: &H, event: &Value) -> String {
    let invocation = Invocation { request_id: "test".to_owned(), now: NOW };
    let code = match handler.handle(&event.to_string(), &invocation).await {
        Ok(answer) => answer.code.to_owned(),
        Err(failure) => failure.code().to_owned(),
    };
    lock(&world.seen).answers.push(format!("{} {code}", H::NAME));
    code
}

fn user_request(user: User) -> Value {
    let mut attributes = json!({
        "sub": user.subject, "email": user.address, "email_verified": "true", "cognito:user_status": "CONFIRMED",
    });
    if user.moves_in {
        attributes["custom:legacy_id"] = json!(LEGACY);
    }
    json!({"userAttributes": attributes, "groupConfiguration": {"groupsToOverride": [], "iamRolesToOverride": []}})
}

fn event(source: &str, name: &str, version: &str, request: &Value) -> Value {
    json!({
        "version": version, "region": "us-east-1", "userPoolId": "us-east-1_EXAMPLE01", "userName": name,
        "callerContext": {"clientId": "client"}, "triggerSource": source, "request": request, "response": {},
    })
}

/// Sign-up is open, so nobody is asked.
pub(crate) struct Nobody;

impl Invitations for Nobody {
    async fn is_invited(&self, _: &EmailAddress, _: u64) -> Result<bool, directory::Error> {
        Err(directory::Error::NotConfigured)
    }
}

/// An old system with one user, whose password is right.
pub(crate) struct OldSystem;

impl LegacyDirectory for OldSystem {
    async fn find(&self, _: Question<'_>) -> Result<OldAnswer, LookupError> {
        let id = LegacyId::parse(LEGACY).expect("an id");
        let attributes = [("email".to_owned(), USERS[2].address.to_owned())].into();
        let groups = vec!["gamma:admin".to_owned()];
        let user = LegacyUser { attributes, email_verified: true, groups, ..LegacyUser::new(id) };
        Ok(OldAnswer { found: Found::One(user), proof: Proof::Right })
    }

    async fn pretend(&self, _: &Arc<Password>) {}

    async fn note_moved(&self, _: &str, _: &LegacyId, _: u64) -> Result<(), LookupError> {
        Ok(())
    }
}

/// Attempts are counted elsewhere.
pub(crate) struct Everybody;

impl Attempts for Everybody {
    async fn charge(&self, _: &str, _: u64) -> Result<Allowed, AttemptsError> {
        Ok(Allowed::Yes)
    }

    async fn forgive(&self, _: &str, _: u64) -> Result<(), AttemptsError> {
        Ok(())
    }
}
