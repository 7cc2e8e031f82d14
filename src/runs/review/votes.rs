//! `reviews.jsonl`: every vote of every reviewer, appended the moment it is given.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::{Pair, ReviewDesign};
use crate::evaluation::Arm;
use crate::runs::lines::{LineReader, LineWriter};
use crate::runs::{RunError, layout};

/// What a reviewer said of two completions.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Answer {
    /// The left one is better.
    Left,
    /// The right one is better.
    Right,
    /// Both are equally good.
    Tie,
    /// Neither is of any use.
    BothBad,
}

/// One vote. It tells everything that it was given about, so that the file can be read without the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// RFC 3339 time.
    pub time: String,
    /// Name of the reviewer.
    pub reviewer: String,
    /// The review that it belongs to.
    pub review: ReviewDesign,
    /// Id of the sample.
    pub sample: String,
    /// The arm on the left.
    pub left: Arm,
    /// The arm on the right.
    pub right: Arm,
    /// What stood on the left.
    pub left_text: String,
    /// What stood on the right.
    pub right_text: String,
    /// What was said.
    pub answer: Answer,
    /// Seconds from the question to the answer.
    pub seconds: f64,
    /// The true line was seen before the answer.
    pub target_seen: bool,
}

impl Vote {
    /// What was compared.
    pub fn pair(&self) -> Pair {
        let place = |arm: Arm| self.review.arms.iter().position(|other| *other == arm);
        let (one, other) = match place(self.left) > place(self.right) {
            true => (self.left, self.right),
            false => (self.right, self.left),
        };
        Pair {
            sample: self.sample.clone(),
            one,
            other,
        }
    }

    /// The arm that was found better; none for a tie and where both are bad.
    pub fn winner(&self) -> Option<Arm> {
        match self.answer {
            Answer::Left => Some(self.left),
            Answer::Right => Some(self.right),
            Answer::Tie | Answer::BothBad => None,
        }
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Vote(Vote),
    /// The last vote of this reviewer in this review that still stands is taken back.
    Undo {
        time: String,
        reviewer: String,
        review: ReviewDesign,
    },
}

/// The votes of a run that stand.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    /// In the order given, those that were taken back left out.
    pub votes: Vec<Vote>,
    /// Lines that could not be read.
    pub warnings: Vec<String>,
}

impl Reviews {
    /// Reads the votes in a run's folder; a missing file holds none, and a torn last line is left out with a warning.
    pub fn read(folder: &Path) -> Result<Self, RunError> {
        let mut reader = LineReader::new(layout::reviews(folder));
        let mut reviews = Self::default();
        for line in reader.read::<Line>(&mut reviews.warnings)? {
            match line {
                Line::Vote(vote) => reviews.votes.push(vote),
                Line::Undo { reviewer, review, .. } => {
                    let is_last = |vote: &Vote| vote.reviewer == reviewer && vote.review == review;
                    if let Some(at) = reviews.votes.iter().rposition(is_last) {
                        reviews.votes.remove(at);
                    }
                }
            }
        }
        reviews.warnings.extend(reader.torn_warning());
        // Two windows of one reviewer may ask the same; the later answer stands.
        let mut known = BTreeSet::new();
        reviews.votes.reverse();
        let is_new = |vote: &Vote| known.insert((vote.reviewer.clone(), vote.review.clone(), vote.pair()));
        reviews.votes.retain(is_new);
        reviews.votes.reverse();
        Ok(reviews)
    }

    /// The reviews that have votes, in the order begun.
    pub fn designs(&self) -> Vec<&ReviewDesign> {
        let mut designs: Vec<&ReviewDesign> = Vec::new();
        for vote in &self.votes {
            if !designs.contains(&&vote.review) {
                designs.push(&vote.review);
            }
        }
        designs
    }

    /// The votes of one review.
    pub fn of<'a>(&'a self, design: &'a ReviewDesign) -> impl Iterator<Item = &'a Vote> {
        self.votes.iter().filter(move |vote| vote.review == *design)
    }

    /// Who voted in a review, in the order begun.
    pub fn reviewers<'a>(&'a self, design: &'a ReviewDesign) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        for vote in self.of(design) {
            if !names.contains(&vote.reviewer.as_str()) {
                names.push(&vote.reviewer);
            }
        }
        names
    }
}

/// Appends a vote to the file of a run's folder; it is on the disk before the call returns. A last line that a crash left torn is
/// cut off first.
pub fn record_vote(folder: &Path, vote: &Vote) -> Result<(), RunError> {
    append(folder, Line::Vote(vote.clone()))
}

/// Takes back the last vote of a reviewer in a review; the line stays, and so does the file's history.
pub fn take_vote_back(folder: &Path, time: String, reviewer: &str, review: &ReviewDesign) -> Result<(), RunError> {
    let undo = Line::Undo {
        time,
        reviewer: reviewer.to_owned(),
        review: review.clone(),
    };
    append(folder, undo)
}

fn append(folder: &Path, line: Line) -> Result<(), RunError> {
    LineWriter::open(layout::reviews(folder))?.append(&[line])
}
