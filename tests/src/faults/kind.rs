//! What can go wrong with a request.

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// `ThrottlingException`.
    Throttled,
    /// `ProvisionedThroughputExceededException`; where a service has no such
    /// error, `TooManyRequestsException`.
    OverCapacity,
    /// `ValidationException`, or what the service has in its place.
    Invalid,
    /// `AccessDeniedException`.
    Denied,
    /// 500 with the service's own name for it.
    Failing,
    /// 503 from something before the service, which does not speak its language.
    Unavailable,
    /// 200 with a page in it.
    NotJson,
    /// A body that ends in its middle.
    Truncated,
    /// A body of which the length says less.
    Overlong,
    /// A body with another's checksum.
    WrongChecksum,
    /// A body without an end.
    Huge,
    /// The right answer, a byte every tenth of a second.
    Drip,
    /// Nothing, on a connection that stays.
    Silent,
    /// A reset as soon as there is a connection.
    ResetAtOnce,
    /// A reset after the head of the request.
    ResetWithin,
    /// A reset after the request; nothing was done.
    ResetAfter,
    /// A reset within the answer; all was done.
    ResetInAnswer,
    /// The server has closed its half and reads on; nothing was done.
    HalfClosed,
    /// All was done, then a reset instead of the answer.
    LostReply,
    /// All was done, then silence instead of the answer.
    HeldReply,
    /// Nobody listens.
    Refusing,
    /// The network swallows all attempts to connect.
    Deaf,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Throttled,
        Self::OverCapacity,
        Self::Invalid,
        Self::Denied,
        Self::Failing,
        Self::Unavailable,
        Self::NotJson,
        Self::Truncated,
        Self::Overlong,
        Self::WrongChecksum,
        Self::Huge,
        Self::Drip,
        Self::Silent,
        Self::ResetAtOnce,
        Self::ResetWithin,
        Self::ResetAfter,
        Self::ResetInAnswer,
        Self::HalfClosed,
        Self::LostReply,
        Self::HeldReply,
        Self::Refusing,
        Self::Deaf,
    ];

    /// Whether it meets connections and not requests.
    pub(super) fn is_at_the_door(self) -> bool {
        matches!(self, Self::Refusing | Self::Deaf | Self::ResetAtOnce)
    }

    /// Whether the request is still carried out.
    pub(super) fn is_carried_out(self) -> bool {
        matches!(
            self,
            Self::Truncated
                | Self::Overlong
                | Self::WrongChecksum
                | Self::Drip
                | Self::ResetInAnswer
                | Self::LostReply
                | Self::HeldReply
        )
    }
}
