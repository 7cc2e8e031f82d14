//! The workbench with no subcommand, headless with one.

fn main() {}
