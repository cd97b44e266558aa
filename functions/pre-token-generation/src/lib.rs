//! Puts tenant, roles and mapped claims into tokens.
