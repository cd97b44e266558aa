//! The names that an identity pool gives.

use crate::names::text_type;

text_type! {
    /// An identity's id, `<region>:<UUID>`. Of a guest it is all that there is to
    /// know: whoever has it gets the guest's credentials.
    /// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html>
    IdentityId
}

text_type! {
    /// An identity pool's id, also `<region>:<UUID>`.
    IdentityPoolId
}

impl IdentityId {
    /// Reads an id, in the lower case that Cognito writes; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        is_regional_uuid(text).then(|| Self(text.to_owned()))
    }

    /// The UUID alone.
    pub fn uuid(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, uuid)| uuid)
    }
}

impl IdentityPoolId {
    /// Reads an id; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        is_regional_uuid(text).then(|| Self(text.to_owned()))
    }

    /// Whether an identity could be one of this pool: the same region, and not
    /// the pool's own id. More than that only a proof can say.
    pub fn could_hold(&self, identity: &IdentityId) -> bool {
        region(&self.0) == region(&identity.0) && self.0 != identity.0
    }

    /// Whether an ARN is this pool's, in whatever partition and account.
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitoidentity.html>
    pub fn is_named_by(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "cognito-identity", place, _, resource] = parts.as_slice() else { return false };
        region(&self.0) == Some(place) && resource.strip_prefix("identitypool/") == Some(&self.0)
    }
}

/// What stands before the UUID.
fn region(id: &str) -> Option<&str> {
    id.split_once(':').map(|(region, _)| region)
}

/// `<region>:<UUID>`: 1 to 25 of `a-z`, `0-9` and `-`, then a UUID.
fn is_regional_uuid(text: &str) -> bool {
    let Some((region, uuid)) = text.split_once(':') else { return false };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let groups: Vec<&str> = uuid.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (1..=25).contains(&region.len())
        && region.bytes().all(|byte| plain(byte) || byte == b'-')
        && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "us-east-1:11111111-2222-4333-8444-555555555555";

    #[test]
    fn only_what_the_pool_writes_is_an_identity() {
        let table = [
            ("us-east-1:0a1b2c3d-1111-4222-8333-444455556666", true),
            ("ap-southeast-2:0a1b2c3d-1111-4222-8333-444455556666", true),
            ("us-east-1:0A1B2C3D-1111-4222-8333-444455556666", false),
            ("us-east-1:0a1b2c3d-1111-4222-8333-44445555666", false),
            ("us-east-1:0a1b2c3d-1111-4222-8333-4444555566667", false),
            ("us-east-1:0a1b2c3d1111-4222-8333-444455556666", false),
            ("us-east-1:0a1b2c3g-1111-4222-8333-444455556666", false),
            ("0a1b2c3d-1111-4222-8333-444455556666", false),
            (":0a1b2c3d-1111-4222-8333-444455556666", false),
            ("us-east-1:us-east-1:0a1b2c3d-1111-4222-8333-444455556666", false),
            ("us-east-1:0a1b2c3d-1111-4222-8333-444455556666#x", false),
            ("us-east-1:0a1b2c3d-1111-4222-8333-444455556666\n", false),
            ("us_east_1:0a1b2c3d-1111-4222-8333-444455556666", false),
            ("US-EAST-1:0a1b2c3d-1111-4222-8333-444455556666", false),
            ("us-east-1:", false),
            ("", false),
        ];
        for (text, accepted) in table {
            assert_eq!(IdentityId::parse(text).is_some(), accepted, "{text:?}");
        }
    }

    #[test]
    fn a_pool_holds_identities_of_its_region_and_not_itself() {
        let pool = IdentityPoolId::parse(POOL).unwrap();
        let table = [
            ("us-east-1:0a1b2c3d-1111-4222-8333-444455556666", true),
            ("eu-west-1:0a1b2c3d-1111-4222-8333-444455556666", false),
            ("us-east-11:0a1b2c3d-1111-4222-8333-444455556666", false),
            (POOL, false),
        ];
        for (text, expected) in table {
            assert_eq!(pool.could_hold(&IdentityId::parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn an_arn_names_one_pool() {
        let pool = IdentityPoolId::parse(POOL).unwrap();
        let good = format!("arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{POOL}");
        let other = POOL.replace("5555555", "5555556");
        let table = [
            (good.clone(), true),
            (good.replace(":aws:", ":aws-us-gov:"), true),
            (good.replace(POOL, &other), false),
            (good.replace(":us-east-1:123", ":eu-west-1:123"), false),
            (good.replace("cognito-identity", "cognito-idp"), false),
            (good.replace("identitypool/", "identity/"), false),
            (format!("{good}/x"), false),
            (format!("x{good}"), false),
            (POOL.to_owned(), false),
            (String::new(), false),
        ];
        for (arn, expected) in table {
            assert_eq!(pool.is_named_by(&arn), expected, "{arn}");
        }
    }
}
