//! What a review takes from the folder of a run, read by threads of their own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::{EarlierReview, ReviewFindings, ReviewSession};
use crate::corpus::Split;
use crate::runs::{ReviewDesign, ReviewMaterial, ReviewPlan, ReviewResults, Reviews, Run, RunError};

/// An evaluation in the folder of a run, by step and split.
pub(super) struct Source {
    pub folder: PathBuf,
    pub evaluation: (usize, Split),
    /// What was read of it before.
    pub known: Option<Arc<ReviewMaterial>>,
}

impl Source {
    /// The samples and completions.
    pub fn material(&self) -> Result<Arc<ReviewMaterial>, RunError> {
        let (step, split) = self.evaluation;
        match &self.known {
            Some(known) => Ok(Arc::clone(known)),
            None => ReviewMaterial::read(&Run::open(&self.folder)?, step, split).map(Arc::new),
        }
    }

    /// A reviewer at the first question that has no answer yet.
    pub fn session(self, design: ReviewDesign, reviewer: String, now: Timestamp) -> Result<ReviewSession, RunError> {
        let material = self.material()?;
        let reviews = Reviews::read(&self.folder)?;
        let votes = reviews.of(&design).filter(|vote| vote.reviewer == reviewer);
        let mut session = ReviewSession {
            plan: ReviewPlan::draw(&design, &reviewer, &material),
            votes: votes.cloned().collect(),
            taken_back: Vec::new(),
            target_shown: false,
            at: None,
            asked: now,
            material,
            design,
            reviewer,
        };
        session.ask_next(now);
        Ok(session)
    }

    /// What the votes of a review say.
    pub fn findings(self, design: &ReviewDesign) -> Result<ReviewFindings, RunError> {
        let material = self.material()?;
        let results = ReviewResults::of(design, &Reviews::read(&self.folder)?, &material);
        Ok(ReviewFindings { results, material })
    }
}

/// The reviews of a run that have votes; each evaluation is read once.
pub(super) fn earlier(folder: PathBuf) -> Result<Vec<EarlierReview>, RunError> {
    let reviews = Reviews::read(&folder)?;
    let run = Run::open(&folder)?;
    let mut materials: BTreeMap<(usize, Split), Option<ReviewMaterial>> = BTreeMap::new();
    let designs = reviews.designs().into_iter();
    let of = |design: &ReviewDesign| {
        let evaluation = (design.step, design.split);
        let read = || ReviewMaterial::read(&run, design.step, design.split).ok();
        let material = materials.entry(evaluation).or_insert_with(read);
        let count = |name: &str| reviews.of(design).filter(|vote| vote.reviewer == name).count();
        let names = reviews.reviewers(design).into_iter();
        EarlierReview {
            design: design.clone(),
            reviewers: names.map(|name| (name.to_owned(), count(name))).collect(),
            questions: material
                .as_ref()
                .map(|material| ReviewPlan::draw(design, "", material).questions.len()),
        }
    };
    Ok(designs.map(of).collect())
}
