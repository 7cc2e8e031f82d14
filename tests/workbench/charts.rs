//! What every chart can do: hide a series, turn into a table, write its numbers; and stay quick with long runs.

use std::sync::Arc;
use std::time::Instant;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::ui::Workbench;
use llavacode::ui::charts::{LineChart, Scale, Series};
use llavacode::ui::theme::{self, Theme};

use super::demo_run::{STEPS, write};
use super::harness::{export_csv, workbench};

const LOSS: &str = "loss, weighted sum";

fn opened(runs: &std::path::Path) -> Harness<'static, Workbench> {
    let aligned = write(runs, "aligned", true);
    let collapse = write(runs, "collapse", false);
    let (mut h, _) = workbench(runs, true);
    for action in [
        Action::Focus(aligned),
        Action::ToggleOverlay(collapse),
        Action::Go(Station::Train),
    ] {
        let ctx = h.ctx.clone();
        h.state_mut().act(&ctx, action);
        h.run_ok();
    }
    h
}

/// What a person who does not see the chart is told.
fn summary(runs: &std::path::Path) -> String {
    let last = |name: &str| {
        let folder = llavacode::runs::list(runs)
            .into_iter()
            .find(|run| run.name == name)
            .unwrap();
        let run = llavacode::runs::Run::open(&folder.folder).unwrap();
        llavacode::ui::format::number(run.scalars.last().unwrap().loss)
    };
    let [aligned, collapse] = ["aligned", "collapse"].map(last);
    format!("{LOSS}, aligned {aligned} at step {STEPS}, collapse {collapse} at step {STEPS}")
}

fn menu(h: &mut Harness<'_, Workbench>, title: &str, entry: &str) {
    h.get_by_label(&format!("menu of {title}")).click();
    h.run_ok();
    h.get_by_label(entry).click();
    h.run_ok();
}

#[test]
fn a_chart_is_summed_up_for_screen_readers() {
    let runs = tempfile::tempdir().unwrap();
    let h = opened(runs.path());
    let summary = summary(runs.path());
    assert!(h.get_by_role_and_label(Role::Figure, &summary).rect().is_positive());
}

#[test]
fn a_chart_turns_into_a_table_and_back() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path());
    menu(&mut h, LOSS, "Show as table");
    assert!(h.query_all_by_label("step").next().is_some());
    assert!(h.query_all_by_label("collapse").count() > 1, "a column a run");
    menu(&mut h, LOSS, "Show as chart");
}

#[test]
fn numbers_are_written_as_csv() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path());
    let lines = export_csv(&mut h, &format!("menu of {LOSS}"), &runs.path().join("loss.csv"));
    assert_eq!(lines[0], ["step", "aligned", "collapse"]);
    assert_eq!(lines.len(), STEPS + 1);
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path());
    menu(&mut h, LOSS, "Export CSV…");
    h.get_by_role_and_label(Role::TextInput, "file").focus();
    h.run_ok();
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    let path = runs.path().join("nowhere").join("loss.csv");
    h.get_by_role_and_label(Role::TextInput, "file")
        .type_text(&path.display().to_string());
    h.run_ok();
    h.get_by_label("Save").click();
    h.run_ok();
    assert!(h.query_by_label_contains("not saved").is_some());
}

#[test]
fn a_click_in_a_chart_pins_the_step_for_every_station() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path());
    let chart = h.get_by_label_contains(&format!("{LOSS}, aligned")).rect();
    h.hover_at(chart.center());
    h.run_ok();
    let hovered = h
        .state()
        .state()
        .selection
        .hovered_step
        .expect("the pointer marks a step");
    h.drag_at(chart.center());
    h.drop_at(chart.center());
    h.run_ok();
    assert_eq!(h.state().state().selection.step, Some(hovered));
    assert!((20..70).contains(&hovered), "the middle of the run, not {hovered}");
}

#[test]
fn long_runs_are_decimated_and_quick() {
    let points: Vec<Arc<[[f64; 2]]>> = (0..4)
        .map(|curve| {
            (0..20_000)
                .map(|at| [f64::from(at), (f64::from(at * (curve + 1)) * 0.01).sin() + 2.0])
                .collect()
        })
        .collect();
    let mut h = Harness::builder()
        .with_size([1000.0, 600.0])
        .with_context_setup(theme::install)
        .build_ui(move |ui| {
            let series: Vec<Series> = points
                .iter()
                .enumerate()
                .map(|(index, points)| {
                    let sign = Theme::of(ui).run(index);
                    let mut series = Series::new(format!("run {index}"), sign, Arc::clone(points));
                    series.smoothing = 0.9;
                    series
                })
                .collect();
            LineChart {
                id: egui::Id::unique("long"),
                title: "long",
                x_label: "step",
                unit: "",
                series: &series,
                last_x: 20_000.0,
                flags: &[],
                scale: Scale::Log,
                cursor: None,
                pinned: None,
                height: 400.0,
                empty: "nothing",
                group: None,
            }
            .show(ui);
        });
    h.run_ok();
    assert!(h.query_by_label_contains("decimated").is_some());
    let start = Instant::now();
    h.run_steps(20);
    let frame = start.elapsed() / 20;
    println!("4 curves of 20,000 points: {frame:?} a frame");
    assert!(frame.as_millis() < 50, "{frame:?} a frame");
}

#[test]
fn runs_of_equal_name_keep_their_own_curves() {
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "same", true);
    let first = runs.path().join("2020-01-01-same");
    std::fs::rename(aligned, &first).unwrap();
    let second = write(runs.path(), "same", false);
    let (mut h, _) = workbench(runs.path(), true);
    for action in [
        Action::Focus(first.clone()),
        Action::ToggleOverlay(second.clone()),
        Action::Go(Station::Train),
    ] {
        let ctx = h.ctx.clone();
        h.state_mut().act(&ctx, action);
        h.run_ok();
    }
    let told = |folder: &std::path::Path| {
        let run = llavacode::runs::Run::open(folder).unwrap();
        let loss = llavacode::ui::format::number(run.scalars.last().unwrap().loss);
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        format!("{name} {loss} at step {STEPS}")
    };
    let summary = format!("{LOSS}, {}, {}", told(&first), told(&second));
    assert!(h.query_by_role_and_label(Role::Figure, &summary).is_some(), "{summary}");
}
