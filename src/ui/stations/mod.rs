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
mod evaluation_rows;
mod experiment_form;
mod retrieve;
mod retrieve_data;
mod retrieve_list;
mod retrieve_sample;
mod runs;
mod runs_cells;
mod runs_chosen;
mod runs_controls;
mod runs_curves;
mod runs_evaluations;
mod runs_rows;
mod runs_settings;
mod runs_table;
mod sweep;
mod train;
mod train_hands;

pub use collapse::collapse_ui;
pub use compare::compare_ui;
pub use retrieve::retrieve_ui;
pub use runs::runs_ui;
pub use train::train_ui;
