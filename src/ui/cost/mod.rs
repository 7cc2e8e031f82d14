//! What arms cost and what they are worth: the points that the Cost station and the report draw.

mod metrics;
mod points;

pub use metrics::{Cost, Quality, interval_text};
pub use points::{Entry, entries, missing, numbers, points, splits};
