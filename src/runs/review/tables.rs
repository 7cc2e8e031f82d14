//! The results of a review as tables and sentences, for the screen, the terminal and the report.

use super::results::{PairResult, ReviewResults};
use crate::evaluation::Interval;

/// A table of results.
pub struct ReviewTable {
    /// What it tells.
    pub title: &'static str,
    /// The columns: name and meaning.
    pub heads: &'static [(&'static str, &'static str)],
    /// One text a column.
    pub rows: Vec<Vec<String>>,
}

/// A sentence of results.
pub struct ReviewSentence {
    /// The sentence.
    pub text: String,
    /// How its number is defined.
    pub meaning: &'static str,
}

const PAIRS: &[(&str, &str)] = &[
    ("arms", "Shares are those of the first one"),
    ("votes", "Votes for the first and for the second"),
    ("tie", "Votes: equally good"),
    ("both bad", "Votes: neither is of any use"),
    (
        "identical",
        "Samples on which both wrote the same; not asked, ties by construction",
    ),
    ("open", "Samples that nobody has judged yet"),
    ("wins, %", "Votes for the first among votes for either"),
    (
        "preference, %",
        "Mean over judged samples of 1 for a vote for the first, 0 for the second, ½ for a tie or both bad; votes of several \
         reviewers on a sample are averaged first",
    ),
    ("with identical, %", "The same with identical completions as ties"),
];

const REVIEWERS: &[(&str, &str)] = &[
    ("name", "As typed"),
    ("answered", "Questions answered"),
    ("left : right", "Votes by side"),
    ("median seconds", "From question to answer"),
];

const METRICS: &[(&str, &str)] = &[
    ("answer", "Left and right taken together"),
    ("votes", "How often it was given"),
    (
        "ES of the preferred",
        "Mean edit similarity (Levenshtein, 0 to 100) of the preferred completion; of the better one where none is preferred",
    ),
    ("ES of the other", "Mean edit similarity of the other one"),
    (
        "difference",
        "Mean difference of the two; not below 0 by construction where none is preferred",
    ),
];

impl ReviewResults {
    /// Votes by pair of arms, by reviewer, and beside the metrics. Intervals are 95%, by repository.
    pub fn tables(&self) -> [ReviewTable; 3] {
        let reviewers = self.reviewers.iter().map(|one| {
            let [left, right] = one.sides;
            let answered = format!("{} of {}", one.answered, one.questions);
            vec![
                one.name.clone(),
                answered,
                format!("{left} : {right}"),
                format!("{:.1}", one.seconds),
            ]
        });
        let metrics = self.relation.by_answer.iter().map(|one| {
            vec![
                one.answer.to_owned(),
                one.votes.to_string(),
                format!("{:.1}", one.first),
                format!("{:.1}", one.second),
                one.difference.text(1),
            ]
        });
        [
            ReviewTable {
                title: "votes by pair of arms",
                heads: PAIRS,
                rows: self.pairs.iter().map(pair_row).collect(),
            },
            ReviewTable {
                title: "reviewers",
                heads: REVIEWERS,
                rows: reviewers.collect(),
            },
            ReviewTable {
                title: "votes beside edit similarity",
                heads: METRICS,
                rows: metrics.collect(),
            },
        ]
    }

    /// Position, agreement, and how votes go with the metrics.
    pub fn sentences(&self) -> Vec<ReviewSentence> {
        let position = self.position;
        let mut sentences = vec![ReviewSentence {
            text: format!(
                "Position: {} of {} votes for either side went to the left, p = {:.3} (exact binomial test of 50%).",
                position.left,
                position.left + position.right,
                position.p
            ),
            meaning: "The side of every question is drawn by a coin: a reviewer whom sides do not sway votes left half of the time, \
                      whichever arm is better",
        }];
        let told = |value: Option<f64>| value.map_or_else(|| "not defined".into(), |value| format!("{value:.2}"));
        sentences.extend(self.agreement.iter().map(|one| ReviewSentence {
            text: format!(
                "Agreement of {} and {}: {:.0}% of {} common questions, Cohen's κ = {}.",
                one.reviewers[0],
                one.reviewers[1],
                100.0 * one.equal,
                one.questions,
                told(one.kappa)
            ),
            meaning: "κ = (p_o − p_e) / (1 − p_e): the share of equal answers beyond what chance gives (Cohen 1960). Answers: first \
                      arm, second arm, tie, both bad",
        }));
        match self.reviewers.len() {
            0 | 1 => sentences.push(ReviewSentence {
                text: "Agreement needs a second reviewer: the same seed asks the same questions.".into(),
                meaning: "",
            }),
            2 => {}
            _ => sentences.push(ReviewSentence {
                text: format!("Agreement of all: Krippendorff's α = {} (nominal).", told(self.alpha)),
                meaning: "α = 1 − D_o / D_e: disagreement seen over the one expected by chance; questions with one vote do not count \
                          (Krippendorff 2011)",
            }),
        }
        let relation = &self.relation;
        let shares = [
            (
                relation.higher_es,
                relation.es_votes,
                "the higher edit similarity",
                "two completions differ in it",
            ),
            (
                relation.exact,
                relation.exact_votes,
                "the exact match (tokens)",
                "one of two completions is one",
            ),
        ];
        sentences.extend(shares.into_iter().filter_map(|(share, votes, what, when)| {
            Some(ReviewSentence {
                text: format!(
                    "Where {when}, the preferred one has {what} in {}% of {votes} votes.",
                    percent(share?)
                ),
                meaning: "Of votes for the left or the right one; 95% interval by repository. 50% is no relation",
            })
        }));
        sentences
    }
}

fn pair_row(pair: &PairResult) -> Vec<String> {
    let [one, other, tie, bad] = pair.votes;
    let share = |value: Interval, samples: usize| if samples == 0 { "–".into() } else { percent(value) };
    vec![
        format!("{} : {}", pair.one.label(), pair.other.label()),
        format!("{one} : {other}"),
        tie.to_string(),
        bad.to_string(),
        pair.identical.to_string(),
        pair.open.to_string(),
        pair.wins.map_or_else(|| "–".into(), percent),
        share(pair.preference, pair.judged),
        share(pair.with_identical, pair.judged + pair.identical),
    ]
}

/// A share in percent.
fn percent(share: Interval) -> String {
    share.scaled(100.0).text(1)
}
