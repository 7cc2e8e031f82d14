//! Pictures of every station in both modes; written where LLAVACODE_SHOTS says, and not at all without it.

use llavacode::app::{Action, Station, UiCommand};
use llavacode::engine::{Event, Progress, Severity, WorkerState};

use super::demo_run::{Demo, write};
use super::harness::{THEMES, act, painted, picture_folder, shoot, training};

#[test]
fn every_station_is_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let empty = tempfile::tempdir().unwrap();
    for look in THEMES {
        let theme = look.0;
        let (mut h, engine) = painted(empty.path(), false, look);
        shoot(&mut h, &folder, "first-start", theme);
        act(&mut h, Action::Command(UiCommand::UseFolders));
        shoot(&mut h, &folder, "folders", theme);
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::Fetch);
        engine.answer(Event::FetchProgress(Some(Progress {
            task: "Reader SmolLM2-135M-Instruct".into(),
            done: 61_000_000,
            total: 243_600_000,
            unit: "bytes",
        })));
        shoot(&mut h, &folder, "first-start-fetching", theme);
        engine.answer(Event::Fetched { missing: Vec::new() });
        shoot(&mut h, &folder, "train-empty", theme);
        engine.answer(Event::State(WorkerState::Preparing));
        engine.answer(Event::Progress(Some(Progress {
            task: "encoding chunks".into(),
            done: 1234,
            total: 4100,
            unit: "chunks",
        })));
        shoot(&mut h, &folder, "train-preparing", theme);

        let (mut h, engine) = painted(runs.path(), true, look);
        act(&mut h, Action::Focus(aligned.clone()));
        act(&mut h, Action::ToggleOverlay(collapse.clone()));
        act(
            &mut h,
            Action::SetField {
                key: "schedule.steps",
                text: "850".into(),
            },
        );
        act(
            &mut h,
            Action::SetField {
                key: "projector.depth",
                text: "9".into(),
            },
        );
        for station in [Station::Train, Station::Runs] {
            act(&mut h, Action::Go(station));
            shoot(&mut h, &folder, &station.to_string().to_lowercase(), theme);
        }
        act(&mut h, Action::Command(UiCommand::Palette));
        shoot(&mut h, &folder, "palette", theme);
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::Command(UiCommand::Shortcuts));
        shoot(&mut h, &folder, "shortcuts", theme);
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::AskDelete(Some(collapse.clone())));
        shoot(&mut h, &folder, "delete", theme);
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::Command(UiCommand::ToggleLogDrawer));
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
        shoot(&mut h, &folder, "log", theme);
        act(&mut h, Action::Command(UiCommand::ToggleLogDrawer));

        let live = tempfile::tempdir().unwrap();
        let mut run = Demo::start(live.path(), "live", false);
        run.train_to(41);
        act(&mut h, Action::Go(Station::Train));
        engine.answer(Event::RunStarted(run.folder()));
        engine.answer(training(&run.folder(), 41, false));
        shoot(&mut h, &folder, "train-live", theme);
    }
}
