//! The story.
use anyhow::Result;
use aws_config::SdkConfig;
use crate::deploy::Outputs;
use crate::say::Say;

/// Where the story plays.
#[derive(Debug)]
pub struct Stage<'a> {
    /// gateway
    pub gateway: &'a str,
    /// owner
    pub owner: &'a SdkConfig,
    /// outputs
    pub outputs: &'a Outputs,
}

/// Tells.
pub async fn tell(say: &Say, stage: &Stage<'_>) -> Result<bool> {
    say.line(&format!("{:?}", stage.outputs));
    Ok(true)
}
