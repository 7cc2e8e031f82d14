//! What stands above the editor: which repository and which run, how the index stands, and what is missing.

use std::path::Path;

use egui::{RichText, Ui};

use crate::app::{Action, PathField, Playground, Recent, RecentKind, UiCommand};
use crate::engine::{IndexCounts, IndexPhase};
use crate::ui::format::{count, duration, grouped, run_labels};
use crate::ui::recents::recents_ui;
use crate::ui::widgets::{path_field, primary_button};
use crate::ui::{View, theme};

/// Width of the field for the folder, points.
const WIDTH: f32 = 520.0;

/// Width of the bar of the index, points.
const BAR: f32 = 140.0;

/// Draws repository, run and index.
pub fn head_ui(ui: &mut Ui, view: &View<'_>, folder: &Path, opening: &mut bool) {
    ui.horizontal_wrapped(|ui| {
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        ui.label(theme::title(name).color(view.theme.strong))
            .on_hover_text(folder.display().to_string());
        let button = ui.selectable_label(*opening, "Change…");
        if button.on_hover_text("Open another repository").clicked() {
            *opening = !*opening;
        }
        ui.separator();
        run_ui(ui, view);
        ui.separator();
        index_ui(ui, view);
    });
    ui.add_space(theme::GAP);
}

/// Whose projector is used.
fn run_ui(ui: &mut Ui, view: &View<'_>) {
    let label = ui.label(RichText::new("projector of").color(view.theme.weak));
    let runs: Vec<&Path> = view
        .state
        .runs
        .iter()
        .filter(|run| run.error.is_none())
        .map(|run| run.folder.as_path())
        .collect();
    let names = run_labels(runs.iter().copied());
    let focus = view.state.focus.as_deref();
    let of_focus = runs.iter().zip(&names).find(|(run, _)| Some(**run) == focus);
    let own = focus.map(crate::runs::name_of);
    let shown = of_focus.map(|(_, name)| name.clone()).or(own);
    let combo = egui::ComboBox::from_id_salt("play run").width(150.0);
    let combo = combo
        .selected_text(shown.unwrap_or_else(|| "no run".into()))
        .show_ui(ui, |ui| {
            for (run, name) in runs.iter().zip(&names) {
                if ui.selectable_label(Some(*run) == focus, name).clicked() {
                    view.act(Action::PlayWithRun(run.to_path_buf()));
                }
            }
        });
    combo.response.labelled_by(label.id);
    let step = view
        .state
        .focused()
        .and_then(|open| open.run().checkpoint_steps.last().copied());
    if let Some(step) = step {
        ui.label(RichText::new(format!("step {step}")).color(view.theme.weak));
    }
}

/// How the index of this repository and run stands, and what can be done about it.
fn index_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    let wanted = state.play_index();
    let news = state
        .playground
        .index
        .as_ref()
        .filter(|news| Some(&news.of) == wanted.as_ref());
    let small = |text: String| RichText::new(text).size(theme::SMALL);
    let refresh = |ui: &mut Ui, name: &str| {
        let help = "Looks at the files again; only chunks that are new are encoded";
        if state.play_refusal().is_none() && ui.button(name).on_hover_text(help).clicked() {
            view.act(Action::Index);
        }
    };
    let Some(news) = news else {
        ui.label(small("not indexed for this run".into()).color(view.theme.weak))
            .on_hover_text("Completions work all the same: the chunks that they need are encoded on the way");
        return refresh(ui, "Index");
    };
    let counts = &news.counts;
    match &news.phase {
        IndexPhase::Reading(what) => {
            ui.label(small(format!("index: {what}…")));
            stop(ui, view);
        }
        IndexPhase::Filling => {
            let share = counts.done as f32 / counts.missing.max(1) as f32;
            let bar = egui::ProgressBar::new(share)
                .desired_width(BAR)
                .desired_height(8.0)
                .corner_radius(4.0);
            ui.add(bar.fill(view.theme.accent));
            let text = format!(
                "encoding {} of {} chunks{}",
                grouped(counts.done as i64),
                grouped(counts.missing as i64),
                time_left(counts)
            );
            ui.label(small(text)).on_hover_text(facts(counts));
            stop(ui, view);
        }
        IndexPhase::Ready => {
            let text = format!("✓ {} indexed · {}", count(counts.chunks, "chunk"), changes(counts));
            ui.label(small(text).color(view.theme.good))
                .on_hover_text(facts(counts));
            refresh(ui, "Refresh");
        }
        IndexPhase::Stopped => {
            let left = counts.missing.saturating_sub(counts.done);
            let text = match left {
                0 => "indexing was stopped".to_owned(),
                left => format!("indexing was stopped, {} left", count(left, "chunk")),
            };
            ui.label(small(text).color(view.theme.weak));
            refresh(ui, "Go on");
        }
        IndexPhase::Failed(reason) => {
            ui.label(small(format!("▲ not indexed: {reason}")).color(view.theme.alarm));
            refresh(ui, "Try again");
        }
    }
}

