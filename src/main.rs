//! The workbench with no subcommand, headless with one.

use std::process::ExitCode;

use clap::Parser as _;
use llavacode::cli::{self, Cli};
use mimalloc::MiMalloc;

/// Training allocates and frees large tensors all the time; the system's allocators are slow at that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
