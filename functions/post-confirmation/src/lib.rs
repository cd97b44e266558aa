//! Provisions a confirmed user: profile, memberships and groups.
