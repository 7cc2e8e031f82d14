//! Blind review, a mode of the Compare station: two completions without names and colours, and four answers by keyboard.
//!
//! The true line is hidden until the vote, because a reviewer who sees it compares strings, which the metrics do already; T shows it
//! before, and the vote says so.

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Key, RichText, Ui, vec2};

use super::review_results::results_ui;
use super::review_setup::setup_ui;
use crate::app::{Action, Reading, ReviewAction, ReviewPage, ReviewSession};
use crate::runs::{Answer, Question, ReviewMaterial, Vote};
use crate::ui::code::Listing;
use crate::ui::widgets::empty_state;
use crate::ui::{View, format, theme};

/// Lines shown before the cursor.
const LINES: usize = 40;
/// Room for completions, answers and the last vote, points.
const BELOW: f32 = 250.0;

/// The four answers: what the button says, the key and its sign.
const ANSWERS: [(Answer, &str, Key, &str); 4] = [
    (Answer::Left, "Left is better", Key::ArrowLeft, "←"),
    (Answer::Tie, "Equally good", Key::ArrowUp, "↑"),
    (Answer::BothBad, "Both bad", Key::ArrowDown, "↓"),
    (Answer::Right, "Right is better", Key::ArrowRight, "→"),
];

/// Draws the page of the review that is open.
pub fn review_ui(ui: &mut Ui, view: &View<'_>) {
    let desk = &view.state.review;
    match desk.page {
        ReviewPage::Setup => setup_ui(ui, view),
        ReviewPage::Asking => match &desk.session {
            Reading::Here(session) => session_ui(ui, view, session),
            session => unread_ui(ui, view, session),
        },
        ReviewPage::Results => match &desk.findings {
            Reading::Here(findings) => results_ui(ui, view, &findings.results),
            findings => unread_ui(ui, view, findings),
        },
    }
}

/// A page that is being read, or cannot be read.
fn unread_ui<T>(ui: &mut Ui, view: &View<'_>, page: &Reading<T>) {
    if pressed(ui, view, Key::Escape) || ui.button("Back (Esc)").clicked() {
        ask(view, ReviewAction::Setup);
    }
    match page {
        Reading::Failed(reason) => {
            let again = view.state.review.asked.clone().map(Action::Review);
            let again = again.map(|again| ("Try again", again));
            empty_state(ui, view, "This review cannot be read", reason, again);
        }
        _ => empty_state(ui, view, "One moment", "Reading the completions and votes…", None),
    }
}

/// Asks for something in the review.
pub fn ask(view: &View<'_>, action: ReviewAction) {
    view.act(Action::Review(action));
}

/// A key was pressed anew, while nothing lies over the station and nobody types; a key that is held down counts once.
pub fn pressed(ui: &Ui, view: &View<'_>, wanted: Key) -> bool {
    if view.state.overlay.covers() || ui.ctx().egui_wants_keyboard_input() {
        return false;
    }
    ui.input(|input| {
        input.events.iter().any(|event| {
            matches!(event, egui::Event::Key { key, pressed: true, repeat: false, modifiers, .. }
                if *key == wanted && modifiers.is_none())
        })
    })
}

fn session_ui(ui: &mut Ui, view: &View<'_>, session: &ReviewSession) {
    head_ui(ui, view, session);
    if pressed(ui, view, Key::Escape) {
        ask(view, ReviewAction::Setup);
    }
    match session.question() {
        Some(question) => question_ui(ui, view, session, question),
        None => done_ui(ui, view, session),
    }
}

fn head_ui(ui: &mut Ui, view: &View<'_>, session: &ReviewSession) {
    let (answered, total) = (session.answered(), session.plan.questions.len());
    let row = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 28.0), row, |ui| {
        let leave = ui
            .button("Leave (Esc)")
            .on_hover_text("Every vote is kept; go on whenever you like");
        if leave.clicked() {
            ask(view, ReviewAction::Setup);
        }
        let undo = egui::Button::new("Take the last vote back (Ctrl+Z)");
        if ui.add_enabled(session.last().is_some(), undo).clicked() {
            ask(view, ReviewAction::Undo);
        }
        let share = answered as f32 / total.max(1) as f32;
        let bar = egui::ProgressBar::new(share)
            .desired_width(160.0)
            .desired_height(8.0)
            .fill(view.theme.weak);
        ui.add(bar)
            .on_hover_text(format!("{answered} of {total} questions answered"));
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.label(theme::title("Blind review").color(view.theme.strong));
            let text = match session.question() {
                Some(_) => format!("{} · question {} of {total}", session.reviewer, answered + 1),
                None => format!("{} · {total} of {total} answered", session.reviewer),
            };
            ui.label(RichText::new(text).color(view.theme.weak));
        });
    });
    ui.add_space(theme::GAP);
}

