//! Standard output, which may be closed early: `llavacode inspect RUN | head -1` is no error.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Writes a result and a line break.
pub fn say(result: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{result}")
}

/// Somebody who read enough closed the pipe.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<io::Error>(), Some(error) if error.kind() == io::ErrorKind::BrokenPipe)
}
