//! Tables of bad tokens. A row's name begins with the attack's short name.

mod claims;
mod external;
mod header;
mod keys;
mod profiles;
mod properties;
mod structure;
mod support;
mod vectors;
