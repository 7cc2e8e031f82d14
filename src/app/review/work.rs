//! Does what a person does in a blind review: votes are on the disk before the next question is shown.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{EarlierReview, ReviewAction, ReviewDesk, ReviewForm, ReviewPage, ReviewSession};
use crate::app::{AppState, OpenRun, Station, in_home};
use crate::corpus::Split;
use crate::engine::Severity;
use crate::evaluation::Arm;
use crate::runs::{
    Answer, ReviewDesign, ReviewMaterial, ReviewPlan, ReviewResults, Reviews, RunError, Vote, record_vote,
    take_vote_back,
};

impl AppState {
    /// The blind review of the run in focus is shown in the place of the Compare station.
    pub fn shows_review(&self) -> bool {
        self.review.run.is_some() && self.review.run == self.focus
    }

    /// The reviewer who is being asked at this moment.
    pub fn reviewing(&self) -> Option<&ReviewSession> {
        let asked = self.station == Station::Compare && self.shows_review() && self.review.page == ReviewPage::Asking;
        self.review.session.as_ref().filter(|_| asked)
    }

    /// Opens the page where a review of the run in focus begins; one that is open stays as it is.
    pub fn open_review(&mut self) {
        self.station = Station::Compare;
        if self.shows_review() {
            return;
        }
        let Some(open) = self.focused() else { return };
        let step = self.selection.step;
        let validation = |split: Split| usize::from(split == Split::Validation);
        let several = open.run().evaluations.iter().filter(|summary| summary.arms.len() > 1);
        let nearest = several.max_by_key(|summary| {
            let near = step.map_or(0, |step| usize::MAX - summary.step.abs_diff(step));
            (near, validation(summary.split), summary.step)
        });
        let evaluation = nearest.map(|summary| (summary.step, summary.split));
        let form = ReviewForm {
            evaluation: evaluation.unwrap_or(self.review.form.evaluation),
            ..self.review.form.clone()
        };
        let folder = open.run().folder.clone();
        let export = in_home(&format!("{}-review", open.run().name()));
        self.review = ReviewDesk {
            run: Some(folder),
            export_path: export.display().to_string(),
            ..ReviewDesk::default()
        };
        self.act_on_review(ReviewAction::SetForm(form));
        self.act_on_review(ReviewAction::Setup);
    }

    /// Does what a person did in a review; what fails is told.
    pub fn act_on_review(&mut self, action: ReviewAction) {
        if let Err(error) = self.try_review(action) {
            self.tell(Severity::Error, error.to_string(), None);
        }
    }

    fn try_review(&mut self, action: ReviewAction) -> Result<(), RunError> {
        let (Some(folder), now) = (self.review.run.clone(), self.now) else {
            return Ok(());
        };
        let Some(open) = self.open_runs.get(&folder) else {
            return Ok(());
        };
        let desk = &mut self.review;
        match action {
            ReviewAction::Close => {
                *desk = ReviewDesk {
                    form: desk.form.clone(),
                    ..ReviewDesk::default()
                }
            }
            ReviewAction::Setup => {
                desk.earlier = earlier(open, &folder)?;
                desk.page = ReviewPage::Setup;
                desk.focus_name = true;
            }
            ReviewAction::SetForm(form) => {
                desk.focus_name = false;
                desk.read(open, form.evaluation)?;
                desk.form = form;
                let has = desk.material.arms();
                desk.form.arms.retain(|arm| has.contains(arm));
                desk.draw();
            }
            ReviewAction::Begin => {
                if desk.problem.is_none() {
                    let (design, reviewer) = (desk.form.design(), desk.form.name().to_owned());
                    begin(desk, open, design, reviewer, now)?;
                }
            }
            ReviewAction::GoOn(design, reviewer) => begin(desk, open, design, reviewer, now)?,
            ReviewAction::ShowTarget => {
                if let Some(session) = &mut desk.session {
                    session.target_shown = true;
                }
            }
            ReviewAction::Vote(answer) => vote(desk, &folder, answer, now)?,
            ReviewAction::Undo => {
                if let Some(session) = &mut desk.session
                    && !session.votes.is_empty()
                {
                    take_vote_back(&folder, now.to_string(), &session.reviewer, &session.design)?;
                    session.taken_back.extend(session.votes.pop());
                    session.ask_next(now);
                    // It was shown after the vote, and cannot be unseen.
                    session.target_shown = true;
                }
            }
            ReviewAction::Redo => {
                if let Some(session) = &mut desk.session
                    && let Some(mut vote) = session.taken_back.pop()
                {
                    vote.time = now.to_string();
                    record_vote(&folder, &vote)?;
                    session.votes.push(vote);
                    session.ask_next(now);
                }
            }
            ReviewAction::Results(design) => {
                desk.read(open, (design.step, design.split))?;
                let reviews = Reviews::read(&folder)?;
                desk.results = Some(ReviewResults::of(&design, &reviews, &desk.material));
                desk.page = ReviewPage::Results;
            }
            ReviewAction::SetExportPath(path) => desk.export_path = path,
            ReviewAction::Export => {
                if let Some(results) = &desk.results {
                    let base = desk.export_path.trim();
                    let [csv, lines] = ["csv", "jsonl"].map(|ending| PathBuf::from(format!("{base}.{ending}")));
                    results.write_csv(&desk.material, &csv)?;
                    results.write_json_lines(&desk.material, &lines)?;
                    let text = format!(
                        "saved {} votes: {} and {}",
                        results.votes.len(),
                        csv.display(),
                        lines.display()
                    );
                    self.tell(Severity::Info, text, None);
                }
            }
        }
        Ok(())
    }
}