fn question_ui(ui: &mut Ui, view: &View<'_>, session: &ReviewSession, question: &Question) {
    let material = &session.material;
    let Some(record) = material.sample(&question.pair.sample) else {
        return;
    };
    for (answer, _, key, _) in ANSWERS {
        if pressed(ui, view, key) {
            ask(view, ReviewAction::Vote(answer));
        }
    }
    if pressed(ui, view, Key::T) {
        ask(view, ReviewAction::ShowTarget);
    }
    let sample = &record.sample;
    ui.horizontal(|ui| {
        ui.label(theme::caption("code before the cursor").color(view.theme.strong));
        let place = format!("{} · {}:{}", sample.repository, sample.path, sample.line);
        ui.add(egui::Label::new(RichText::new(place).size(theme::SMALL).color(view.theme.weak)).truncate());
    });
    let left = last_lines(&sample.left, LINES);
    let height = (ui.available_height() - BELOW).max(80.0);
    view.theme.card().show(ui, |ui| {
        let area = egui::ScrollArea::vertical()
            .id_salt(&sample.id)
            .auto_shrink([false, true]);
        area.max_height(height).stick_to_bottom(true).show(ui, |ui| {
            let first = (sample.line + 1).saturating_sub(left.split('\n').count()).max(1);
            let code = Listing {
                text: left,
                first_line: first,
                path: &sample.path,
                word: None,
                target_from: None,
            };
            code.show(ui, egui::Id::unique("reviewed code"));
        });
    });
    ui.add_space(theme::GAP);
    let line = left.rsplit('\n').next().unwrap_or_default().trim_start();
    // The blank before the cursor belongs to the true line; both sides get it.
    let gap = if sample.target.starts_with(char::is_whitespace) {
        " "
    } else {
        ""
    };
    let line = format!("{line}{gap}");
    ui.columns(2, |columns| {
        let arms = [question.left(), question.right()];
        for ((ui, arm), name) in columns.iter_mut().zip(arms).zip(["left", "right"]) {
            let written = material.completion(&question.pair.sample, arm);
            card_ui(
                ui,
                view,
                name,
                &line,
                written.map_or("", |completion| completion.text.trim()),
            );
        }
    });
    ui.add_space(theme::GAP);
    answers_ui(ui, view);
    ui.add_space(theme::GAP);
    target_ui(ui, view, session, sample.expected_line());
    if let Some(last) = session.last() {
        last_ui(ui, view, material, last);
    }
}

/// A completion behind the line that it goes on with; nothing tells which arm wrote it.
fn card_ui(ui: &mut Ui, view: &View<'_>, name: &str, line: &str, text: &str) {
    let theme = view.theme;
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(theme::caption(name).color(theme.strong));
        let mut job = LayoutJob::default();
        job.wrap.max_width = ui.available_width();
        job.wrap.break_anywhere = true;
        let font = || FontId::monospace(theme::BODY);
        job.append(line, 0.0, TextFormat::simple(font(), theme.weak));
        let shown = if text.is_empty() { "(nothing)" } else { text };
        let mut format = TextFormat::simple(font(), theme.strong);
        format.background = theme.hovered;
        job.append(shown, 0.0, format);
        ui.add(egui::Label::new(job).selectable(true));
    });
}

fn answers_ui(ui: &mut Ui, view: &View<'_>) {
    let spacing = ui.spacing().item_spacing.x;
    let width = (ui.available_width() - 3.0 * spacing) / 4.0;
    ui.horizontal(|ui| {
        for (answer, name, _, key) in ANSWERS {
            let button = egui::Button::new(format!("{key}  {name}"));
            if ui.add_sized(vec2(width, 32.0), button).clicked() {
                ask(view, ReviewAction::Vote(answer));
            }
        }
    });
}

fn target_ui(ui: &mut Ui, view: &View<'_>, session: &ReviewSession, target: &str) {
    ui.horizontal_wrapped(|ui| {
        if session.target_shown {
            ui.label(theme::caption("true line").color(view.theme.weak));
            let text = RichText::new(target).monospace().color(view.theme.strong);
            ui.add(egui::Label::new(text).selectable(true));
            ui.label(RichText::new("the vote will say that it was seen").size(theme::SMALL).color(view.theme.weak));
            return;
        }
        let button = ui.button("Show the true line (T)");
        let why = "Hidden until the vote: beside it one compares strings, which the metrics do already. A vote given after seeing it says so.";
        if button.on_hover_text(why).clicked() {
            ask(view, ReviewAction::ShowTarget);
        }
        ui.label(RichText::new("hidden until the vote").size(theme::SMALL).color(view.theme.weak));
    });
}

/// The last vote, and what the author of the code had written there.
fn last_ui(ui: &mut Ui, view: &View<'_>, material: &ReviewMaterial, last: &Vote) {
    let answer = ANSWERS.iter().find(|(answer, ..)| *answer == last.answer);
    let answer = answer.map_or("", |(_, name, ..)| *name);
    let target = material
        .sample(&last.sample)
        .map_or("", |record| record.sample.expected_line());
    ui.horizontal_wrapped(|ui| {
        let text = format!("last vote: {} · the true line was", answer.to_lowercase());
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
        ui.label(
            RichText::new(target)
                .monospace()
                .size(theme::SMALL)
                .color(view.theme.text),
        );
    });
}

fn done_ui(ui: &mut Ui, view: &View<'_>, session: &ReviewSession) {
    if pressed(ui, view, Key::Enter) {
        ask(view, ReviewAction::Results(session.design.clone()));
    }
    let identical = session.plan.identical.len();
    let text = format!(
        "Every vote is in reviews.jsonl of the run's folder. {} on which both arms wrote the same {} not asked and count as ties.",
        format::count(identical, "pair"),
        if identical == 1 { "was" } else { "were" }
    );
    let results = Action::Review(ReviewAction::Results(session.design.clone()));
    empty_state(
        ui,
        view,
        "All questions are answered",
        &text,
        Some(("Results (Enter)", results)),
    );
}

/// The end of a text, at most so many lines.
fn last_lines(text: &str, lines: usize) -> &str {
    let breaks = text.rmatch_indices('\n');
    let start = breaks.map(|(at, _)| at + 1).nth(lines.saturating_sub(1)).unwrap_or(0);
    text.get(start..).unwrap_or(text)
}
