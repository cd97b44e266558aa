//! Links a newcomer's external account, where the rules say so.

use shared::linking::{self, Decision, FactsNeeded, Found, Refusal, Request};
use shell::{Failure, PublicText};

use crate::accounts::{Accounts, LinkAnswer, PoolId};
use crate::{Challenges, Invitations, PreSignUp};

impl<I: Invitations, A: Accounts, C: Challenges> PreSignUp<I, A, C> {
    /// Comes back when the newcomer gets an account of his own, and fails when
    /// he is linked: see [`account_linked`].
    pub(crate) async fn link(&self, pool: PoolId<'_>, request: Request<'_>) -> Result<(), Failure> {
        let found = match linking::facts_needed(&self.rules, request) {
            FactsNeeded::Nothing => Found::default(),
            FactsNeeded::UsersWith(address) => self.accounts.find(pool, &address).await?,
        };
        // INVARIANT: each step leaves what the next attempt recognises, so an end
        // between any two of them costs one more sign-in and nothing else.
        let link = match linking::decide(&self.rules, request, &found) {
            Decision::SeparateAccount => return Ok(()),
            Decision::Linked => return Err(account_linked()),
            Decision::Refuse(refusal) => return Err(refused(refusal)),
            Decision::Link(link) => link,
            Decision::Finish(link) => {
                self.accounts.confirm(pool, &link.user_name).await?;
                link
            }
            Decision::Create(user) => {
                let name = self.accounts.create(pool, &user).await?;
                self.accounts.confirm(pool, &name).await?;
                user.link(name)
            }
        };
        let LinkAnswer::Refused(cause) = self.accounts.link(pool, &link).await? else {
            return Err(account_linked());
        };
        match linking::check_link(&link, &self.accounts.user(pool, &link.user_name).await?) {
            None => Err(account_linked()),
            Some(refusal) => Err(refused(refusal).caused_by(cause)),
        }
    }
}

/// The sign-in that made a link ends here, always.
///
/// It was begun for an account of its own, and reports contradict each other
/// about what Cognito makes of it: some see the linked user's tokens, some
/// "Already found an entry for username", some tokens of a user who is nowhere.
/// Ending it makes them all one. The next sign-in finds the linked user and does
/// not come here.
/// <https://github.com/aws-amplify/amplify-flutter/issues/1716>
fn account_linked() -> Failure {
    Failure::new("AccountLinked", PublicText::AccountLinked)
}

fn refused(refusal: Refusal) -> Failure {
    let public = if refusal.may_pass_later() { PublicText::TryAgain } else { PublicText::SignUpRefused };
    Failure::new(refusal.code(), public)
}

#[cfg(test)]
mod tests;
