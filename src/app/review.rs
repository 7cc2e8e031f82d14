//! A blind review as the workbench knows it: what is asked, what was answered, what the votes say.

mod reading;
mod work;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::reading::Reading;
use crate::corpus::Split;
use crate::evaluation::Arm;
use crate::runs::{Answer, Question, ReviewDesign, ReviewMaterial, ReviewPlan, ReviewResults, Vote};

/// Samples of a review where nobody says otherwise: at most 60 questions with three arms.
const SAMPLES: usize = 20;

/// What a person does in a blind review.
#[derive(Clone, Debug)]
pub enum ReviewAction {
    /// Back to the Compare station.
    Close,
    /// To the page where a review begins.
    Setup,
    /// What the form says now.
    SetForm(ReviewForm),
    /// Ask the questions of the form.
    Begin,
    /// Go on with an earlier review.
    GoOn(ReviewDesign, String),
    /// Show the true line before the vote.
    ShowTarget,
    /// The answer to the question that is shown.
    Vote(Answer),
    /// Take the last vote back.
    Undo,
    /// Give the vote again that was taken back last.
    Redo,
    /// What the votes of a review say.
    Results(ReviewDesign),
    /// Path of exported files, without ending.
    SetExportPath(String),
    /// Write the votes to `<path>.csv` and `<path>.jsonl`.
    Export,
}

/// What of a review is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReviewPage {
    /// Who reviews what, and earlier reviews.
    #[default]
    Setup,
    /// Two completions and four answers.
    Asking,
    /// Win rates, agreement, position, metrics.
    Results,
}

/// What a new review asks.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewForm {
    /// Name of the reviewer.
    pub reviewer: String,
    /// Step and split of the evaluation.
    pub evaluation: (usize, Split),
    /// Arms to compare.
    pub arms: Vec<Arm>,
    /// Samples to draw.
    pub samples: usize,
    /// Draws them.
    pub seed: u64,
}

impl Default for ReviewForm {
    fn default() -> Self {
        Self {
            reviewer: String::new(),
            evaluation: (0, Split::Validation),
            arms: vec![Arm::NoContext, Arm::Compressed, Arm::FullRag],
            samples: SAMPLES,
            seed: 1,
        }
    }
}

impl ReviewForm {
    fn design(&self) -> ReviewDesign {
        ReviewDesign {
            step: self.evaluation.0,
            split: self.evaluation.1,
            arms: self.arms.clone(),
            samples: self.samples,
            seed: self.seed,
        }
    }

    fn name(&self) -> &str {
        self.reviewer.trim()
    }
}

/// A review that has votes.
#[derive(Clone, Debug)]
pub struct EarlierReview {
    /// What it asks.
    pub design: ReviewDesign,
    /// Who answers, and how many questions have an answer.
    pub reviewers: Vec<(String, usize)>,
    /// Questions of each reviewer; none when its evaluation is no longer there.
    pub questions: Option<usize>,
}

/// One reviewer at work.
#[derive(Debug)]
pub struct ReviewSession {
    /// What the review asks.
    pub design: ReviewDesign,
    /// Name of the reviewer.
    pub reviewer: String,
    /// The questions.
    pub plan: ReviewPlan,
    /// What they are about.
    pub material: Arc<ReviewMaterial>,
    /// The true line is shown.
    pub target_shown: bool,
    votes: Vec<Vote>,
    /// Votes taken back, the last one last.
    taken_back: Vec<Vote>,
    /// Place of the question that is asked.
    at: Option<usize>,
    asked: Timestamp,
}

impl ReviewSession {
    /// The question that is asked; none when all are answered.
    pub fn question(&self) -> Option<&Question> {
        self.plan.questions.get(self.at?)
    }

    /// Questions that are answered.
    pub fn answered(&self) -> usize {
        self.votes.len()
    }

    /// The last vote.
    pub fn last(&self) -> Option<&Vote> {
        self.votes.last()
    }

    /// The vote that was taken back last.
    pub fn last_taken_back(&self) -> Option<&Vote> {
        self.taken_back.last()
    }

    /// Turns to the first question without an answer.
    fn ask_next(&mut self, now: Timestamp) {
        let answered: BTreeSet<_> = self.votes.iter().map(Vote::pair).collect();
        let open = |question: &Question| !answered.contains(&question.pair);
        self.at = self.plan.questions.iter().position(open);
        self.asked = now;
        self.target_shown = false;
    }
}

/// What the votes of a review say, and what they are about.
#[derive(Debug)]
pub struct ReviewFindings {
    /// What they say.
    pub results: ReviewResults,
    /// The completions that were voted on.
    pub material: Arc<ReviewMaterial>,
}

/// Everything that the pages of a review read.
#[derive(Default)]
pub struct ReviewDesk {
    /// The run that is reviewed; none while no review is open.
    pub run: Option<PathBuf>,
    /// What is shown.
    pub page: ReviewPage,
    /// What a new review would ask.
    pub form: ReviewForm,
    /// The evaluation that the form names.
    pub material: Reading<Arc<ReviewMaterial>>,
    /// Its questions.
    pub drawn: ReviewPlan,
    /// Why it cannot begin.
    pub problem: Option<String>,
    /// Reviews of this run that have votes.
    pub earlier: Reading<Vec<EarlierReview>>,
    /// The reviewer at work.
    pub session: Reading<ReviewSession>,
    /// What the votes of a review say.
    pub findings: Reading<ReviewFindings>,
    /// What brought the page that is shown; the same again when it could not be read.
    pub asked: Option<ReviewAction>,
    /// Path of exported files, without ending.
    pub export_path: String,
    /// The name field takes the keyboard.
    pub focus_name: bool,
}

impl ReviewDesk {
    /// A review of the form can begin.
    pub fn is_ready(&self) -> bool {
        self.material.here().is_some() && self.problem.is_none()
    }

    /// Draws what the form asks, or says why it cannot begin; nothing while the completions are not here.
    fn draw(&mut self) {
        (self.drawn, self.problem) = Default::default();
        let Some(material) = self.material.here() else { return };
        let has = material.arms();
        self.form.arms.retain(|arm| has.contains(arm));
        self.drawn = ReviewPlan::draw(&self.form.design(), self.form.name(), material);
        self.problem = if self.form.arms.len() < 2 {
            Some("choose at least two arms".into())
        } else if self.form.name().is_empty() {
            Some("type the reviewer's name: votes are kept under it".into())
        } else if self.drawn.samples.is_empty() {
            Some("nothing to ask: the run keeps no sample that all these arms completed".into())
        } else if self.drawn.questions.is_empty() {
            Some("nothing to ask: the arms wrote the same on every sample drawn".into())
        } else {
            None
        };
    }
}
