//! Signals to a child, through the shell's own `kill`: a small system has no program of that name.

use std::process::{Command, Stdio};

/// Sends `signal` (`INT`, or `0` to ask whether it lives); whether there was such a process.
pub fn signal(name: &str, process: impl std::fmt::Display) -> bool {
    let kill = format!("kill -{name} {process}");
    Command::new("sh")
        .args(["-c", &kill])
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}
