//! Whether a token is genuine.
