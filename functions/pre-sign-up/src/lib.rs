//! Decides whether a sign-up may go on.
