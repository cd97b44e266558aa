//! `cognito:preferred_role`, as the user pool computes it from groups.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html#assigning-precedence-values-to-groups>

use super::Group;

/// The role that the token will prefer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// The role's ARN; `None`: the claim is absent.
    pub role: Option<String>,
    /// Why.
    pub reason: PreferredReason,
}

/// Why a role is preferred, or none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreferredReason {
    /// None of the groups has a role.
    NoRole,
    /// All the groups that have one have the same.
    OnlyRole,
    /// One role has the best precedence.
    BestPrecedence,
    /// Different roles share the best precedence.
    Tie,
}

impl PreferredReason {
    /// Stable name, for logs, alarms and tests.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRole => "NoRole",
            Self::OnlyRole => "OnlyRole",
            Self::BestPrecedence => "BestPrecedence",
            Self::Tie => "Tie",
        }
    }
}

/// Finds the role of the group with the lowest precedence number.
///
/// A group without a role has none to prefer and does not count. No number is
/// worse than any. Groups that tie on the same role prefer it; groups that tie
/// on different roles leave the claim out.
pub fn preferred(groups: &[Group]) -> Preferred {
    let rank = |group: &Group| group.precedence.map_or(u64::MAX, u64::from);
    let roles = || groups.iter().filter_map(|group| group.role.as_deref().map(|role| (rank(group), role)));
    let Some((best, role)) = roles().min() else {
        return Preferred { role: None, reason: PreferredReason::NoRole };
    };
    if roles().all(|(_, other)| other == role) {
        return Preferred { role: Some(role.to_owned()), reason: PreferredReason::OnlyRole };
    }
    if roles().any(|(rank, other)| rank == best && other != role) {
        return Preferred { role: None, reason: PreferredReason::Tie };
    }
    Preferred { role: Some(role.to_owned()), reason: PreferredReason::BestPrecedence }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(list: &[(Option<u32>, Option<&str>)]) -> Vec<Group> {
        let group = |(n, (precedence, role)): (usize, &(Option<u32>, Option<&str>))| Group {
            name: format!("g{n}"),
            precedence: *precedence,
            role: role.map(str::to_owned),
        };
        list.iter().enumerate().map(group).collect()
    }

    #[test]
    fn the_lowest_number_wins_and_different_roles_on_one_number_win_nothing() {
        use PreferredReason::{BestPrecedence, NoRole, OnlyRole, Tie};
        type Row = (&'static [(Option<u32>, Option<&'static str>)], Option<&'static str>, PreferredReason);
        let table: [Row; 11] = [
            (&[], None, NoRole),
            (&[(Some(0), None)], None, NoRole),
            (&[(None, Some("a"))], Some("a"), OnlyRole),
            (&[(Some(0), None), (Some(5), Some("a"))], Some("a"), OnlyRole),
            (&[(Some(1), Some("b")), (Some(0), Some("a"))], Some("a"), BestPrecedence),
            (&[(None, Some("a")), (Some(9), Some("b"))], Some("b"), BestPrecedence),
            (&[(None, Some("a")), (Some(u32::MAX), Some("b"))], Some("b"), BestPrecedence),
            (&[(Some(1), Some("a")), (Some(1), Some("a")), (Some(2), Some("b"))], Some("a"), BestPrecedence),
            (&[(Some(1), Some("a")), (Some(1), Some("b"))], None, Tie),
            (&[(None, Some("b")), (None, Some("a"))], None, Tie),
            (&[(Some(3), Some("c")), (Some(1), Some("a")), (Some(1), Some("b"))], None, Tie),
        ];
        for (list, role, reason) in table {
            let expected = Preferred { role: role.map(str::to_owned), reason };
            assert_eq!(preferred(&groups(list)), expected, "{list:?}");
            let mut reversed = groups(list);
            reversed.reverse();
            assert_eq!(preferred(&reversed), expected, "{list:?} reversed");
        }
    }
}
