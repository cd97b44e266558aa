//! A user pool on loopback, as far as linking asks for it.
//!
//! It signs in by e-mail address without regard to case, as the template's pool
//! does. Statuses, refusals and their texts are those that the pages of the
//! operations and reports of their users name:
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminLinkProviderForUser.html>,
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>,
//! <https://github.com/aws/aws-sdk-js-v3/issues/5281> (a refused link that is made),
//! <https://github.com/aws/aws-sdk-js-v3/issues/6985> (128 characters of a source).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::http::Response;

/// The providers that the pool has, in their own spelling.
const PROVIDERS: [&str; 4] = ["Google", "CorpOIDC", "Corp_OIDC", "Maker_Of_Users"];

/// A user of the pool.
#[derive(Clone, Debug)]
pub struct PoolUser {
    /// The pool's own name of the user.
    pub name: String,
    /// As Cognito writes it, such as `CONFIRMED`.
    pub status: String,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// All attributes but `identities`.
    pub attributes: BTreeMap<String, String>,
    /// The linked accounts: provider and subject.
    pub identities: Vec<(String, String)>,
    /// Whether the list shows the user already.
    pub listed: bool,
    /// The password, once there is one.
    pub password: Option<String>,
}

impl PoolUser {
    /// A confirmed user with this address, verified, whom the list shows.
    pub fn new(name: &str, email: &str) -> Self {
        let attributes = [("email", email), ("email_verified", "true"), ("sub", name)];
        Self {
            name: name.to_owned(),
            status: "CONFIRMED".to_owned(),
            enabled: true,
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            identities: Vec::new(),
            listed: true,
            password: None,
        }
    }

    /// The user with another status.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }

    /// The user with one attribute set.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The user with one more linked account.
    #[must_use]
    pub fn identity(mut self, provider: &str, subject: &str) -> Self {
        self.identities.push((provider.to_owned(), subject.to_owned()));
        self
    }

    fn email(&self) -> &str {
        self.attributes.get("email").map_or("", String::as_str)
    }

    fn is_external(&self) -> bool {
        self.status == "EXTERNAL_PROVIDER"
    }

    fn attributes(&self) -> Value {
        let mut all: Vec<Value> =
            self.attributes.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
        if !self.identities.is_empty() {
            let identity = |(provider, subject): &(String, String)| {
                json!({
                    "userId": subject, "providerName": provider, "providerType": provider, "issuer": null,
                    "primary": false, "dateCreated": 1_700_000_000,
                })
            };
            let identities: Vec<Value> = self.identities.iter().map(identity).collect();
            all.push(json!({"Name": "identities", "Value": Value::from(identities).to_string()}));
        }
        Value::from(all)
    }
}

/// How the list comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// All users on one page.
    #[default]
    One,
    /// First an empty page with a token, then one user a page, then an empty page.
    EmptyFirst,
    /// Never an end.
    Endless,
}

/// A user pool. Its calls are answered one at a time.
#[derive(Debug, Default)]
pub struct Pool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    users: Vec<PoolUser>,
    pages: Pages,
    matches_prefixes: bool,
    hides_new_users: bool,
    refuses_what_it_links: bool,
    failing: Option<String>,
    unplug_after: Option<String>,
    unplugged: bool,
    made: usize,
}

impl Pool {
    /// Adds a user.
    pub fn add(&self, user: PoolUser) {
        self.lock().users.push(user);
    }

    /// All users, in the order of their making.
    pub fn users(&self) -> Vec<PoolUser> {
        self.lock().users.clone()
    }

    /// Forgets all users and everything that was asked of the pool.
    pub fn reset(&self) {
        *self.lock() = State::default();
    }

    /// From now on the list comes like this.
    pub fn page(&self, pages: Pages) {
        self.lock().pages = pages;
    }

    /// From now on the filter is taken for the beginning of an address.
    pub fn match_prefixes(&self) {
        self.lock().matches_prefixes = true;
    }

    /// From now on the list does not show users who are made.
    pub fn hide_new_users(&self) {
        self.lock().hides_new_users = true;
    }

