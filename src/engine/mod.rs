//! The worker: one thread does all tensor work, as a queue of jobs cut into steps. Commands go in, events come out.
//!
//! Curves, probes and evaluations do not travel as events: the run folder is the only thing that the workbench reads
//! (`runs::RunFollower`), so a run of this process, of another process and of last week are shown by the same code.

mod messages;

pub use messages::*;
