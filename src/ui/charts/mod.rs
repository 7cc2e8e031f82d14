//! Charts: title, menu, legend, export and hover text in one look; every chart reads numbers and answers what was pointed at.

mod axes;
mod curve;
mod export;
mod frame;
mod heatmap;
mod histogram;
mod keys;
mod legend;
mod line;
mod local;
mod pyramid;
mod ridge;
mod run_charts;
mod run_curves;
mod scale;
mod series;
mod smoothing;
mod spark;
mod table;

pub use frame::ChartFrame;
pub use heatmap::Heatmap;
pub use histogram::{Axes, HistogramChart, edges};
pub use line::{Flag, LineChart, Pointed};
pub use local::local;
pub use pyramid::{Pyramid, Slice};
pub use ridge::RidgeChart;
pub use run_charts::run_charts_ui;
pub use run_curves::common_split;
pub use scale::{Scale, log_marks, tick};
pub use series::Series;
pub use smoothing::smooth;
pub use spark::{SparkLine, spark_ui};
pub use table::Table;
