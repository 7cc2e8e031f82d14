//! Progress on standard error: one line that overwrites itself on a terminal, a plain line now and then elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The progress line.
pub struct ProgressLine {
    terminal: bool,
    shown: Option<Instant>,
}

impl ProgressLine {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self {
            terminal: io::stderr().is_terminal(),
            shown: None,
        }
    }

    /// Shows how far it has come. A progress line that cannot be written is no reason to stop.
    pub fn show(&mut self, text: &str) {
        if self.terminal {
            write!(io::stderr(), "\r{text}\x1b[K").ok();
        } else if self.shown.is_none_or(|shown| shown.elapsed() >= LINE_EVERY) {
            writeln!(io::stderr(), "{text}").ok();
        } else {
            return;
        }
        self.shown = Some(Instant::now());
    }

    /// Takes the line away, so that something else can be written.
    pub fn clear(&mut self) {
        if self.terminal && self.shown.take().is_some() {
            write!(io::stderr(), "\r\x1b[K").ok();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Bytes as a person reads them, in decimal units.
pub fn bytes_text(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// A time left as a person reads it.
pub fn seconds_text(seconds: f64) -> String {
    match seconds.round() as u64 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(bytes_text(1_500), "1.5 kB");
        assert_eq!(bytes_text(92_871_040), "92.9 MB");
        assert_eq!(bytes_text(3_095_000_000), "3.10 GB");
        assert_eq!(seconds_text(59.4), "59 s");
        assert_eq!(seconds_text(61.0), "1 min 01 s");
        assert_eq!(seconds_text(3725.0), "1 h 02 min");
    }
}