fn stop(ui: &mut Ui, view: &View<'_>) {
    let help = "What is encoded is kept; indexing goes on from there another time";
    if ui.button("Stop indexing").on_hover_text(help).clicked() {
        view.act(Action::StopIndex);
    }
}

fn time_left(counts: &IndexCounts) -> String {
    if counts.done == 0 {
        return String::new();
    }
    let left = counts.missing.saturating_sub(counts.done) as f64;
    format!(
        " · {} left",
        duration(left * counts.seconds_filling / counts.done as f64)
    )
}

/// What the last look found.
fn changes(counts: &IndexCounts) -> String {
    let found = [
        (counts.changed, "changed"),
        (counts.added, "new"),
        (counts.deleted, "deleted"),
    ];
    let found: Vec<String> = found
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(*number, "file")))
        .collect();
    match found.is_empty() {
        true => "nothing changed".into(),
        false => format!("{}, {} encoded", found.join(", "), count(counts.encoded, "chunk")),
    }
}

/// Everything that is known of an index.
fn facts(counts: &IndexCounts) -> String {
    format!(
        "{}: {} unchanged, {} changed, {} new, {} deleted, {} not read\n{}, {} different\n{} were missing, {} done, {} of them read by \
         the encoder\nranked by {}\nreading {:.1} s, ranking {:.1} s, comparing {:.1} s, encoding {}",
        count(counts.files, "file"),
        counts.unchanged,
        counts.changed,
        counts.added,
        counts.deleted,
        counts.left_out,
        count(counts.chunks, "chunk"),
        grouped(counts.texts as i64),
        grouped(counts.missing as i64),
        grouped(counts.done as i64),
        grouped(counts.encoded as i64),
        counts.retriever,
        counts.seconds_reading,
        counts.seconds_ranking,
        counts.seconds_comparing,
        duration(counts.seconds_filling)
    )
}

/// What keeps the run in focus from completing, and the way out.
pub fn refusal_ui(ui: &mut Ui, view: &View<'_>) {
    let Some(reason) = view.state.play_refusal() else {
        return;
    };
    let lacks = view
        .state
        .focused()
        .and_then(|open| view.state.lacking(&open.run().experiment));
    let (name, command) = match (view.state.focus.is_some(), lacks) {
        (false, _) if view.state.runs.iter().all(|run| run.error.is_some()) => ("Go to Train", UiCommand::GoTrain),
        (false, _) => ("Go to Runs", UiCommand::GoRuns),
        (true, Some(_)) => ("Get models and code", UiCommand::Fetch),
        (true, None) => ("Go to Train", UiCommand::GoTrain),
    };
    view.theme.card().show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            let text = format!("▲ Nothing can be completed: {reason}. Files can be read and edited.");
            ui.label(RichText::new(text).color(view.theme.warning));
            if ui.button(name).on_hover_text(command.tooltip()).clicked() {
                view.command(command);
            }
        });
    });
    ui.add_space(theme::GAP);
}

/// The ways to open a repository; a page of its own when nothing is open.
pub fn open_ui(ui: &mut Ui, view: &View<'_>, alone: bool) {
    if alone {
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.2);
            ui.label(theme::title("Play with a repository").color(view.theme.strong));
            ui.add_space(theme::GAP);
            ui.scope(|ui| {
                ui.set_max_width(WIDTH);
                let text = "Open any folder with code, edit a file, and see what is written at the cursor without context, with \
                            compressed chunks and with their whole text, and where the time goes. Python files are read, as in \
                            training; in a folder without Python, those of other languages. Edits stay in the workbench.";
                ui.label(RichText::new(text).color(view.theme.weak));
            });
            ui.add_space(theme::SECTION);
            ui.allocate_ui(egui::vec2(WIDTH, 0.0), |ui| {
                fields_ui(ui, view);
                ui.add_space(theme::SECTION);
                refusal_ui(ui, view);
                // Perhaps with another run.
                if view.state.play_refusal().is_some() && view.state.runs.len() > 1 {
                    ui.horizontal(|ui| run_ui(ui, view));
                }
            });
        });
    } else {
        view.theme.card().show(ui, |ui| fields_ui(ui, view));
    }
}

fn fields_ui(ui: &mut Ui, view: &View<'_>) {
    let Playground { path, folder, .. } = &view.state.playground;
    ui.vertical(|ui| {
        let field = path_field(ui, view, PathField::Repository, "Folder of the repository", path, WIDTH);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let ready = !path.trim().is_empty();
        ui.horizontal(|ui| {
            if primary_button(ui, "Open", ready, 0.0).clicked() || entered && ready {
                view.act(Action::OpenTypedRepository);
            }
            let text = "or drop a folder on the window";
            ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
        });
        let is_open = |recent: &Recent| Some(&recent.folder) == folder.as_ref();
        let asked = recents_ui(ui, view, RecentKind::Repository, ("opened before", WIDTH), is_open);
        if let Some(recent) = asked {
            view.act(Action::OpenRepository(recent.folder.clone()));
        }
    });
}
