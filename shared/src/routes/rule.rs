//! What one route takes, as it is written in the rule file.

use super::Method;
use super::conditions::rule_with_conditions;

rule_with_conditions! {
    /// What one route takes. Every condition that is not empty must hold.
    RouteRule {
        /// The method, in capitals. There is no entry for all methods at once.
        method: Method,
        /// The path, with `{name}` for a segment that varies. `{tenant}` takes only
        /// callers whose tenant it equals.
        path: String,
    }
}
