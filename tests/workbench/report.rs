//! The report: one file without network or scripts, that tells what the runs' files tell and escapes whatever they hold.

use std::path::{Path, PathBuf};

use llavacode::app::{Action, UiCommand};
use llavacode::corpus::Split;
use llavacode::evaluation::SCORE_INFO;
use llavacode::evaluation::tables::tables;
use llavacode::runs::Run;
use llavacode::ui::report::write_report;

use super::demo_run::write;
use super::harness::{act, until, workbench};

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
