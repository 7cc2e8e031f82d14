//! The pages of the workbench.

mod collapse;
mod collapse_charts;
mod collapse_instruments;
mod collapse_pairs;
mod collapse_scrubber;
mod collapse_series;
mod compare;
mod compare_arms;
mod compare_data;
mod compare_list;
mod compare_sample;
mod compare_summary;
mod experiment_form;
mod runs;
mod train;
mod train_hands;

pub use collapse::collapse_ui;
pub use compare::compare_ui;
pub use runs::runs_ui;
pub use train::train_ui;
