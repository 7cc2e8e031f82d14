//! The pages of the workbench.

mod collapse;
mod compare;

pub use collapse::collapse_ui;
pub use compare::compare_ui;
