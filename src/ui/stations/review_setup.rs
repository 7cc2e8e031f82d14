//! Where a blind review begins: who reviews what, and the reviews that can be gone on with.

use egui::{DragValue, Key, RichText, Ui, vec2};

use super::review::{ask, pressed};
use crate::app::{EarlierReview, Reading, ReviewAction, ReviewDesk, ReviewForm};
use crate::runs::ReviewDesign;
use crate::ui::widgets::{named, primary_button};
use crate::ui::{View, format, theme};

/// Most samples of a review.
const MOST: usize = 5000;

/// Draws the page.
pub fn setup_ui(ui: &mut Ui, view: &View<'_>) {
    if pressed(ui, view, Key::Escape) {
        ask(view, ReviewAction::Close);
    }
    egui::ScrollArea::vertical().auto_shrink(false).id_salt("review setup").show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(theme::title("Blind review").color(view.theme.strong));
            let name = view.state.focused().map(|open| open.run().name()).unwrap_or_default();
            ui.label(RichText::new(name).color(view.theme.weak));
            if ui.button("Back to Compare (Esc)").clicked() {
                ask(view, ReviewAction::Close);
            }
        });
        ui.add_space(theme::TIGHT);
        ui.scope(|ui| {
            ui.set_max_width(760.0);
            let text = "Two completions of the same code side by side, without names and colours: left better (←), right better (→), equally good (↑), both bad (↓). The seed draws the samples, so that every reviewer answers the same questions; order and sides are each reviewer's own. Where both arms wrote the same text nobody is asked: it is a tie by construction.";
            ui.label(RichText::new(text).color(view.theme.weak));
        });
        ui.add_space(theme::SECTION);
        form_ui(ui, view);
        ui.add_space(theme::PAGE);
        earlier_ui(ui, view);
    });
}

fn form_ui(ui: &mut Ui, view: &View<'_>) {
    let desk = &view.state.review;
    let mut form = desk.form.clone();
    let mut entered = false;
    egui::Grid::new("review form")
        .num_columns(2)
        .spacing(vec2(theme::SECTION, theme::GAP))
        .show(ui, |ui| {
            let label = ui.label("reviewer");
            let field = egui::TextEdit::singleline(&mut form.reviewer)
                .hint_text("your name")
                .desired_width(260.0);
            let field = ui.add(field).labelled_by(label.id);
            if desk.focus_name && ui.memory(|memory| memory.focused().is_none()) {
                field.request_focus();
            }
            entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.end_row();
            evaluation_ui(ui, view, &mut form);
            ui.end_row();
            ui.label("arms");
            arms_ui(ui, view, &mut form);
            ui.end_row();
            let label = ui.label("samples");
            ui.add(DragValue::new(&mut form.samples).range(1..=MOST))
                .labelled_by(label.id);
            ui.end_row();
            let label = ui.label("seed");
            ui.add(DragValue::new(&mut form.seed)).labelled_by(label.id);
            ui.end_row();
        });
    if form != desk.form {
        ask(view, ReviewAction::SetForm(form));
    }
    ui.add_space(theme::GAP);
    drawn_ui(ui, view, desk);
    ui.add_space(theme::GAP);
    let ready = desk.is_ready();
    if primary_button(ui, "Begin (Enter)", ready, 0.0).clicked() || entered && ready {
        ask(view, ReviewAction::Begin);
    }
}

/// What the form asks, and why it cannot begin yet.
fn drawn_ui(ui: &mut Ui, view: &View<'_>, desk: &ReviewDesk) {
    match &desk.material {
        Reading::Here(_) => {
            let drawn = &desk.drawn;
            let (asked, same) = (drawn.questions.len(), drawn.identical.len());
            let text = format!(
                "{} drawn, {} of arms: {} asked, {same} identical and not asked",
                format::count(drawn.samples.len(), "sample"),
                format::count(asked + same, "pair"),
                format::count(asked, "question")
            );
            ui.label(RichText::new(text).color(view.theme.text));
        }
        unread => {
            let again = ReviewAction::SetForm(desk.form.clone());
            unread_ui(ui, view, unread, "completions", again);
        }
    }
    if let Some(problem) = &desk.problem {
        ui.label(RichText::new(format!("▲ {problem}")).color(view.theme.warning));
    }
}

