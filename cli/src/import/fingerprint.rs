//! What tells one input from another, and one sign-in name from all others of a
//! long file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256, digest};

use crate::output::Failure;

/// The first half of a SHA-256: enough to tell names apart, and small enough to
/// hold one for each name of a long file.
pub(super) type Short = [u8; 16];

/// The SHA-256 of a file, in hexadecimal digits.
pub(super) fn of_file(path: &Path) -> Result<String, Failure> {
    let mut file = File::open(path).map_err(|error| Failure::file(path, error))?;
    let (mut context, mut buffer) = (Context::new(&SHA256), vec![0; 64 * 1024]);
    loop {
        let bytes = file.read(&mut buffer).map_err(|error| Failure::file(path, error))?;
        if bytes == 0 {
            return Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        context.update(buffer.get(..bytes).unwrap_or_default());
    }
}

/// What stands for a key of some kind.
pub(super) fn short(kind: &str, key: &str) -> Short {
    let digest = digest(&SHA256, format!("{kind}\n{key}").as_bytes());
    let mut short = Short::default();
    short.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    short
}
