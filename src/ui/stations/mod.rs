//! The pages of the workbench.

mod collapse;
mod collapse_instruments;
mod collapse_pairs;
mod collapse_scrubber;
mod collapse_series;
mod compare;
mod experiment_form;
mod runs;
mod train;

pub use collapse::collapse_ui;
pub use compare::compare_ui;
pub use runs::runs_ui;
pub use train::train_ui;
