//! Moves a user in from an old system at the first sign-in.
