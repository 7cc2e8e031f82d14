//! Pictures of the Collapse and Compare stations with something chosen; written where LLAVACODE_SHOTS says, and not at all without it.

use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::ui::Workbench;

use super::collapse::wait;
use super::demo_run::{write, write_with_checkpoint};
use super::harness::{THEMES, act, export, painted, picture_folder, shoot};
use super::laboratory::{answer, merged};

/// Frames after which a picture must be there.
const FRAMES: usize = 40;

/// A chart's picture is the part of the window that the chart takes.
fn exported(h: &mut Harness<'_, Workbench>, path: &Path) {
    let title = "loss, weighted sum";
    export(h, &format!("menu of {title}"), "Export PNG…", path);
    for _ in 0..FRAMES {
        h.run_ok();
        if path.exists() {
            break;
        }
    }
    let chart = h.get_by_label_contains(&format!("{title}, aligned")).rect();
    let size = image::image_dimensions(path).unwrap();
    assert!((size.0 as f32 - chart.width()).abs() <= 1.0 && (size.1 as f32 - chart.height()).abs() <= 1.0);
}

#[test]
fn collapse_and_compare_are_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    for (theme, preference) in THEMES {
        let (mut h, _) = painted(runs.path(), true, (theme, preference));
        let shoot = |h: &mut Harness<'_, Workbench>, name: &str| shoot(h, &folder, name, theme);
        act(&mut h, Action::Focus(collapse.clone()));
        act(&mut h, Action::Go(Station::Collapse));
        wait(&mut h);
        shoot(&mut h, "collapse-one");
        act(&mut h, Action::ToggleOverlay(aligned.clone()));
        wait(&mut h);
        shoot(&mut h, "collapse-two");
        let map = h.get_by_label_contains("encoder: choose two chunks").rect();
        let at = map.left_top() + map.size() * egui::vec2(0.105, 0.305);
        h.hover_at(at);
        h.drag_at(at);
        h.drop_at(at);
        shoot(&mut h, "collapse-pair");
        h.get_by_label("Close").click();
        h.run_ok();
        h.get_by_label("histogram over steps").click();
        shoot(&mut h, "collapse-steps");
        act(&mut h, Action::Focus(aligned.clone()));
        act(&mut h, Action::Go(Station::Compare));
        h.key_press(egui::Key::J);
        h.run_ok();
        for _ in 0..4 {
            h.key_press(egui::Key::J);
            h.run_ok();
        }
        shoot(&mut h, "compare-sample");
        act(&mut h, Action::Go(Station::Train));
        shoot(&mut h, "train-charts");
        exported(&mut h, &runs.path().join("exported.png"));
    }
}

#[test]
fn the_laboratory_is_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let collapse = write_with_checkpoint(runs.path(), "collapse", false);
    for (theme, preference, size) in [
        (egui::Theme::Dark, egui::ThemePreference::Dark, [1280.0, 720.0]),
        (egui::Theme::Light, egui::ThemePreference::Light, [2560.0, 1440.0]),
    ] {
        let (mut h, engine) = painted(runs.path(), true, (theme, preference));
        h.set_size(size.into());
        let shoot = |h: &mut Harness<'_, Workbench>, name: &str| shoot(h, &folder, &format!("lab-{name}"), theme);
        act(&mut h, Action::Focus(collapse.clone()));
        act(&mut h, Action::Go(Station::Collapse));
        wait(&mut h);
        act(&mut h, Action::PinStep(Some(18)));
        shoot(&mut h, "closed");
        for (key, name) in [
            (egui::Key::C, "pairs"),
            (egui::Key::S, "samples"),
            (egui::Key::T, "token"),
            (egui::Key::W, "whatif"),
            (egui::Key::A, "act"),
        ] {
            h.key_press(key);
            h.run_ok();
            merged(&mut h);
            shoot(&mut h, name);
            if matches!(key, egui::Key::T | egui::Key::W) {
                h.key_press(egui::Key::Enter);
                h.run_ok();
                answer(&mut h, &engine);
                if key == egui::Key::W {
                    let show = h.query_all_by_label("show").next().unwrap();
                    show.click();
                }
                shoot(&mut h, &format!("{name}-answer"));
            }
        }
    }
}

#[test]
fn views_of_collapse_are_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let views = [
        "cosine of every pair",
        "differences",
        "singular values",
        "among tokens",
        "norms",
        "instruments over steps",
    ];
    for (theme, preference, size) in [
        (egui::Theme::Dark, egui::ThemePreference::Dark, [1280.0, 720.0]),
        (egui::Theme::Light, egui::ThemePreference::Light, [2560.0, 1440.0]),
    ] {
        let (mut h, _) = painted(runs.path(), true, (theme, preference));
        h.set_size(size.into());
        let shoot = |h: &mut Harness<'_, Workbench>, name: &str| shoot(h, &folder, &format!("view-{name}"), theme);
        act(&mut h, Action::Focus(collapse.clone()));
        act(&mut h, Action::Go(Station::Collapse));
        act(&mut h, Action::PinStep(Some(6)));
        wait(&mut h);
        h.key_press(egui::Key::R);
        h.run_ok();
        act(&mut h, Action::PinStep(Some(42)));
        wait(&mut h);
        for view in views {
            h.get_by_label(view).click();
            shoot(&mut h, view);
        }
        h.get_by_label("cosine of every pair").click();
        h.run_ok();
        h.get_by_label_contains("encoder: choose two chunks").focus();
        h.run_ok();
        for key in [
            egui::Key::F,
            egui::Key::Plus,
            egui::Key::Plus,
            egui::Key::Plus,
            egui::Key::Plus,
            egui::Key::Plus,
        ] {
            h.key_press(key);
            h.run_ok();
        }
        shoot(&mut h, "zoomed");
        h.key_press(egui::Key::Num0);
        h.run_ok();
        h.key_press(egui::Key::Escape);
        h.run_ok();
        act(&mut h, Action::ToggleOverlay(aligned.clone()));
        wait(&mut h);
        for view in ["differences", "among tokens"] {
            h.get_by_label(view).click();
            shoot(&mut h, &format!("two-{view}"));
        }
    }
}
