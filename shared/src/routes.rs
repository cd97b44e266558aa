//! What each route of the API takes.

use serde::Deserialize;

use crate::rules::Problems;

/// What one route takes.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteRule {}

/// The routes, prepared for look-up.
#[derive(Clone, Debug)]
pub struct RouteTable {}

impl RouteTable {
    /// Prepares routes that have been checked.
    pub fn compile(_rules: Vec<RouteRule>) -> Self {
        Self {}
    }
}

/// Checks the routes by themselves.
pub(crate) fn check(_rules: &[RouteRule], _problems: &mut Problems) {}
