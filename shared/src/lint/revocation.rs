//! Revocation that sees less than was probably meant.

use crate::findings::Findings;
use crate::revocation::Unavailable;
use crate::rules::Rules;
use crate::tenants::TenantSource;

/// From this many seconds on, "at once" is hardly the word.
const LONG_CACHE_SECONDS: u64 = 10;

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    let revocation = &rules.revocation;
    if !revocation.is_on() {
        return;
    }
    if revocation.unavailable == Unavailable::Allow {
        let message = "lets every token in while the table of ended sessions cannot be read";
        let why = "whoever keeps the authorizer from reading it keeps a revoked token alive until it expires";
        let fix = "say \"refuse\", unless an API that is up matters more than a session that is ended";
        findings.warning("RevocationFailsOpen", "revocation.unavailable", [message, why, fix]);
    }
    if revocation.cache_seconds > LONG_CACHE_SECONDS {
        let message = format!("a revoked token may pass for {} s more", revocation.cache_seconds);
        let why = "an instance that has just looked does not look again before then";
        let fix = format!("{LONG_CACHE_SECONDS} s or less; 0 looks every time");
        findings.warning("RevocationCachedLong", "revocation.cache_seconds", [&message, why, &fix]);
    }
    if rules.tenants.source != TenantSource::Directory {
        let message = "a role that comes from a Cognito group is not taken back at once";
        let why = "who is taken out of a group writes no mark, so his token keeps the role until it expires";
        let fix = "give roles by the directory alone, or mark the user as docs/revocation.md says";
        findings.note("RevocationSeesNoGroups", "revocation.mode", [message, why, fix]);
    }
}
