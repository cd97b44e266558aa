//! What somebody reaches with temporary AWS credentials.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;

use super::shown::short_ids;
use super::teller::Teller;
use super::world::{Answer, World};

/// The credentials of an answer, as the configuration of clients.
pub(super) fn credentials(world: &World<'_>, answer: &Answer) -> Option<SdkConfig> {
    let given = answer.body.get("Credentials")?;
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let session = text("SessionToken")?.to_owned();
    let keys = Credentials::new(text("AccessKeyId")?, text("SecretKey")?, Some(session), None, "identity-pool");
    let builder = world.owner.to_builder().credentials_provider(SharedCredentialsProvider::new(keys));
    Some(builder.build())
}

/// Temporary credentials.
pub(super) struct Session {
    pub(super) identity: String,
    pub(super) config: SdkConfig,
}

impl Session {
    pub(super) fn files(&self, world: &World<'_>) -> Bucket {
        Bucket::new(world, &self.config)
    }

    pub(super) fn records(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }
}

/// What somebody does with a file.
#[derive(Clone, Copy)]
pub(super) enum Does {
    Read,
    Write,
}

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "s3:GetObject",
            Self::Write => "s3:PutObject",
        })
    }
}

/// The bucket for files, as somebody reaches it.
pub(super) struct Bucket {
    client: aws_sdk_s3::Client,
    name: String,
}

impl Bucket {
    pub(super) fn new(world: &World<'_>, config: &SdkConfig) -> Self {
        let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self { client: aws_sdk_s3::Client::from_conf(config), name: world.files.to_owned() }
    }

    pub(super) async fn put(&self, key: &str) -> Result<(), String> {
        let body = ByteStream::from_static(b"a few words\n");
        done(self.client.put_object().bucket(&self.name).key(key).body(body).send().await)
    }

    async fn get(&self, key: &str) -> Result<(), String> {
        done(self.client.get_object().bucket(&self.name).key(key).send().await)
    }

    pub(super) async fn step(&self, teller: &mut Teller<'_>, text: &str, does: Does, key: &str, allowed: bool) {
        let result = match does {
            Does::Read => self.get(key).await,
            Does::Write => self.put(key).await,
        };
        let right = match &result {
            Ok(()) => allowed,
            Err(code) => !allowed && code == "AccessDenied",
        };
        let back = result.err().unwrap_or_else(|| "done".to_owned());
        teller.step(text, &format!("{does}  {}", short_ids(key)), &back, right);
    }
}

fn done<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> Result<(), String> {
    match result {
        Ok(_) => Ok(()),
        Err(error) => Err(error.code().unwrap_or("no answer").to_owned()),
    }
}

/// `done`, or the code of the refusal.
pub(super) fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    done(result).err().unwrap_or_else(|| "done".to_owned())
}