    /// From now on the list shows everyone.
    pub fn catch_up(&self) {
        let mut state = self.lock();
        state.hides_new_users = false;
        state.users.iter_mut().for_each(|user| user.listed = true);
    }

    /// From now on links are made and refused all the same.
    pub fn refuse_what_is_linked(&self) {
        self.lock().refuses_what_it_links = true;
    }

    /// From now on this operation fails before it does anything.
    pub fn fail(&self, operation: &str) {
        self.lock().failing = Some(operation.to_owned());
    }

    /// This operation still does its work; nothing is heard of it, nor of
    /// anything after.
    pub fn unplug_after(&self, operation: &str) {
        self.lock().unplug_after = Some(operation.to_owned());
    }

    /// Everything answers again.
    pub fn plug_in(&self) {
        let mut state = self.lock();
        (state.unplugged, state.unplug_after, state.failing) = (false, None, None);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers an operation; `None` for one that is not of a pool's users.
    pub fn answer(&self, operation: &str, body: &[u8]) -> Option<Response> {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut state = self.lock();
        if state.unplugged || state.failing.as_deref() == Some(operation) {
            return Some(respond(500, &json!({"__type": "InternalErrorException", "message": "down"})));
        }
        let answer = match operation {
            "ListUsers" => state.list(&request),
            "AdminGetUser" => state.get(&request),
            "AdminLinkProviderForUser" => state.link(&request),
            "AdminCreateUser" => state.create(&request),
            "AdminSetUserPassword" => state.set_password(&request),
            _ => return None,
        };
        if state.unplug_after.as_deref() == Some(operation) {
            state.unplugged = true;
            return Some(respond(500, &json!({"__type": "InternalErrorException", "message": "gone"})));
        }
        Some(match answer {
            Ok(answer) => respond(200, &answer),
            Err((kind, message)) => respond(400, &json!({"__type": kind, "message": message})),
        })
    }
}

type Answer = Result<Value, (&'static str, &'static str)>;

const INVALID: &str = "InvalidParameterException";

impl State {
    fn list(&self, request: &Value) -> Answer {
        let filter = text(request, "/Filter");
        let wanted = read_filter(filter).ok_or((INVALID, "Error while parsing filter."))?;
        let fits = |user: &&PoolUser| {
            let fits = if self.matches_prefixes { user.email().starts_with(&wanted) } else { user.email() == wanted };
            user.listed && fits
        };
        let users: Vec<Value> = self.users.iter().filter(fits).map(listed).collect();
        let token = text(request, "/PaginationToken");
        let page: usize = match token.strip_prefix(filter) {
            Some(page) if !token.is_empty() => page.parse().map_err(|_| (INVALID, "Invalid pagination token."))?,
            _ if token.is_empty() => 0,
            _ => return Err((INVALID, "Invalid pagination token.")),
        };
        let next = format!("{filter}{}", page + 1);
        Ok(match self.pages {
            Pages::One => json!({"Users": users}),
            Pages::Endless => json!({"Users": [], "PaginationToken": next}),
            Pages::EmptyFirst if page == 0 => json!({"Users": [], "PaginationToken": next}),
            Pages::EmptyFirst => match users.get(page - 1) {
                Some(user) => json!({"Users": [user], "PaginationToken": next}),
                None => json!({"Users": []}),
            },
        })
    }

    fn get(&self, request: &Value) -> Answer {
        let user = self.find(text(request, "/Username")).ok_or(NO_USER)?;
        Ok(json!({
            "Username": user.name, "UserAttributes": user.attributes(), "Enabled": user.enabled,
            "UserStatus": user.status, "UserCreateDate": 1_700_000_000, "UserLastModifiedDate": 1_700_000_000,
        }))
    }

