//! Does what a person does in a blind review: votes are on the disk before the next question is shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::Context;
use jiff::Timestamp;

use super::reading::{Source, earlier};
use super::{ReviewAction, ReviewDesk, ReviewForm, ReviewPage, ReviewSession};
use crate::app::reading::Reading;
use crate::app::{AppState, Station, in_home};
use crate::corpus::Split;
use crate::engine::Severity;
use crate::evaluation::Arm;
use crate::runs::{Answer, ReviewDesign, RunError, Vote, record_vote, take_vote_back};

impl AppState {
    /// The blind review of the run in focus is shown in the place of the Compare station.
    pub fn shows_review(&self) -> bool {
        self.review.run.is_some() && self.review.run == self.focus
    }

    /// The reviewer who is being asked at this moment.
    pub fn reviewing(&self) -> Option<&ReviewSession> {
        let asked = self.station == Station::Compare && self.shows_review() && self.review.page == ReviewPage::Asking;
        self.review.session.here().filter(|_| asked)
    }

    /// Opens the page where a review of the run in focus begins; one that is open stays as it is.
    pub fn open_review(&mut self, ctx: &Context) {
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
        self.act_on_review(ReviewAction::SetForm(form), ctx);
        self.act_on_review(ReviewAction::Setup, ctx);
    }

    /// Leaves the review; what a new one would ask is kept.
    pub fn close_review(&mut self) {
        self.review = ReviewDesk {
            form: std::mem::take(&mut self.review.form),
            ..ReviewDesk::default()
        };
    }

    /// Takes what the threads of the review have read; returns whether there was anything.
    pub fn poll_review(&mut self) -> bool {
        let (desk, now) = (&mut self.review, self.now);
        let drawn = desk.material.poll();
        if drawn {
            desk.draw();
        }
        let begun = desk.session.poll();
        if begun && let Some(session) = desk.session.here_mut() {
            // Nobody saw the question while it was being read.
            session.asked = now;
        }
        desk.earlier.poll() | desk.findings.poll() | drawn | begun
    }

    /// Does what a person did in a review; what fails is told.
    pub fn act_on_review(&mut self, action: ReviewAction, ctx: &Context) {
        if let Err(error) = self.try_review(action, ctx) {
            self.tell(Severity::Error, error.to_string(), None);
        }
    }

    fn try_review(&mut self, action: ReviewAction, ctx: &Context) -> Result<(), RunError> {
        let (Some(folder), now) = (self.review.run.clone(), self.now) else {
            return Ok(());
        };
        let desk = &mut self.review;
        match action {
            ReviewAction::Close => self.close_review(),
            ReviewAction::Setup => {
                desk.earlier = Reading::start("earlier reviews", ctx, move || earlier(folder));
                desk.page = ReviewPage::Setup;
                desk.focus_name = true;
            }
            ReviewAction::SetForm(form) => {
                desk.focus_name = false;
                let is_read = matches!(desk.material, Reading::Awaited(_) | Reading::Here(_));
                if form.evaluation != desk.form.evaluation || !is_read {
                    let source = Source {
                        folder,
                        evaluation: form.evaluation,
                        known: None,
                    };
                    desk.material = Reading::start("review material", ctx, move || source.material());
                }
                desk.form = form;
                desk.draw();
            }
            ReviewAction::Begin => {
                if desk.is_ready() {
                    begin(
                        desk,
                        folder,
                        (desk.form.design(), desk.form.name().to_owned()),
                        now,
                        ctx,
                    );
                }
            }
            ReviewAction::GoOn(design, reviewer) => begin(desk, folder, (design, reviewer), now, ctx),
            ReviewAction::ShowTarget => {
                if let Some(session) = desk.session.here_mut() {
                    session.target_shown = true;
                }
            }
            ReviewAction::Vote(answer) => vote(desk, &folder, answer, now)?,
            ReviewAction::Undo => {
                if let Some(session) = desk.session.here_mut()
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
                if let Some(session) = desk.session.here_mut()
                    && let Some(mut vote) = session.taken_back.pop()
                {
                    vote.time = now.to_string();
                    record_vote(&folder, &vote)?;
                    session.votes.push(vote);
                    session.ask_next(now);
                }
            }
            ReviewAction::Results(design) => {
                desk.asked = Some(ReviewAction::Results(design.clone()));
                let source = source(desk, folder, &design);
                desk.findings = Reading::start("review results", ctx, move || source.findings(&design));
                desk.page = ReviewPage::Results;
            }
            ReviewAction::SetExportPath(path) => desk.export_path = path,
            ReviewAction::Export => {
                if let Some(findings) = desk.findings.here() {
                    let base = desk.export_path.trim();
                    let [csv, lines] = ["csv", "jsonl"].map(|ending| PathBuf::from(format!("{base}.{ending}")));
                    findings.results.write_csv(&findings.material, &csv)?;
                    findings.results.write_json_lines(&findings.material, &lines)?;
                    let text = format!(
                        "saved {} votes: {} and {}",
                        findings.results.votes.len(),
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

/// Where a review is read from; what the form has read is not read again.
fn source(desk: &ReviewDesk, folder: PathBuf, design: &ReviewDesign) -> Source {
    let evaluation = (design.step, design.split);
    let known = desk.material.here().filter(|_| desk.form.evaluation == evaluation);
    Source {
        folder,
        evaluation,
        known: known.map(Arc::clone),
    }
}

/// Turns to the first question that a reviewer has not answered, once the votes are read.
fn begin(
    desk: &mut ReviewDesk,
    folder: PathBuf,
    (design, reviewer): (ReviewDesign, String),
    now: Timestamp,
    ctx: &Context,
) {
    desk.asked = Some(ReviewAction::GoOn(design.clone(), reviewer.clone()));
    let source = source(desk, folder, &design);
    desk.session = Reading::start("review votes", ctx, move || source.session(design, reviewer, now));
    desk.page = ReviewPage::Asking;
}

/// Writes a vote on the question that is shown and turns to the next one.
fn vote(desk: &mut ReviewDesk, folder: &Path, answer: Answer, now: Timestamp) -> Result<(), RunError> {
    let Some(session) = desk.session.here_mut() else {
        return Ok(());
    };
    let Some(question) = session.question() else {
        return Ok(());
    };
    let text = |arm: Arm| {
        session
            .material
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
