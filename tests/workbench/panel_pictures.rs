//! Pictures of the Runs and Retrieve stations, of sweeps and prompts; written where LLAVACODE_SHOTS says, and not at all without it.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, RunsPage, Station, UiCommand};
use llavacode::runs::Run;
use llavacode::ui::Workbench;

use super::collapse::wait;
use super::demo_run::{Demo, write, write_with_checkpoint};
use super::evaluations::answered;
use super::harness::{THEMES, act, painted, picture_folder, shoot};
use super::runs_table::opened;
use super::sweep::sweep;

#[test]
fn runs_sweeps_retrieval_and_prompts_are_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let aligned = write_with_checkpoint(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let _live = Demo::start(runs.path(), "live", true);
    let mut failed = Demo::start(runs.path(), "out-of-memory", true);
    failed.train_to(20);
    failed.fail("out of memory");
    sweep(runs.path(), 13);
    for (theme, preference) in THEMES {
        for (size, name) in [(egui::vec2(1440.0, 900.0), ""), (egui::vec2(960.0, 600.0), "-small")] {
            let (mut h, engine) = painted(runs.path(), true, (theme, preference));
            h.set_size(size);
            let shoot = |h: &mut Harness<'_, Workbench>, what: &str| shoot(h, &folder, &format!("{what}{name}"), theme);
            act(&mut h, Action::Focus(aligned.clone()));
            opened(&mut h);
            shoot(&mut h, "panel-runs-one");
            h.get_by_label("Evaluations").click();
            shoot(&mut h, "panel-evaluations-one");
            act(&mut h, Action::ToggleOverlay(collapse.clone()));
            shoot(&mut h, "panel-evaluations");
            h.get_by_label("Curves").click();
            h.run_ok();
            wait(&mut h);
            shoot(&mut h, "panel-curves");
            h.get_by_label("Difference of settings").click();
            shoot(&mut h, "panel-settings");
            h.get_by_label("Actions of aligned").click();
            shoot(&mut h, "panel-actions");
            h.key_press(egui::Key::Escape);
            act(&mut h, Action::ShowRuns(RunsPage::Sweep));
            h.run_ok();
            shoot(&mut h, "panel-sweep");
            h.get_by_label("cells").click();
            shoot(&mut h, "panel-sweep-cells");
            act(&mut h, Action::Command(UiCommand::RunSweep));
            shoot(&mut h, "panel-sweep-ask");
            act(&mut h, Action::CloseOverlays);
            act(&mut h, Action::Go(Station::Retrieve));
            h.key_press(egui::Key::J);
            h.run_ok();
            h.key_press(egui::Key::J);
            shoot(&mut h, "panel-retrieve");
            act(&mut h, Action::Go(Station::Compare));
            h.get_by_label("Complete again now").click();
            h.run_ok();
            let command = engine.sent.borrow().last().cloned().unwrap();
            engine.answer(answered(&command, &Run::open(&aligned).unwrap()));
            h.run_ok();
            if h.query_by_label_contains("prompt of compressed:").is_none() {
                h.get_by_label("prompts, token by token").click();
            }
            h.set_size(size + egui::vec2(0.0, 500.0));
            shoot(&mut h, "panel-prompt");
        }
    }
}
