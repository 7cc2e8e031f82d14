//! The commands that make these runs, their evaluations and this report again.

use std::path::Path;

use super::Reported;
use super::page::{Page, escaped};
use crate::evaluation::EvaluationSummary;
use crate::runs::{EventKind, Run, live_events};

/// Writes the section.
pub fn section(page: &mut Page, reported: &Reported, path: &Path) {
    for (_, run, label) in reported.iter() {
        page.heading(label);
        let experiment = shell(&run.folder.join("experiment.toml"));
        let mut commands = vec![format!("llavacode train {experiment}")];
        commands.extend(
            super::arms::newest(run)
                .into_iter()
                .map(|summary| evaluate(run, summary)),
        );
        page.raw(&format!("<pre>{}</pre>", escaped(&commands.join("\n"))));
        let steered =
            |kind: EventKind| matches!(kind, EventKind::Intervention | EventKind::RollBack | EventKind::Return);
        if live_events(&run.events).iter().any(|event| steered(event.kind)) || run.manifest.parent.is_some() {
            page.note("The run was forked or changed by hand: the file holds what it began with, and the table of what happened holds the changes.");
        }
    }
    page.heading("This report");
    let folders: Vec<String> = reported.runs.iter().map(|run| shell(&run.folder)).collect();
    let command = format!("llavacode report {} --out {}", folders.join(" "), shell(path));
    page.raw(&format!("<pre>{}</pre>", escaped(&command)));
    page.note(&format!(
        "Written by llavacode {} on {}.",
        env!("CARGO_PKG_VERSION"),
        jiff::Timestamp::now()
    ));
}

fn evaluate(run: &Run, summary: &EvaluationSummary) -> String {
    let arms: Vec<String> = summary.arms.iter().map(|arm| arm.arm.to_string()).collect();
    format!(
        "llavacode evaluate {} --split {} --step {} --limit {} --arms {}",
        shell(&run.folder),
        summary.split,
        summary.step,
        summary.samples,
        arms.join(",")
    )
}

/// A path as a POSIX shell takes it.
fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_stays_one_word() {
        assert_eq!(shell(Path::new("runs/2026-11-24-a")), "runs/2026-11-24-a");
        assert_eq!(shell(Path::new("my runs/it's")), "'my runs/it'\\''s'");
    }
}
