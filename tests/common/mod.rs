//! What several tests share.

use std::path::{Path, PathBuf};

/// The folder of reference values: `LLAVACODE_FIXTURES`, else `tests/fixtures`.
pub fn fixtures() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(std::env::var_os("LLAVACODE_FIXTURES").unwrap_or_else(|| "tests/fixtures".into()))
}