    fn link(&mut self, request: &Value) -> Answer {
        let source = |name: &str| text(request, &format!("/SourceUser/{name}")).to_owned();
        let (provider, subject) = (source("ProviderName"), source("ProviderAttributeValue"));
        let attribute = source("ProviderAttributeName");
        if text(request, "/DestinationUser/ProviderName") != "Cognito" || attribute != "Cognito_Subject" {
            return Err((INVALID, "Invalid identifier"));
        }
        if !PROVIDERS.contains(&provider.as_str()) {
            return Err((INVALID, "Invalid ProviderName/Username combination. Please check again"));
        }
        if provider.len() + attribute.len() + subject.len() > 128 {
            return Err((INVALID, "SourceUser is too long"));
        }
        let identity = (provider.clone(), subject.clone());
        let destination = text(request, "/DestinationUser/ProviderAttributeValue");
        let target = self.users.iter().position(|user| user.name == destination).ok_or(NO_USER)?;
        let own_name = format!("{provider}_{subject}");
        if self.users.iter().any(|user| user.is_external() && user.name.eq_ignore_ascii_case(&own_name)) {
            let merging =
                "Merging is not currently supported, provide a SourceUser that has not been signed up in order to link";
            return Err((INVALID, merging));
        }
        if self.users.iter().any(|user| user.identities.contains(&identity)) {
            return Err((INVALID, "SourceUser is already linked to DestinationUser"));
        }
        let refuses = self.refuses_what_it_links;
        let target = self.users.get_mut(target).ok_or(NO_USER)?;
        if target.identities.len() >= 5 {
            return Err(("LimitExceededException", "Maximum number of linked identities reached"));
        }
        target.identities.push(identity);
        if refuses {
            return Err((INVALID, "Invalid SourceUser: Cognito users with a username/password may not be passed in"));
        }
        Ok(json!({}))
    }

    fn create(&mut self, request: &Value) -> Answer {
        let address = text(request, "/Username");
        if self.find(address).is_some() {
            return Err(("UsernameExistsException", "User account already exists"));
        }
        self.made += 1;
        let mut user = PoolUser::new(&format!("00000000-0000-4000-8000-{:012}", self.made), address)
            .status("FORCE_CHANGE_PASSWORD")
            .attribute("email_verified", "false");
        for attribute in request.pointer("/UserAttributes").and_then(Value::as_array).into_iter().flatten() {
            user = user.attribute(text(attribute, "/Name"), text(attribute, "/Value"));
        }
        user.listed = !self.hides_new_users;
        let answer = json!({"User": {
            "Username": user.name, "Attributes": user.attributes(), "Enabled": true, "UserStatus": user.status,
        }});
        self.users.push(user);
        Ok(answer)
    }

    fn set_password(&mut self, request: &Value) -> Answer {
        let (name, password) = (text(request, "/Username"), text(request, "/Password"));
        let user = self.users.iter_mut().find(|user| user.name == name).ok_or(NO_USER)?;
        let has = |kind: fn(&u8) -> bool| password.as_bytes().iter().any(kind);
        let meets = (99..=256).contains(&password.len())
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_punctuation);
        if !meets {
            return Err(("InvalidPasswordException", "Password did not conform with policy"));
        }
        user.password = Some(password.to_owned());
        if request.pointer("/Permanent") == Some(&json!(true)) {
            user.status = "CONFIRMED".to_owned();
        }
        Ok(json!({}))
    }

    /// By the pool's own name, or by the address that a native user signs in with.
    fn find(&self, name: &str) -> Option<&PoolUser> {
        let signs_in = |user: &&PoolUser| !user.is_external() && user.email().eq_ignore_ascii_case(name);
        self.users.iter().find(|user| user.name == name).or_else(|| self.users.iter().find(signs_in))
    }
}

const NO_USER: (&str, &str) = ("UserNotFoundException", "User does not exist.");

fn listed(user: &PoolUser) -> Value {
    json!({
        "Username": user.name, "Attributes": user.attributes(), "Enabled": user.enabled, "UserStatus": user.status,
        "UserCreateDate": 1_700_000_000, "UserLastModifiedDate": 1_700_000_000,
    })
}

/// The address in `email = "…"`; `None` for what is no such filter.
fn read_filter(filter: &str) -> Option<String> {
    if filter.chars().count() > 256 {
        return None;
    }
    let mut rest = filter.strip_prefix("email = \"")?.strip_suffix('"')?.chars();
    let mut value = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => return None,
            '\\' => value.push(rest.next()?),
            _ => value.push(c),
        }
    }
    Some(value)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn respond(status: u16, body: &Value) -> Response {
    Response::new(status, "application/x-amz-json-1.1", body.to_string())
}
