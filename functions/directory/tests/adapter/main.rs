//! The adapter against an in-process DynamoDB.

#[cfg(test)]
mod administration;
#[cfg(test)]
mod arrivals;
#[cfg(test)]
mod challenges;
#[cfg(test)]
mod provisioning;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod support;
