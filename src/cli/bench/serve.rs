//! The side that works: loads, says so, and does one repetition for each line that it reads.

use std::io::{self, BufRead as _};

use crate::cli::output::say;
use crate::cli::session::JobError;
use crate::engine::{Bench, BenchSettings, STACK_BYTES};

/// Serves until standard input ends.
pub fn serve(settings: BenchSettings) -> anyhow::Result<()> {
    // The reader's graph on a GPU is as deep here as in the engine.
    let thread = std::thread::Builder::new()
        .name("bench".into())
        .stack_size(STACK_BYTES)
        .spawn(move || work(settings))?;
    thread.join().unwrap_or_else(|_panic| {
        let message = "the work failed, see above".to_owned();
        let bad_input = false;
        Err(JobError::Failed { message, bad_input }.into())
    })
}

fn work(settings: BenchSettings) -> anyhow::Result<()> {
    let mut bench = Bench::load(settings)?;
    say(r#"{"ready": true}"#)?;
    for line in io::stdin().lock().lines() {
        line?;
        say(serde_json::to_string(&bench.repeat()?)?)?;
    }
    Ok(())
}