/// Reads the votes and turns to the first question that this reviewer has not answered.
fn begin(
    desk: &mut ReviewDesk,
    open: &OpenRun,
    design: ReviewDesign,
    reviewer: String,
    now: Timestamp,
) -> Result<(), RunError> {
    desk.read(open, (design.step, design.split))?;
    let folder = &open.run().folder;
    let reviews = Reviews::read(folder)?;
    let votes = reviews.of(&design).filter(|vote| vote.reviewer == reviewer);
    let mut session = ReviewSession {
        plan: ReviewPlan::draw(&design, &reviewer, &desk.material),
        votes: votes.cloned().collect(),
        taken_back: Vec::new(),
        target_shown: false,
        at: None,
        asked: now,
        design,
        reviewer,
    };
    session.ask_next(now);
    desk.session = Some(session);
    desk.page = ReviewPage::Asking;
    Ok(())
}

/// Writes a vote on the question that is shown and turns to the next one.
fn vote(desk: &mut ReviewDesk, folder: &Path, answer: Answer, now: Timestamp) -> Result<(), RunError> {
    let Some(session) = &mut desk.session else {
        return Ok(());
    };
    let Some(question) = session.question() else {
        return Ok(());
    };
    let text = |arm: Arm| {
        desk.material
            .text(&question.pair.sample, arm)
            .unwrap_or_default()
            .to_owned()
    };
    let vote = Vote {
        time: now.to_string(),
        reviewer: session.reviewer.clone(),
        review: session.design.clone(),
        sample: question.pair.sample.clone(),
        left: question.left(),
        right: question.right(),
        left_text: text(question.left()),
        right_text: text(question.right()),
        answer,
        seconds: now.duration_since(session.asked).as_secs_f64(),
        target_seen: session.target_shown,
    };
    record_vote(folder, &vote)?;
    session.votes.push(vote);
    session.taken_back.clear();
    session.ask_next(now);
    Ok(())
}

/// The reviews of a run that have votes.
fn earlier(open: &OpenRun, folder: &Path) -> Result<Vec<EarlierReview>, RunError> {
    let reviews = Reviews::read(folder)?;
    let designs = reviews.designs();
    let of = |design: &&ReviewDesign| {
        let material = ReviewMaterial::read(open.run(), design.step, design.split).ok();
        let count = |name: &str| reviews.of(design).filter(|vote| vote.reviewer == name).count();
        let names = reviews.reviewers(design).into_iter();
        EarlierReview {
            design: (*design).clone(),
            reviewers: names.map(|name| (name.to_owned(), count(name))).collect(),
            questions: material.map(|material| ReviewPlan::draw(design, "", &material).questions.len()),
        }
    };
    Ok(designs.iter().map(of).collect())
}
