//! Whether the reader tells soft tokens apart, in a sentence. Geometry cannot say it: soft tokens that share a large component look
//! collapsed and may be read well, and others keep every angle and are not read at all.

use super::EvaluationSummary;

impl EvaluationSummary {
    /// What soft tokens of another repository cost in place of a sample's own; none without that control.
    pub fn content_sentence(&self) -> Option<String> {
        let difference = self.content.get("cross_entropy")?;
        let [cost, low, high] = [-difference.mean, -difference.high, -difference.low];
        let outcome = if low > 0.0 {
            "The reader tells them apart"
        } else if high < 0.0 {
            "The reader is misled by them"
        } else {
            "The reader does not tell them apart"
        };
        Some(format!(
            "{outcome}: soft tokens of another repository change cross-entropy by {cost:+.3} [{low:+.3}, {high:+.3}] nats a token \
             (step {}, {}, n = {}).",
            self.step, self.split, self.samples
        ))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use crate::corpus::Split;
    use crate::evaluation::{EvaluationSummary, Interval, summarise};

    fn summary(mean: f64, low: f64, high: f64) -> EvaluationSummary {
        let mut summary = summarise(&[], |_| String::new(), Split::Validation, 84, 1);
        summary.samples = 48;
        summary
            .content
            .insert("cross_entropy".to_owned(), Interval { mean, low, high });
        summary
    }

    #[test]
    fn an_interval_on_one_side_of_zero_decides() {
        let said = |mean, low, high| summary(mean, low, high).content_sentence().unwrap();
        assert_eq!(
            said(-0.36, -0.43, -0.28),
            "The reader tells them apart: soft tokens of another repository change cross-entropy by +0.360 [+0.280, +0.430] nats a token \
             (step 84, validation, n = 48)."
        );
        assert!(said(-0.01, -0.03, 0.01).starts_with("The reader does not tell them apart"));
        assert!(said(0.2, 0.1, 0.3).starts_with("The reader is misled by them"));
    }

    #[test]
    fn without_the_control_nothing_is_said() {
        let mut summary = summary(0.0, 0.0, 0.0);
        summary.content.clear();
        assert_eq!(summary.content_sentence(), None);
    }
}
