//! What evaluations can be compared by: the difference of a score to no context, and the rates at which an arm loses and gains.

use crate::evaluation::{ArmSummary, Interval, SCORE_INFO, ScoreInfo};

/// A number of an arm with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Difference of a score to no context, by its place among the scores.
    Score(usize),
    /// Full RAG right and the arm wrong.
    Overflow,
    /// The arm right and no context wrong.
    Boost,
}

/// Every metric, scores first.
pub const METRICS: [Metric; SCORE_INFO.len() + 2] = {
    let mut all = [Metric::Overflow; SCORE_INFO.len() + 2];
    let mut place = 0;
    while place < SCORE_INFO.len() {
        all[place] = Metric::Score(place);
        place += 1;
    }
    all[SCORE_INFO.len() + 1] = Metric::Boost;
    all
};

impl Metric {
    fn score(self) -> Option<&'static ScoreInfo> {
        match self {
            Self::Score(place) => SCORE_INFO.get(place),
            Self::Overflow | Self::Boost => None,
        }
    }

    fn is_share(self) -> bool {
        self.score().is_none_or(|info| info.unit == "0 to 1")
    }

    /// Whether it is held against no context, whose own is zero.
    pub fn is_difference(self) -> bool {
        self.score().is_some()
    }

    /// The name a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Score(_) => self.score().map_or("", |info| info.label),
            Self::Overflow => "overflow rate",
            Self::Boost => "boost rate",
        }
    }

    /// The title of its chart.
    pub fn title(self) -> String {
        match self {
            Self::Score(_) => format!("{}: difference to no context", self.label()),
            Self::Overflow | Self::Boost => self.label().to_owned(),
        }
    }

    /// The definition in one line.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Score(_) => self.score().map_or("", |info| info.definition),
            Self::Overflow => "share of the samples that full RAG has right and the arm wrong (exact match of tokens)",
            Self::Boost => "share of the samples that the arm has right and no context wrong (exact match of tokens)",
        }
    }

    /// The unit of its values.
    pub fn unit(self) -> &'static str {
        match self.score().map(|info| info.unit) {
            None => "% of samples",
            Some("0 to 1") => "percentage points",
            Some("0 to 100") => "points of 100",
            Some(unit) => unit,
        }
    }

    /// Decimals of its values.
    pub fn decimals(self) -> usize {
        match self.score() {
            Some(info) if !self.is_share() => info.decimals,
            _ => 1,
        }
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        self.score().map_or(self == Self::Boost, |info| info.higher_is_better)
    }

    /// Its value for an arm, in its unit; none where it is not measured.
    pub fn of(self, arm: &ArmSummary) -> Option<Interval> {
        let found = match self {
            Self::Score(_) => *arm.difference.get(self.score()?.key)?,
            Self::Overflow => arm.overflow?,
            Self::Boost => arm.boost?,
        };
        let factor = if self.is_share() { 100.0 } else { 1.0 };
        Some(Interval {
            mean: found.mean * factor,
            low: found.low * factor,
            high: found.high * factor,
        })
    }
}
