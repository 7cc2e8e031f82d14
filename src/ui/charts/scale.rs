//! The y axis, linear or logarithmic: the plot knows linear axes only, so a logarithmic one is drawn as `log10 y`.

use egui_plot::{GridInput, GridMark};

use crate::ui::format::{fixed, number};

/// How values become heights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As they are.
    #[default]
    Linear,
    /// By `log10`; values that are not positive have no place on it.
    Log,
}

impl Scale {
    /// The height of a value; none when it has no place on this axis.
    pub fn height(self, value: f64) -> Option<f64> {
        match self {
            Self::Linear => value.is_finite().then_some(value),
            Self::Log => (value > 0.0 && value.is_finite()).then(|| value.log10()),
        }
    }

    /// The value at a height.
    pub fn value(self, height: f64) -> f64 {
        match self {
            Self::Linear => height,
            Self::Log => 10_f64.powf(height),
        }
    }

    /// The text beside a grid line at a height.
    pub fn tick(self, height: f64) -> String {
        match self {
            Self::Linear => tick(height),
            Self::Log => {
                let value = 10_f64.powf(height);
                if (0.001..1e4).contains(&value) {
                    tick(value)
                } else {
                    format!("{value:.0e}").replace('-', "−")
                }
            }
        }
    }
}

/// A grid value without trailing zeros, with a minus that is as wide as a plus.
pub fn tick(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if value.abs() >= 1000.0 {
        return number(value);
    }
    if value.abs() < 1e-3 {
        let text = format!("{value:.2e}").replace('-', "−");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let text = fixed(value, 4);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Grid lines of a logarithmic axis, in `log10`: the powers of ten, and 2 and 5 times them where there is room.
pub fn log_marks(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let (Some(first), Some(last)) = (exponent(low.floor()), exponent(high.ceil())) else {
        return Vec::new();
    };
    let narrow = high - low < 2.5;
    // At most about twenty lines: of many decades only every n-th.
    let stride = ((last - first) / 20 + 1).max(1);
    let mut marks = Vec::new();
    for power in (first..=last).filter(|power| power.rem_euclid(stride) == 0) {
        let decade = f64::from(power);
        marks.push(GridMark {
            value: decade,
            step_size: 1.0,
        });
        if narrow {
            marks.extend([2.0_f64, 5.0].map(|digit| GridMark {
                value: decade + digit.log10(),
                step_size: 0.4,
            }));
        }
    }
    marks.retain(|mark| (low..=high).contains(&mark.value));
    marks
}

fn exponent(value: f64) -> Option<i32> {
    (value.is_finite() && value.abs() < 400.0).then_some(value as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(low: f64, high: f64) -> Vec<f64> {
        let input = GridInput {
            bounds: (low, high),
            base_step_size: 0.1,
        };
        log_marks(input).iter().map(|mark| mark.value).collect()
    }

    #[test]
    fn powers_of_ten_are_marked() {
        assert_eq!(marks(-4.2, 1.5), [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0]);
        let labels: Vec<String> = marks(-4.2, 1.5).iter().map(|mark| Scale::Log.tick(*mark)).collect();
        assert_eq!(labels, ["1e−4", "0.001", "0.01", "0.1", "1", "10"]);
    }

    #[test]
    fn a_narrow_range_has_marks_between() {
        let labels: Vec<String> = marks(0.1, 0.9).iter().map(|mark| Scale::Log.tick(*mark)).collect();
        assert_eq!(labels, ["2", "5"]);
    }

    #[test]
    fn many_decades_have_few_marks_and_odd_bounds_none() {
        assert!(marks(-200.0, 200.0).len() <= 21);
        assert!(marks(f64::NAN, 1.0).is_empty());
    }

    #[test]
    fn ticks_have_no_zeros_to_spare() {
        assert_eq!(
            [0.0, 0.25, 2.0, 0.0004, 1.5e-6, -3e-5].map(tick),
            ["0", "0.25", "2", "4e−4", "1.5e−6", "−3e−5"]
        );
    }

    #[test]
    fn what_is_not_positive_has_no_height() {
        assert_eq!(Scale::Log.height(0.0), None);
        assert_eq!(Scale::Log.height(-1.0), None);
        assert_eq!(Scale::Log.height(100.0), Some(2.0));
        assert_eq!(Scale::Linear.height(f64::NAN), None);
        assert!((Scale::Log.value(2.0) - 100.0).abs() < 1e-9);
    }
}
