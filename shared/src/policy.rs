//! The policy that answers an authorizer call.
