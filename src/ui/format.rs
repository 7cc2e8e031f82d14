//! Numbers as a person reads them: three significant digits, intervals, units.

use std::path::Path;

use crate::evaluation::Interval;
use crate::runs::name_of;

/// Three significant digits: `0.234`, `41.3`, `12 345`, `5.12e-4`.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        return "not a number".into();
    }
    if magnitude >= 1000.0 {
        return grouped(value.round() as i64);
    }
    if magnitude == 0.0 {
        return "0".into();
    }
    let scientific = format!("{value:.2e}");
    if magnitude < 1e-3 {
        return scientific.replace('-', "−");
    }
    // The exponent after rounding: 0.9999 is 1.00.
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or_default();
    let digits = usize::try_from(2 - exponent).unwrap_or_default();
    fixed(value, digits)
}

/// With so many digits behind the point, and a minus that is as wide as a plus.
pub fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}").replace('-', "−")
}

/// The same with its sign.
pub fn signed(value: f64, digits: usize) -> String {
    format!("{value:+.digits$}").replace('-', "−")
}

/// A mean with its 95% interval: `0.23 [0.21, 0.25]`.
pub fn interval(interval: Interval) -> String {
    let Interval { mean, low, high } = interval;
    format!("{} [{}, {}]", number(mean), number(low), number(high))
}

/// A whole number with its thousands set apart.
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0 { format!("−{text}") } else { text }
}

/// Bytes: `190 MB`, `1.9 GB`.
pub fn bytes(bytes: u64) -> String {
    let value = bytes as f64;
    match value {
        v if v >= 1e9 => format!("{:.1} GB", v / 1e9),
        v if v >= 1e6 => format!("{:.0} MB", v / 1e6),
        v => format!("{:.0} kB", v / 1e3),
    }
}

/// A duration in words: `40 s`, `3 min`, `2 h 10 min`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", (seconds as f64 / 60.0).round()),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A count and its noun: `1 run`, `3 runs`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number as i64))
}

/// What tells runs apart that are shown together: their names; where two are equal, the folder's name with its date.
pub fn run_labels<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Vec<String> {
    let folders: Vec<&Path> = folders.into_iter().collect();
    let dated = |folder: &Path| folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let whole = |folder: &Path| folder.display().to_string();
    let is_unique = |folder: &Path, label: &dyn Fn(&Path) -> String| {
        let label_of_this = label(folder);
        folders.iter().filter(|other| label(other) == label_of_this).count() < 2
    };
    folders
        .iter()
        .map(|folder| match folder {
            folder if is_unique(folder, &name_of) => name_of(folder),
            folder if is_unique(folder, &dated) => dated(folder),
            folder => whole(folder),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_equal_name_are_told_apart() {
        let label = |folders: &[&str]| run_labels(folders.iter().map(Path::new));
        assert_eq!(label(&["runs/2026-11-24-a", "runs/2026-11-24-b"]), ["a", "b"]);
        assert_eq!(
            label(&["runs/2026-11-24-a", "runs/2026-11-25-a", "runs/2026-11-25-b"]),
            ["2026-11-24-a", "2026-11-25-a", "b"]
        );
        assert_eq!(
            label(&["mine/2026-11-24-a", "yours/2026-11-24-a"]),
            ["mine/2026-11-24-a", "yours/2026-11-24-a"]
        );
    }

    #[test]
    fn three_significant_digits_at_every_size() {
        let shown = [
            0.0, 0.0005, 0.00123, 0.0151, 0.2345, 0.9999, 5.126, 41.27, 412.3, 12345.0, -0.5,
        ]
        .map(number);
        assert_eq!(
            shown,
            [
                "0",
                "5.00e−4",
                "0.00123",
                "0.0151",
                "0.234",
                "1.00",
                "5.13",
                "41.3",
                "412",
                "12\u{202f}345",
                "−0.500"
            ]
        );
    }

    #[test]
    fn durations_and_sizes_carry_units() {
        assert_eq!([3.4, 190.0, 7800.0].map(duration), ["3 s", "3 min", "2 h 10 min"]);
        assert_eq!(
            [900, 190_000_000, 1_900_000_000].map(bytes),
            ["1 kB", "190 MB", "1.9 GB"]
        );
    }
}
