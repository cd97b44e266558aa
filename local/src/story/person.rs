//! A person in the story.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::token::Token;
use super::world::{Answer, World};

/// Somebody with an address, a password and, once signed in, tokens.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    password: String,
    tokens: Option<Tokens>,
}

struct Tokens {
    access: Token,
    id: Token,
    refresh: Token,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Person {
    pub(super) fn new(name: &'static str, email: &'static str) -> Self {
        // Nobody else's: the pool lives as long as the story.
        let password = format!("{name}-keeps-8-Secrets!");
        Self { name, email, password, tokens: None }
    }

    /// Somebody who had this password before there was a pool.
    pub(super) fn of_old(name: &'static str, email: &'static str, password: &str) -> Self {
        Self { password: password.to_owned(), ..Self::new(name, email) }
    }

    /// Says that the password is forgotten.
    pub(super) async fn forgot(&self, world: &World<'_>) -> Result<Answer> {
        let body = json!({ "ClientId": world.client, "Username": self.email });
        world.cognito("ForgotPassword", &body).await
    }

    /// Chooses a new password by a code.
    pub(super) async fn choose_password(&mut self, world: &World<'_>, code: &str) -> Result<Answer> {
        self.password = Self::new(self.name, self.email).password;
        let body = json!({
            "ClientId": world.client,
            "Username": self.email,
            "ConfirmationCode": code,
            "Password": self.password,
        });
        world.cognito("ConfirmForgotPassword", &body).await
    }

    pub(super) async fn sign_up(&self, world: &World<'_>, attributes: &[(&str, &str)]) -> Result<Answer> {
        let email = [("email", self.email)];
        let all: Vec<_> =
            email.iter().chain(attributes).map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        let body = json!({
            "ClientId": world.client,
            "Username": self.email,
            "Password": self.password,
            "UserAttributes": all,
        });
        world.cognito("SignUp", &body).await
    }

    pub(super) async fn confirm(&self, world: &World<'_>, code: &str) -> Result<Answer> {
        let body = json!({ "ClientId": world.client, "Username": self.email, "ConfirmationCode": code });
        world.cognito("ConfirmSignUp", &body).await
    }

    /// Signs in and keeps the tokens.
    pub(super) async fn sign_in(&mut self, world: &World<'_>) -> Result<Answer> {
        let parameters = json!({ "USERNAME": self.email, "PASSWORD": self.password });
        self.authenticate(world, "USER_PASSWORD_AUTH", parameters).await
    }

    /// Gets new tokens for the refresh token and keeps them.
    pub(super) async fn refresh(&mut self, world: &World<'_>) -> Result<Answer> {
        let parameters = json!({ "REFRESH_TOKEN": self.tokens()?.refresh.as_str() });
        self.authenticate(world, "REFRESH_TOKEN_AUTH", parameters).await
    }

    async fn authenticate(&mut self, world: &World<'_>, flow: &str, parameters: Value) -> Result<Answer> {
        let body = json!({ "ClientId": world.client, "AuthFlow": flow, "AuthParameters": parameters });
        let answer = world.cognito("InitiateAuth", &body).await?;
        if let Some(result) = answer.body.get("AuthenticationResult") {
            let token = |name: &str| result.get(name).and_then(Value::as_str).map(Token::new);
            let refresh = token("RefreshToken").or_else(|| self.tokens.take().map(|tokens| tokens.refresh));
            let both = token("AccessToken").zip(token("IdToken")).zip(refresh);
            self.tokens = both.map(|((access, id), refresh)| Tokens { access, id, refresh });
        }
        Ok(answer)
    }

    /// Takes tokens that came by another way.
    pub(super) fn holds(&mut self, access: Token, id: Token, refresh: Token) {
        self.tokens = Some(Tokens { access, id, refresh });
    }

    /// Tries to change the own attributes.
    pub(super) async fn update(&self, world: &World<'_>, name: &str, value: &str) -> Result<Answer> {
        let body = json!({
            "AccessToken": self.access()?.as_str(),
            "UserAttributes": [{ "Name": name, "Value": value }],
        });
        world.cognito("UpdateUserAttributes", &body).await
    }

    pub(super) fn access(&self) -> Result<&Token> {
        Ok(&self.tokens()?.access)
    }

    pub(super) fn id(&self) -> Result<&Token> {
        Ok(&self.tokens()?.id)
    }

    /// The person's `sub`.
    pub(super) fn subject(&self) -> Result<String> {
        let claims = self.access()?.claims()?;
        claims.get("sub").and_then(Value::as_str).map(str::to_owned).context("a token has no sub")
    }

    fn tokens(&self) -> Result<&Tokens> {
        self.tokens.as_ref().with_context(|| format!("{} is not signed in", self.name))
    }
}
