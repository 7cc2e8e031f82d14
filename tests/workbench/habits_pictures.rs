//! Pictures of panes that were moved, of large text and of what was open before; written where LLAVACODE_SHOTS says, and not at
//! all without it.

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, LayoutAction, Pane, PaneMove, Station, UiCommand};
use llavacode::ui::Workbench;
use strum::IntoEnumIterator as _;

use super::collapse::wait;
use super::demo_run::write;
use super::harness::{THEMES, act, painted, picture_folder, shoot};

#[test]
fn habits_are_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let elsewhere = tempfile::tempdir().unwrap();
    let copied = write(elsewhere.path(), "copied", false);
    for look in THEMES {
        let theme = look.0;
        let (mut h, _) = painted(runs.path(), true, look);
        h.set_size(egui::vec2(1280.0, 720.0));
        let shoot = |h: &mut Harness<'_, Workbench>, name: &str| shoot(h, &folder, name, theme);
        let arrange = |h: &mut Harness<'_, Workbench>, pane: Pane, asked: PaneMove| {
            act(h, Action::Layout(LayoutAction::Move(pane, asked)));
        };
        act(&mut h, Action::Focus(copied.clone()));
        act(&mut h, Action::Focus(aligned.clone()));
        for station in Station::iter() {
            act(&mut h, Action::Go(station));
            if station == Station::Collapse {
                wait(&mut h);
            }
            shoot(&mut h, &format!("panes-{}", station.to_string().to_lowercase()));
        }
        act(&mut h, Action::Go(Station::Collapse));
        act(&mut h, Action::ToggleOverlay(collapse.clone()));
        wait(&mut h);
        h.key_press(Key::C);
        wait(&mut h);
        shoot(&mut h, "panes-collapse-drawer");
        arrange(&mut h, Pane::Instruments, PaneMove::Tabs);
        wait(&mut h);
        shoot(&mut h, "panes-collapse-tabs");
        act(&mut h, Action::Layout(LayoutAction::Choose(None)));
        h.get_by_label("Arrange charts").click();
        h.run_ok();
        shoot(&mut h, "panes-menu");
        h.key_press(Key::Escape);
        h.run_ok();
        act(&mut h, Action::Command(UiCommand::Layouts));
        shoot(&mut h, "layouts");
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::Command(UiCommand::ExportCharts));
        shoot(&mut h, "export-charts");
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::Go(Station::Train));
        arrange(&mut h, Pane::Experiment, PaneMove::Right);
        shoot(&mut h, "panes-train-moved");
        act(&mut h, Action::Command(UiCommand::Undo));
        h.get_by_label_contains("run: aligned").click();
        h.run_ok();
        shoot(&mut h, "recent-runs");
        h.key_press(Key::Escape);
        h.run_ok();
        h.key_press_modifiers(Modifiers::COMMAND, Key::K);
        h.run_ok();
        h.get_by_label("Name of a command").type_text("pane");
        h.run_ok();
        shoot(&mut h, "palette-panes");
        h.key_press(Key::Escape);
        h.run_ok();
        // A window of 1280 × 720 in which everything is drawn larger.
        act(&mut h, Action::Command(UiCommand::Shortcuts));
        shoot(&mut h, "keys");
        act(&mut h, Action::CloseOverlays);
        act(&mut h, Action::Command(UiCommand::ResetLayout));
        act(&mut h, Action::Command(UiCommand::LargerText));
        // The drawer of the Collapse station is closed.
        act(&mut h, Action::Go(Station::Collapse));
        h.key_press(Key::C);
        h.run_ok();
        for name in ["larger", "largest"] {
            act(&mut h, Action::Command(UiCommand::LargerText));
            let factor = h.state().state().text_size.factor();
            h.set_size(egui::vec2(1280.0, 720.0) / factor);
            for station in Station::iter() {
                act(&mut h, Action::Go(station));
                if station == Station::Collapse {
                    wait(&mut h);
                }
                shoot(&mut h, &format!("{name}-{}", station.to_string().to_lowercase()));
            }
        }
    }
}

#[test]
fn every_chart_of_a_station_is_written_into_a_folder() {
    if picture_folder().is_none() {
        return;
    }
    let (runs, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = painted(runs.path(), true, THEMES[0]);
    act(&mut h, Action::Focus(run));
    let pictures = out.path().join("charts");
    for (station, least) in [(Station::Train, 4), (Station::Collapse, 4)] {
        act(&mut h, Action::Go(station));
        if station == Station::Collapse {
            wait(&mut h);
        }
        act(&mut h, Action::Command(UiCommand::ExportCharts));
        let field = llavacode::app::PathField::Charts;
        let folder = pictures.join(station.to_string());
        act(&mut h, Action::SetPath(field, folder.display().to_string()));
        act(&mut h, Action::ExportCharts);
        for _ in 0..400 {
            h.step();
        }
        let text = h.state().state().notices.newest().unwrap().text.clone();
        let files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .map(|file| file.path())
            .collect();
        assert!(
            text.starts_with(&format!("saved {} charts", files.len())),
            "{text}: {files:?}"
        );
        assert!(files.len() >= least);
        for file in files {
            let (width, height) = image::image_dimensions(&file).unwrap();
            assert!(width > 100 && height > 80, "{}", file.display());
        }
    }
}
