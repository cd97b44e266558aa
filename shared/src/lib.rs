//! The pure decisions of Poolhouse.
//!
//! Each question has a module: who may sign up ([`sign_up`]), whether an external
//! account is linked to a user ([`linking`]), what a new user gets
//! ([`provisioning`]), whether a user of an old system is moved in
//! ([`migration`]), what a guest may keep and who gets it ([`guests`]), which tenant a user acts in ([`tenants`]), what a
//! token carries ([`claims`]), which IAM role a user gets ([`roles`]), whether a
//! token is genuine ([`token`], [`issuers`]), whether its session was ended
//! ([`revocation`]), which calls may pass ([`routes`], [`policy`]),
//! who may connect ([`connect`]), which fields are open ([`graphql`]) and what is
//! written to attach the triggers to a pool ([`attachment`]). A decision
//! is a function of rules, request and facts. Nothing here reads a clock, the
//! environment, a file or the network; `clippy.toml` holds the line.
//!
//! For operators, three modules look at all of these from outside: what is odd
//! about a rule file ([`lint`]), what becomes of one person and why
//! ([`explanation`]), and what is dangerous about the services' own settings
//! ([`inspection`]).

pub mod address;
pub mod administration;
pub mod attachment;
pub mod attributes;
pub mod claims;
pub mod connect;
pub mod explanation;
pub mod findings;
pub mod graphql;
pub mod guests;
pub mod inspection;
pub mod issuers;
pub mod linking;
pub mod lint;
pub mod lockout;
pub mod migration;
pub mod names;
pub mod password;
pub mod policy;
pub mod provisioning;
pub mod revocation;
pub mod roles;
pub mod routes;
pub mod rules;
pub mod sign_up;
pub mod tenants;
pub mod token;
