//! Every recorded event, put to the built function.

use anyhow::Result;
use tests::cases;

#[test]
fn every_case_is_readable() -> Result<()> {
    cases().map(drop)
}
