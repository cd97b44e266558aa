//! Who comes in, and where newcomers are placed.

use std::collections::BTreeSet;

use crate::address::DomainPattern;
use crate::attributes::LEGACY_ID;
use crate::findings::Findings;
use crate::migration::Store;
use crate::names::tenant_group;
use crate::rules::Rules;
use crate::sign_up::Mode;
use crate::tenants::TenantSource;

pub(super) fn look(rules: &Rules, findings: &mut Findings) {
    closed_door(rules, findings);
    for (key, domains) in
        [("allowed_domains", &rules.sign_up.allowed_domains), ("blocked_domains", &rules.sign_up.blocked_domains)]
    {
        covered_domains(key, domains, findings);
    }
    legacy_id(rules, findings);
    placements(rules, findings);
    groups(rules, findings);
}

/// What a closed sign-up never asks.
fn closed_door(rules: &Rules, findings: &mut Findings) {
    let sign_up = &rules.sign_up;
    if sign_up.mode != Mode::Closed {
        return;
    }
    let unused = [
        ("sign_up.allowed_domains", !sign_up.allowed_domains.is_empty()),
        ("sign_up.challenge", sign_up.challenge.is_some()),
    ];
    for (path, _) in unused.into_iter().filter(|(_, is_there)| *is_there) {
        let why = "mode = \"closed\" refuses everybody who signs up before this is looked at";
        findings.warning("DeadRule", path, ["has no effect", why, "remove it, or choose another mode"]);
    }
}

fn covered_domains(key: &str, domains: &[DomainPattern], findings: &mut Findings) {
    for (index, domain) in domains.iter().enumerate() {
        // Of two that are alike, the second adds nothing.
        let others = domains.iter().enumerate().filter(|(at, other)| *at < index || *other != domain);
        let others: BTreeSet<&str> = others.map(|(_, other)| other.as_str()).collect();
        if let Some(by) = domain.covered_by(&others) {
            let why = format!("\"{by}\" in the same list means it already");
            let path = format!("sign_up.{key}[{index}]");
            findings.warning("DeadRule", &path, [&format!("\"{domain}\" adds nothing"), &why, "remove it"]);
        }
    }
}

/// The id in the old system decides what a user brings along.
fn legacy_id(rules: &Rules, findings: &mut Findings) {
    let migrates = rules.migration.as_ref().is_some_and(|migration| migration.store != Store::None);
    if migrates && super::is_users_own(rules, LEGACY_ID) {
        let why = "whoever writes another user's old id gets the memberships that wait for that user";
        let fix = format!("add \"{LEGACY_ID}\" to sign_up.forbidden_attributes, and let no client write it");
        let message = format!("users are moved in, but a sign-up may bring \"{LEGACY_ID}\"");
        findings.error("RightsAttributeOpen", "sign_up.forbidden_attributes", [&message, why, &fix]);
    }
}

/// The first placement of each tenant that fits counts.
fn placements(rules: &Rules, findings: &mut Findings) {
    let placements = &rules.tenants.placements;
    for (index, placement) in placements.iter().enumerate() {
        let earlier = placements.iter().take(index).position(|earlier| {
            let domains: BTreeSet<&str> = earlier.email_domains.iter().map(DomainPattern::as_str).collect();
            let by_domain = earlier.email_domains.is_empty()
                || (!placement.email_domains.is_empty()
                    && placement.email_domains.iter().all(|domain| domain.covered_by(&domains).is_some()));
            let knows = |name: &String| earlier.providers.iter().any(|known| known.eq_ignore_ascii_case(name));
            let by_provider = earlier.providers.is_empty()
                || (!placement.providers.is_empty() && placement.providers.iter().all(knows));
            earlier.tenant == placement.tenant && by_domain && by_provider
        });
        if let Some(earlier) = earlier {
            let path = format!("tenants.placements[{index}]");
            let message = format!("never counts: tenants.placements[{earlier}] takes everybody whom it could take");
            let why = format!("of the placements in \"{}\" only the first that fits is taken", placement.tenant);
            findings.warning("PlacementShadowed", &path, [&message, &why, "put the narrower one first, or remove it"]);
        }
    }
}

/// A group named like a membership, where groups give none.
fn groups(rules: &Rules, findings: &mut Findings) {
    if rules.tenants.source != TenantSource::Directory {
        return;
    }
    for (index, grant) in rules.groups.iter().enumerate().filter(|(_, grant)| tenant_group(&grant.name).is_some()) {
        let message = format!("\"{}\" makes nobody a member", grant.name);
        let why = "tenants.source = \"directory\" reads no tenant and no role from groups";
        let fix = "use a placement, or tenants.source = \"both\"";
        findings.warning("GroupGivesNoTenant", &format!("groups[{index}].name"), [&message, why, fix]);
    }
}
