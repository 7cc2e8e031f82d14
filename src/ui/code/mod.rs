//! Code on screen: highlighted with line numbers, and differences between two lines.

mod differences;
mod listing;

pub use differences::{Change, changes, differences_job, differing};
pub use listing::{Listing, code_theme, highlighted, line_numbers};
