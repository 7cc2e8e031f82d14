//! Pictures of the Compare and Cost stations at three sizes; written where LLAVACODE_SHOTS says, and not at all without it.
//! Of the runs in the folder LLAVACODE_REAL_RUNS, where that is set.

use std::path::PathBuf;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};

use super::demo_run::write;
use super::harness::{THEMES, act, painted, picture_folder, shoot};

#[test]
fn compare_and_cost_are_painted_at_every_size() {
    let Some(folder) = picture_folder() else { return };
    let kept = tempfile::tempdir().unwrap();
    let runs_dir = match std::env::var_os("LLAVACODE_REAL_RUNS").map(PathBuf::from) {
        Some(runs) => runs,
        None => {
            write(kept.path(), "aligned", true);
            write(kept.path(), "collapse", false);
            kept.path().to_owned()
        }
    };
    let runs: Vec<PathBuf> = llavacode::runs::list(&runs_dir)
        .into_iter()
        .map(|run| run.folder)
        .collect();
    for (theme, preference) in THEMES {
        for (name, size) in [
            ("small", [960.0, 600.0]),
            ("usual", [1280.0, 720.0]),
            ("large", [2560.0, 1440.0]),
        ] {
            let (mut h, _) = painted(&runs_dir, true, (theme, preference));
            h.set_size(size.into());
            act(&mut h, Action::Focus(runs[0].clone()));
            act(&mut h, Action::Go(Station::Compare));
            for _ in 0..3 {
                h.key_press(egui::Key::J);
                h.run_ok();
            }
            shoot(&mut h, &folder, &format!("compare-{name}"), theme);
            for run in runs.iter().skip(1).take(2) {
                act(&mut h, Action::ToggleOverlay(run.clone()));
            }
            h.get_by_role_and_label(Role::ComboBox, "beside it").click();
            h.run_ok();
            let entries: Vec<egui::Pos2> = h
                .query_all_by_label_contains(", step")
                .filter(|node| node.rect().height() < 40.0)
                .map(|node| node.rect().center())
                .collect();
            if let Some(at) = entries.last() {
                h.hover_at(*at);
                h.drag_at(*at);
                h.drop_at(*at);
                h.run_ok();
            }
            shoot(&mut h, &folder, &format!("compare-beside-{name}"), theme);
            act(&mut h, Action::Go(Station::Cost));
            h.key_press(egui::Key::J);
            h.run_ok();
            shoot(&mut h, &folder, &format!("cost-{name}"), theme);
            h.key_press(egui::Key::C);
            h.run_ok();
            h.key_press(egui::Key::Q);
            h.run_ok();
            shoot(&mut h, &folder, &format!("cost-other-{name}"), theme);
            act(&mut h, Action::Go(Station::Retrieve));
            shoot(&mut h, &folder, &format!("retrieve-{name}"), theme);
        }
    }
}