/// That the form's completions or the earlier reviews are being read, or why they cannot be read and how to try it `again`.
fn unread_ui<T>(ui: &mut Ui, view: &View<'_>, unread: &Reading<T>, what: &str, again: ReviewAction) {
    let Reading::Failed(reason) = unread else {
        ui.label(RichText::new(format!("Reading the {what}…")).color(view.theme.weak));
        return;
    };
    ui.scope(|ui| {
        ui.set_max_width(760.0);
        ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.warning));
    });
    let button = ui.button("Try again");
    named(ui, &button, &format!("Read the {what} again"));
    if button.clicked() {
        ask(view, again);
    }
}

fn evaluation_ui(ui: &mut Ui, view: &View<'_>, form: &mut ReviewForm) {
    let evaluations = view
        .state
        .focused()
        .map(|open| open.run().evaluations.as_slice())
        .unwrap_or_default();
    let name = |(step, split)| format!("step {step}, {split} split");
    let label = ui.label("evaluation");
    let combo = egui::ComboBox::from_id_salt("evaluation to review")
        .width(240.0)
        .selected_text(name(form.evaluation));
    let response = combo.show_ui(ui, |ui| {
        for summary in evaluations {
            let one = (summary.step, summary.split);
            ui.selectable_value(&mut form.evaluation, one, name(one));
        }
    });
    response.response.labelled_by(label.id);
}

fn arms_ui(ui: &mut Ui, view: &View<'_>, form: &mut ReviewForm) {
    let Some(material) = view.state.review.material.here() else {
        // Which of them can be chosen is not known yet.
        ui.label(RichText::new("—").color(view.theme.weak));
        return;
    };
    ui.horizontal_wrapped(|ui| {
        for arm in material.arms() {
            let mut chosen = form.arms.contains(&arm);
            if ui
                .checkbox(&mut chosen, arm.label())
                .on_hover_text(arm.meaning())
                .changed()
            {
                form.arms.retain(|other| *other != arm);
                if chosen {
                    form.arms.push(arm);
                    form.arms.sort_unstable();
                }
            }
        }
    });
}

fn earlier_ui(ui: &mut Ui, view: &View<'_>) {
    let head = |ui: &mut Ui| ui.label(theme::caption("reviews of this run").color(view.theme.strong));
    let earlier = match &view.state.review.earlier {
        Reading::Here(earlier) if earlier.is_empty() => return,
        Reading::Here(earlier) => earlier,
        unread => {
            head(ui);
            return unread_ui(ui, view, unread, "earlier reviews", ReviewAction::Setup);
        }
    };
    head(ui);
    for review in earlier {
        ui.add_space(theme::GAP);
        view.theme.card().show(ui, |ui| {
            ui.set_width(ui.available_width().min(760.0));
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(words(&review.design)).color(view.theme.strong));
                let results = ui.add_enabled(review.questions.is_some(), egui::Button::new("Results"));
                named(ui, &results, &format!("Results of {}", words(&review.design)));
                if results.clicked() {
                    ask(view, ReviewAction::Results(review.design.clone()));
                }
            });
            for (name, answered) in &review.reviewers {
                reviewer_ui(ui, view, review, name, *answered);
            }
        });
    }
}

fn reviewer_ui(ui: &mut Ui, view: &View<'_>, review: &EarlierReview, name: &str, answered: usize) {
    ui.horizontal(|ui| {
        let Some(questions) = review.questions else {
            let text = format!("▲ {name}: {answered} votes, but the run has this evaluation no more");
            ui.label(RichText::new(text).color(view.theme.warning));
            return;
        };
        ui.label(format!("{name}: {answered} of {questions}"));
        if answered < questions {
            let button = ui.button("Go on");
            named(ui, &button, &format!("Go on as {name}"));
            if button.clicked() {
                ask(view, ReviewAction::GoOn(review.design.clone(), name.to_owned()));
            }
        } else {
            ui.label(RichText::new("✓ done").color(view.theme.good));
        }
    });
}

/// A review in words.
pub fn words(design: &ReviewDesign) -> String {
    let arms: Vec<&str> = design.arms.iter().map(|arm| arm.label()).collect();
    format!(
        "{} · step {}, {} split · {} · seed {}",
        arms.join(", "),
        design.step,
        design.split,
        format::count(design.samples, "sample"),
        design.seed
    )
}
