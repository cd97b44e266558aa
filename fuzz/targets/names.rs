//! Ids, names and addresses: what is taken is taken as it stands.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::address::EmailAddress;
use shared::guests::claim::{ClaimHash, ClaimSecret};
use shared::guests::{IdentityId, IdentityPoolId};
use shared::names::{RoleName, Subject, TenantId, tenant_group};

fuzz_target!(|text: &str| {
    let taken = [
        IdentityId::parse(text).map(|id| id.as_str().to_owned()),
        IdentityPoolId::parse(text).map(|id| id.as_str().to_owned()),
        TenantId::parse(text).map(|id| id.as_str().to_owned()),
        RoleName::parse(text).map(|id| id.as_str().to_owned()),
        Subject::parse(text).map(|id| id.as_str().to_owned()),
        ClaimHash::parse(text).map(|hash| hash.to_hex()),
    ];
    for name in taken.into_iter().flatten() {
        assert_eq!(name, text, "a name is taken as it stands");
        // INVARIANT: no name can end a key's part and begin another one, nor mean more in a policy.
        assert!(!name.contains(['#', '*', '?', '$', '{', '\n', '\0']), "{name:?}");
    }
    if let Some((tenant, role)) = tenant_group(text) {
        assert_eq!(format!("{}:{}", tenant.as_str(), role.as_str()), text);
    }
    if let Some(secret) = ClaimSecret::parse(text.to_owned()) {
        assert!(secret.hash().is_of(&secret));
    }
    EmailAddress::parse(text);
});
