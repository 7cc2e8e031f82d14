//! What says that the run in focus is a recording, and whether the window could do the same now.

use egui::{RichText, Ui};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::View;
use crate::app::UiCommand;
use crate::runs::Manifest;

/// Date and machine of the run in focus when it is a recording: "27 Nov 2026 on CPU × 2".
pub fn recorded_on(view: &View<'_>) -> Option<String> {
    let manifest = manifest(view)?;
    let started = manifest.started.parse::<Timestamp>().ok();
    let date = started.map(|at| at.to_zoned_datetime(TimeZone::UTC).strftime("%-d %b %Y").to_string());
    Some(format!("{} on {}", date.unwrap_or_default(), manifest.machine()))
}

/// The manifest of the run in focus, when that is a recording.
fn manifest<'a>(view: &View<'a>) -> Option<&'a Manifest> {
    let manifest = &view.state.focused()?.run().manifest;
    manifest.recording().map(|_| manifest)
}

/// A badge that says that the run in focus is a recording; nothing for any other.
pub fn badge_ui(ui: &mut Ui, view: &View<'_>) {
    let (Some(recorded), Some(manifest)) = (recorded_on(view), manifest(view)) else {
        return;
    };
    let what = manifest.recording().unwrap_or_default();
    ui.label(RichText::new(format!("● recording, {recorded}")).color(view.theme.accent))
        .on_hover_text(format!(
            "A real run, packed with the program: {what}. It lies in a temporary folder: votes and evaluations of it are gone when the \
             window closes. What is trained goes to {}.",
            view.state.runs_dir.display()
        ));
}

/// Whether models and code are here, so that everything in the window also works now; else the one thing to do.
pub fn live_ui(ui: &mut Ui, view: &View<'_>) {
    let missing: Vec<&str> = view.state.setup.missing().map(|item| item.name.as_str()).collect();
    if missing.is_empty() {
        let focused = view.state.focused();
        let color = view.theme.text;
        match focused.and_then(|open| view.state.completion_refusal(open)) {
            None => ui.label(RichText::new("✓ live: train, complete and play from any station").color(color)),
            Some(reason) => ui
                .label(RichText::new("✓ live: train from any station").color(color))
                .on_hover_text(format!("Completing and playing need another run: {reason}")),
        };
        return;
    }
    let help = format!(
        "Not on this machine: {}. {}",
        missing.join(", "),
        UiCommand::Fetch.tooltip()
    );
    if ui.button("Get the models to go live").on_hover_text(help).clicked() {
        view.command(UiCommand::Fetch);
    }
}
