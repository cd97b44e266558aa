//! One write of a pool: read again, compared, and put back where it moved more
//! than it should.

use std::time::Duration;

use serde_json::{Map, Value};
use shared::attachment::{Difference, Plan, Snapshot, client_request, difference_paths, differences, mfa_request};
use tokio::time::Instant;

use crate::aws::{Aws, is_busy};
use crate::error::Error;

/// How often a pool is read again that does not show the write yet.
const READS: u32 = 3;

/// Writes what was planned, and sees that nothing else moved.
pub(crate) async fn write(aws: &Aws<'_>, before: &Snapshot, plan: &Plan) -> Result<(), Error> {
    let Some(update) = &plan.update else { return Ok(()) };
    aws.update_pool(update).await?;
    let moved = settle(aws, before, &plan.triggers).await?;
    if moved.is_empty() {
        return Ok(());
    }
    let left = put_back(aws, before, plan, &moved).await;
    Err(Error::Moved { moved: difference_paths(&moved), left })
}

/// What moved, once the factors, which are behind a call of their own, are what
/// they were.
async fn settle(aws: &Aws<'_>, before: &Snapshot, triggers: &Map<String, Value>) -> Result<Vec<Difference>, Error> {
    let mut moved = look(aws, before, triggers).await?;
    if moved.iter().any(is_of_factors) {
        aws.set_mfa(&mfa_request(aws.pool, &before.mfa)?).await?;
        moved = look(aws, before, triggers).await?;
    }
    for wait in 1..READS {
        if moved.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200) * wait).await;
        moved = look(aws, before, triggers).await?;
    }
    Ok(moved)
}

async fn look(aws: &Aws<'_>, before: &Snapshot, triggers: &Map<String, Value>) -> Result<Vec<Difference>, Error> {
    let after = aws.snapshot(!before.clients.is_empty()).await?.ok_or(Error::Unreadable("DescribeUserPool"))?;
    Ok(differences(before, &after, triggers))
}

fn is_of_factors(difference: &Difference) -> bool {
    difference.path.starts_with("mfa")
}

/// Brings everything back; answers what could not be.
async fn put_back(aws: &Aws<'_>, before: &Snapshot, plan: &Plan, moved: &[Difference]) -> String {
    let all = difference_paths(moved);
    let Some(restore) = &plan.restore else { return all };
    let mut waited = Duration::from_millis(100);
    while let Err(error) = aws.update_pool(restore).await {
        if !is_busy(&error) || Instant::now() + waited >= aws.until {
            return all;
        }
        tokio::time::sleep(waited).await;
        waited *= 2;
    }
    for (id, client) in &before.clients {
        let prefix = format!("client {id}.");
        if moved.iter().any(|difference| difference.path.starts_with(&prefix))
            && let Ok(request) = client_request(client)
        {
            // Whether it worked is seen below.
            drop(aws.update_client(&request).await);
        }
    }
    match settle(aws, before, &before.triggers()).await {
        Ok(left) => difference_paths(&left),
        Err(_) => all,
    }
}
