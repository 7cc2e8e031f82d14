//! LLavaCode workbench: trains and inspects the projector that turns retrieved code into soft tokens (arXiv 2510.19644).
//!
//! Data goes one way. A module imports only from modules above it in this list, `tests/architecture.rs` holds it to that.

pub mod experiment;

pub mod corpus;

pub mod retrieval;

pub mod models;

pub mod projector;

pub mod prompt;

pub mod collapse;
pub mod evaluation;
pub mod training;

pub mod runs;

pub mod engine;

pub mod app;
pub mod cli;
pub mod ui;
