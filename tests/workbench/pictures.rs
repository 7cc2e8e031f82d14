//! Pictures of every station in both modes; written where LLAVACODE_SHOTS says, and not at all without it.

use std::path::Path;

use egui_kittest::Harness;
use llavacode::app::{Action, Station, UiCommand};
use llavacode::engine::{Event, Progress, Severity, WorkerState};
use llavacode::ui::Workbench;

use super::demo_run::{Demo, write};
use super::harness::{build, training};

fn shoot(h: &mut Harness<'_, Workbench>, folder: &Path, name: &str, theme: egui::Theme) {
    h.run_ok();
    let mode = if theme == egui::Theme::Dark { "dark" } else { "light" };
    h.render()
        .unwrap()
        .save(folder.join(format!("{name}-{mode}.png")))
        .unwrap();
}

fn set(h: &mut Harness<'_, Workbench>, action: Action) {
    let ctx = h.ctx.clone();
    h.state_mut().act(&ctx, action);
    h.run_ok();
}

#[test]
fn every_station_is_painted() {
    let Some(folder) = std::env::var_os("LLAVACODE_SHOTS") else {
        return;
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let empty = tempfile::tempdir().unwrap();
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        let preference = if theme == egui::Theme::Dark {
            egui::ThemePreference::Dark
        } else {
            egui::ThemePreference::Light
        };
        let painted = || Harness::builder().with_theme(theme).with_render_cursor(false).wgpu();
        let (mut h, engine) = build(painted(), empty.path(), false);
        set(&mut h, Action::SetTheme(preference));
        shoot(&mut h, folder, "first-start", theme);
        set(&mut h, Action::Command(UiCommand::UseFolders));
        shoot(&mut h, folder, "folders", theme);
        set(&mut h, Action::CloseOverlays);
        set(&mut h, Action::Fetch);
        engine.answer(Event::FetchProgress(Some(Progress {
            task: "Reader SmolLM2-135M-Instruct".into(),
            done: 61_000_000,
            total: 243_600_000,
            unit: "bytes",
        })));
        shoot(&mut h, folder, "first-start-fetching", theme);
        engine.answer(Event::Fetched { missing: Vec::new() });
        shoot(&mut h, folder, "train-empty", theme);
        engine.answer(Event::State(WorkerState::Preparing));
        engine.answer(Event::Progress(Some(Progress {
            task: "encoding chunks".into(),
            done: 1234,
            total: 4100,
            unit: "chunks",
        })));
        shoot(&mut h, folder, "train-preparing", theme);

        let (mut h, engine) = build(painted(), runs.path(), true);
        set(&mut h, Action::SetTheme(preference));
        set(&mut h, Action::Focus(aligned.clone()));
        set(&mut h, Action::ToggleOverlay(collapse.clone()));
        set(
            &mut h,
            Action::SetField {
                key: "schedule.steps",
                text: "850".into(),
            },
        );
        set(
            &mut h,
            Action::SetField {
                key: "projector.depth",
                text: "9".into(),
            },
        );
        for station in [Station::Train, Station::Runs] {
            set(&mut h, Action::Go(station));
            shoot(&mut h, folder, &station.to_string().to_lowercase(), theme);
        }
        set(&mut h, Action::Command(UiCommand::Palette));
        shoot(&mut h, folder, "palette", theme);
        set(&mut h, Action::CloseOverlays);
        set(&mut h, Action::Command(UiCommand::Shortcuts));
        shoot(&mut h, folder, "shortcuts", theme);
        set(&mut h, Action::CloseOverlays);
        set(&mut h, Action::AskDelete(Some(collapse.clone())));
        shoot(&mut h, folder, "delete", theme);
        set(&mut h, Action::CloseOverlays);
        set(&mut h, Action::Command(UiCommand::ToggleLogDrawer));
        engine.answer(Event::Notice(
            Severity::Warning,
            "3 of 4100 chunks were left out: their files are not UTF-8".into(),
        ));
        engine.answer(Event::Notice(
            Severity::Error,
            "the disk that holds runs/2026-11-24-live is full; free some space, or choose another folder with --runs-dir (what \
             was written before is kept)"
                .into(),
        ));
        shoot(&mut h, folder, "log", theme);
        set(&mut h, Action::Command(UiCommand::ToggleLogDrawer));

        let live = tempfile::tempdir().unwrap();
        let mut run = Demo::start(live.path(), "live", false);
        run.train_to(41);
        set(&mut h, Action::Go(Station::Train));
        engine.answer(Event::RunStarted(run.folder()));
        engine.answer(training(&run.folder(), 41, false));
        shoot(&mut h, folder, "train-live", theme);
    }
}
