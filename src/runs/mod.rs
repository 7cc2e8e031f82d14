//! The run folder: a run is a folder of plain files, and the only thing that the workbench and the reports read.

mod records;

pub use records::*;
