//! The report: one file without network or scripts, that tells what the runs' files tell and escapes whatever they hold.

use std::path::{Path, PathBuf};

use egui::Key;
use llavacode::app::{Action, Station, UiCommand};
use llavacode::corpus::Split;
use llavacode::evaluation::SCORE_INFO;
use llavacode::evaluation::tables::tables;
use llavacode::runs::Run;
use llavacode::ui::format::{fixed, grouped};
use llavacode::ui::report::write_report;

use super::cost::without_costs;
use super::demo_run::{Demo, write};
use super::harness::{act, export_csv, figure, until, workbench};

fn report(runs: &[PathBuf], folder: &Path) -> String {
    let path = folder.join("report.html");
    write_report(runs, &path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// Every opening tag has its closing one, in order; void elements and self-closing ones have none.
fn assert_well_formed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name = tag.split([' ', '\n', '/']).find(|word| !word.is_empty()).unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "…{}", &part[..part.len().min(80)]);
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn a_report_is_one_well_formed_file_with_the_numbers_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [
        write(folder.path(), "aligned", true),
        write(folder.path(), "plain", false),
    ];
    for runs in [&runs[..1], &runs] {
        let html = report(runs, folder.path());
        assert_well_formed(&html);
        for outside in ["<script", "http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(html.contains("prefers-color-scheme: dark"));
        assert!(
            !html.contains("NaN") && !html.contains(">inf"),
            "a number is not finite"
        );
        let run = Run::open(&runs[0]).unwrap();
        let newest = run
            .evaluations
            .iter()
            .rfind(|summary| summary.split == Split::Validation)
            .unwrap();
        for cell in tables(newest)
            .iter()
            .flatten()
            .skip(1)
            .flatten()
            .filter(|cell| cell.contains('['))
        {
            assert!(html.contains(&format!("<td>{cell}</td>")), "{cell}");
        }
        for info in SCORE_INFO {
            assert!(html.contains(info.label), "{}", info.key);
        }
        assert!(html.contains("llavacode report"));
        assert!(html.matches("<svg viewBox=\"0 0 560").count() >= 8);
        assert_eq!(html.contains("Difference of settings"), runs.len() > 1);
    }
}

#[test]
fn the_report_has_the_points_and_the_numbers_of_the_cost_station() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [
        write(folder.path(), "aligned", true),
        write(folder.path(), "collapse", false),
    ];
    let html = report(&runs, folder.path());
    let (mut h, _) = workbench(folder.path(), true);
    act(&mut h, Action::Focus(runs[0].clone()));
    act(&mut h, Action::ToggleOverlay(runs[1].clone()));
    act(&mut h, Action::Go(Station::Cost));
    let mut drawn = 0;
    for key in [Key::Q, Key::Q, Key::Q, Key::C].repeat(3) {
        let text = figure(&h, "");
        assert!(text.contains(" against "), "{text}");
        if html.contains(&format!("aria-label=\"{text}\"")) {
            drawn += 1;
        } else {
            // Left out: the difference to no context, and memory, which is tokens on another scale.
            let title = text.split(": ").next().unwrap();
            assert!(title.contains("to no context") || title.contains("KV bytes"), "{text}");
        }
        h.key_press(key);
        h.run_ok();
        if key == Key::C {
            h.key_press(Key::Q);
            h.run_ok();
        }
    }
    assert_eq!(drawn, 6);
    assert!(html.contains("kB a prompt token in every arm"));
    let title = figure(&h, "").split(": ").next().unwrap().to_owned();
    let lines = export_csv(&mut h, &format!("menu of {title}"), &folder.path().join("costs.csv"));
    assert_eq!(
        lines.len(),
        1 + 2 * Run::open(&runs[0]).unwrap().evaluations.last().unwrap().arms.len()
    );
    for line in &lines[1..] {
        for (place, numbers) in line[6..].chunks(3).enumerate() {
            let text = |number: &String| {
                let number: f64 = number.parse().unwrap();
                match place {
                    0 => grouped(number.round() as i64),
                    1 | 2 => llavacode::ui::format::number(number),
                    3 | 4 => fixed(number, 1),
                    _ => fixed(number, 3),
                }
            };
            let [mean, low, high] = [&numbers[0], &numbers[1], &numbers[2]].map(text);
            let cell = match numbers[1] == numbers[2] {
                true => mean,
                false => format!("{mean} [{low}, {high}]"),
            };
            assert!(html.contains(&format!("<td>{cell}</td>")), "{cell} of {line:?}");
        }
    }
}

#[test]
fn an_arm_without_a_cost_and_a_run_without_an_evaluation_are_told_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let aligned = write(folder.path(), "aligned", true);
    without_costs(&aligned);
    let mut young = Demo::start(folder.path(), "young", true);
    young.train_to(6);
    let html = report(&[aligned, young.folder()], folder.path());
    assert_well_formed(&html);
    for sentence in [
        "young has no evaluation on the validation split, and no point here.",
        "aligned: no interval of prompt tokens, because an earlier program wrote the evaluation.",
        "▲ aligned has no KV bytes, MB: an earlier program wrote the evaluation",
    ] {
        assert!(html.contains(&format!("<p>{sentence}")), "{sentence}");
    }
    assert!(html.contains("ES, % against prompt tokens") && !html.contains("against KV bytes"));
    assert!(html.contains("<td>—</td>"));
    let html = report(&[young.folder()], folder.path());
    assert_well_formed(&html);
    assert!(html.contains("<p>No run was evaluated yet."));
}

#[test]
fn what_a_run_holds_cannot_become_a_tag() {
    let folder = tempfile::tempdir().unwrap();
    let run = write(folder.path(), "aligned", true);
    for name in ["experiment.toml", "manifest.json", "evaluations/samples.jsonl"] {
        let path = run.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text
            .replace("aligned", "<img src=x>")
            .replace("usage:", "</pre><img src=x>");
        std::fs::write(path, text.replace("cpu", "<img src=x>")).unwrap();
    }
    let moved = folder.path().join("a <img src=x> & b");
    std::fs::rename(run, &moved).unwrap();
    let html = report(&[moved], folder.path());
    assert!(!html.contains("<img"));
    assert!(html.contains("&lt;img src=x&gt;"));
    assert_well_formed(&html);
}

#[test]
fn the_command_writes_a_report_into_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = write(folder.path(), "aligned", true);
    let (mut h, _) = workbench(folder.path(), true);
    act(&mut h, Action::Focus(run.clone()));
    act(&mut h, Action::Command(UiCommand::Report));
    let told = |h: &egui_kittest::Harness<'_, llavacode::ui::Workbench>| {
        let newest = h.state().state().notices.newest().map(|notice| notice.text.clone());
        newest.is_some_and(|text| text.starts_with("the report is written"))
    };
    until(&mut h, "the report", told);
    assert_well_formed(&std::fs::read_to_string(run.join("report.html")).unwrap());
}
