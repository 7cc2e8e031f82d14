//! The run folder: a run is a folder of plain files, and the only thing that the workbench and the reports read.
//!
//! Lines are appended whole and synced, other files are written under a temporary name and renamed, so a run can be read while
//! another process writes it, and copied to another machine.

mod alarms;
mod completed;
mod csv;
mod error;
mod files;
mod follower;
mod fork;
mod header;
mod history;
mod layout;
mod lines;
mod list;
mod live;
mod part;
mod probes;
mod recording;
mod records;
mod retention;
mod review;
mod rewind;
mod run;
mod sweep;
mod writer;

pub use alarms::RunAlarms;
pub use completed::Completed;
pub use csv::csv_field;
pub use error::RunError;
pub use files::{NamedTensor, write_whole};
pub use follower::RunFollower;
pub use fork::fork;
use header::{checked_manifest, read_experiment};
pub use history::{Hands, hands, interventions, live_events};
pub use list::{RunEntry, delete, is_run, list, restore};
pub use part::{EvaluationPart, PartKey};
pub use probes::{ProbeNumbers, Probes, TokenSample};
pub use recording::{Change, Packed, Recordings, pack};
pub use records::*;
pub use review::{
    Agreement, Answer, ByAnswer, Pair, PairResult, Position, Question, Relation, ReviewDesign, ReviewMaterial,
    ReviewPlan, ReviewResults, ReviewSentence, ReviewTable, Reviewer, Reviews, Vote, record_vote, take_vote_back,
};
pub use run::{Checkpoint, Run, RunStatus, name_of};
pub use sweep::{
    Column, Outcome, SampleKey, Sweep, SweepDifference, SweepEntry, SweepRow, SweepTable, TrialEntry, TrialRecord,
    TrialStatus, TrialWriter, create_sweep, sweeps, write_table,
};
pub use writer::RunWriter;
