//! Blind review by keyboard: nothing tells the arms, every vote is on the disk at once, and a killed review goes on where it was.

use std::path::{Path, PathBuf};

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, ReviewAction, ReviewForm, Station, UiCommand};
use llavacode::corpus::Split;
use llavacode::evaluation::Arm;
use llavacode::runs::{Answer, ReviewDesign, ReviewMaterial, ReviewPlan, ReviewResults, Reviews, Run};
use llavacode::ui::Workbench;

use super::demo_run::{STEPS, write};
#[cfg(unix)]
use super::harness::Held;
use super::harness::{THEMES, act, export_csv, painted, picture_folder, shoot, until, workbench};

const ARMS: [Arm; 3] = [Arm::NoContext, Arm::Compressed, Arm::FullRag];

fn design(samples: usize) -> ReviewDesign {
    ReviewDesign {
        step: STEPS,
        split: Split::Validation,
        arms: ARMS.to_vec(),
        samples,
        seed: 1,
    }
}

fn opened(runs: &Path, run: &Path) -> Harness<'static, Workbench> {
    let (mut h, _) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    h.key_press(egui::Key::B);
    h.run_ok();
    rest(&mut h);
    h
}

/// Threads read for the pages.
fn rest(h: &mut Harness<'_, Workbench>) {
    until(h, "what the review reads", |h| {
        let desk = &h.state().state().review;
        let form = desk.material.is_awaited() || desk.earlier.is_awaited();
        !(form || desk.session.is_awaited() || desk.findings.is_awaited())
    });
    h.run_ok();
}

/// The completions of the evaluation that is reviewed.
fn completions(run: &Path) -> PathBuf {
    run.join(format!("evaluations/step-{STEPS}.jsonl"))
}

/// Types a name and begins, by keyboard alone.
fn begin(h: &mut Harness<'_, Workbench>, name: &str) {
    h.run_ok();
    h.get_by_label("reviewer").type_text(name);
    h.run_ok();
    h.key_press(egui::Key::Enter);
    h.run_ok();
    rest(h);
}

fn press(h: &mut Harness<'_, Workbench>, key: egui::Key) {
    h.key_press(key);
    h.run_ok();
}

fn answered(h: &Harness<'_, Workbench>) -> usize {
    h.state().state().reviewing().unwrap().answered()
}

#[test]
fn a_vote_that_was_taken_back_is_given_again() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    begin(&mut h, "Ada");
    press(&mut h, egui::Key::ArrowLeft);
    let kept = || {
        let reviews = Reviews::read(&run).unwrap();
        reviews
            .designs()
            .iter()
            .map(|design| reviews.of(design).count())
            .sum::<usize>()
    };
    assert_eq!((answered(&h), kept()), (1, 1));
    let back = egui::Modifiers::COMMAND;
    for (modifiers, votes) in [(back, 0), (back | egui::Modifiers::SHIFT, 1)] {
        h.key_press_modifiers(modifiers, egui::Key::Z);
        h.run_ok();
        assert_eq!((answered(&h), kept()), (votes, votes));
    }
}

/// Every text that can be read in the window.
fn texts(h: &Harness<'_, Workbench>) -> String {
    let nodes = h.query_all(egui_kittest::kittest::By::new());
    let texts = nodes.map(|node| {
        let node = node.accesskit_node();
        let (label, value) = (node.label().unwrap_or_default(), node.value().unwrap_or_default());
        format!("{label} {value}")
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_review_is_done_by_keyboard_and_goes_on_after_a_kill() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    assert_eq!(h.state().state().station, Station::Compare);
    begin(&mut h, "Ada");
    let material = ReviewMaterial::read(&Run::open(&run).unwrap(), STEPS, Split::Validation).unwrap();
    let plan = ReviewPlan::draw(&design(20), "Ada", &material);
    assert_eq!(h.state().state().reviewing().unwrap().plan, plan);
    assert!(plan.questions.len() > 6, "the demo run must have questions");
    let shown = texts(&h);
    for arm in ARMS {
        assert!(!shown.contains(arm.label()), "{} is named:\n{shown}", arm.label());
    }
    let first = &plan.questions[0];
    let target = material.sample(&first.pair.sample).unwrap().sample.expected_line();
    assert!(!shown.contains(&format!("true line {target}")));

    for key in [egui::Key::ArrowLeft, egui::Key::ArrowRight, egui::Key::ArrowUp] {
        press(&mut h, key);
    }
    assert_eq!(Reviews::read(&run).unwrap().votes.len(), 3);
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    h.run_ok();
    assert_eq!((answered(&h), Reviews::read(&run).unwrap().votes.len()), (2, 2));
    assert!(h.state().state().reviewing().unwrap().target_shown);
    press(&mut h, egui::Key::ArrowDown);
    press(&mut h, egui::Key::T);
    press(&mut h, egui::Key::ArrowLeft);
    let votes = Reviews::read(&run).unwrap().votes;
    let answers: Vec<Answer> = votes.iter().map(|vote| vote.answer).collect();
    assert_eq!(answers, [Answer::Left, Answer::Right, Answer::BothBad, Answer::Left]);
    assert_eq!(
        votes.iter().map(|vote| vote.target_seen).collect::<Vec<_>>(),
        [false, false, true, true]
    );

    // A kill in the middle of a line.
    drop(h);
    let path = run.join("reviews.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"kind\":\"vote\",\"time\":");
    std::fs::write(&path, text).unwrap();
    let mut h = opened(runs.path(), &run);
    h.get_by_label("Go on as Ada").click();
    h.run_ok();
    rest(&mut h);
    assert_eq!(answered(&h), 4);
    while h.state().state().reviewing().unwrap().question().is_some() {
        press(&mut h, egui::Key::ArrowRight);
    }
    let reviews = Reviews::read(&run).unwrap();
    assert!(reviews.warnings.is_empty(), "{:?}", reviews.warnings);
    let asked: Vec<_> = plan
        .questions
        .iter()
        .map(|question| (question.left(), question.right()))
        .collect();
    let voted: Vec<_> = reviews.votes.iter().map(|vote| (vote.left, vote.right)).collect();
    assert_eq!(voted, asked);

    press(&mut h, egui::Key::Enter);
    rest(&mut h);
    let export = runs.path().join("votes");
    act(
        &mut h,
        Action::Review(ReviewAction::SetExportPath(export.display().to_string())),
    );
    press(&mut h, egui::Key::E);
    let lines = std::fs::read_to_string(export.with_extension("jsonl")).unwrap();
    let csv = std::fs::read_to_string(export.with_extension("csv")).unwrap();
    assert_eq!(lines.lines().count(), plan.questions.len());
    assert_eq!(csv.lines().count(), plan.questions.len() + 1);
    let row: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(row["answer"], "left");
    assert_eq!(row["winner"], row["left"]);
}

#[test]
fn a_key_that_is_held_down_is_one_vote_and_typing_is_none() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    begin(&mut h, "Ada");
    let event = |repeat| egui::Event::Key {
        key: egui::Key::ArrowLeft,
        physical_key: None,
        pressed: true,
        repeat,
        modifiers: egui::Modifiers::NONE,
    };
    h.event(event(false));
    h.run_ok();
    for _ in 0..5 {
        h.event(event(true));
        h.run_ok();
    }
    assert_eq!(answered(&h), 1);
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
    h.run_ok();
    press(&mut h, egui::Key::ArrowLeft);
    assert_eq!(answered(&h), 1);
}

#[test]
fn reviewers_answer_the_same_questions_in_their_own_order_and_kappa_tells_their_agreement() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let material = ReviewMaterial::read(&Run::open(&run).unwrap(), STEPS, Split::Validation).unwrap();
    let plan = |name: &str| ReviewPlan::draw(&design(20), name, &material);
    let (ada, bob) = (plan("Ada"), plan("Bob"));
    assert_eq!((&ada.samples, &ada.identical), (&bob.samples, &bob.identical));
    assert_ne!(ada.questions, bob.questions);
    let pairs = |plan: &ReviewPlan| {
        let mut pairs: Vec<_> = plan.questions.iter().map(|question| question.pair.clone()).collect();
        pairs.sort();
        pairs
    };
    assert_eq!(pairs(&ada), pairs(&bob));
    assert_eq!(ada.questions.len() + ada.identical.len(), 3 * ada.samples.len());

    // Both always prefer the arm with more context.
    for (name, plan) in [("Ada", &ada), ("Bob", &bob)] {
        let mut h = opened(runs.path(), &run);
        begin(&mut h, name);
        for question in &plan.questions {
            let key = match question.left() > question.right() {
                true => egui::Key::ArrowLeft,
                false => egui::Key::ArrowRight,
            };
            press(&mut h, key);
        }
    }
    let reviews = Reviews::read(&run).unwrap();
    let results = ReviewResults::of(&design(20), &reviews, &material);
    assert_eq!(results.agreement.len(), 1);
    assert_eq!(
        (results.agreement[0].equal, results.agreement[0].kappa),
        (1.0, Some(1.0))
    );
    assert_eq!(results.agreement[0].questions, ada.questions.len());
    assert_eq!(results.alpha, Some(1.0));
    for pair in &results.pairs {
        assert!(pair.one > pair.other);
        assert_eq!((pair.votes[1], pair.open), (0, 0), "{pair:?}");
        assert_eq!(pair.votes[0], 2 * pair.judged);
        assert_eq!(pair.judged + pair.identical, ada.samples.len());
        let expected = (pair.judged as f64 + 0.5 * pair.identical as f64) / ada.samples.len() as f64;
        assert!((pair.with_identical.mean - expected).abs() < 1e-12);
    }
    let sides = results.position;
    assert_eq!(sides.left + sides.right, 2 * ada.questions.len());
    assert!(sides.p > 0.0 && sides.p <= 1.0);
    let left = |name: &str| {
        let plan = plan(name);
        plan.questions
            .iter()
            .filter(|question| question.left() > question.right())
            .count()
    };
    assert_eq!(sides.left, left("Ada") + left("Bob"));
}

#[cfg(unix)]
#[test]
fn the_form_is_filled_in_while_a_slow_disk_is_read() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let held = Held::new(&completions(&run));
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(run.clone()));
    press(&mut h, egui::Key::B);
    h.get_by_label("Reading the completions…");
    h.get_by_label("reviewer").type_text("Ada");
    h.run_ok();
    assert!(h.get_by_label("Begin (Enter)").accesskit_node().is_disabled());
    held.release();
    rest(&mut h);
    assert!(h.query_by_label_contains("Reading").is_none());
    h.get_by_label("Begin (Enter)").click();
    h.run_ok();
    rest(&mut h);
    assert_eq!(h.state().state().reviewing().unwrap().reviewer, "Ada");
}

/// The texts that name a file.
fn naming(h: &Harness<'_, Workbench>, file: &Path) -> usize {
    h.query_all_by_label_contains(&file.display().to_string()).count()
}

#[test]
fn what_cannot_be_read_is_named_and_tried_again() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (file, votes) = (completions(&run), run.join("reviews.jsonl"));
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, "{oh}\n").unwrap();
    std::fs::create_dir(&votes).unwrap();
    let mut h = opened(runs.path(), &run);
    assert_eq!((naming(&h, &file), naming(&h, &votes)), (1, 1));
    std::fs::write(&file, whole).unwrap();
    h.get_by_label("Read the completions again").click();
    h.run_ok();
    rest(&mut h);
    assert_eq!((naming(&h, &file), naming(&h, &votes)), (0, 1));

    begin(&mut h, "Ada");
    h.get_by_label("This review cannot be read");
    assert_eq!(naming(&h, &votes), 1);
    std::fs::remove_dir(&votes).unwrap();
    h.get_by_label("Try again").click();
    h.run_ok();
    rest(&mut h);
    press(&mut h, egui::Key::ArrowLeft);
    assert_eq!((answered(&h), Reviews::read(&run).unwrap().votes.len()), (1, 1));
}

#[test]
fn the_tables_of_the_results_are_exported_as_they_are_shown() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    begin(&mut h, "Ada");
    let keys = [egui::Key::ArrowLeft, egui::Key::ArrowUp, egui::Key::ArrowRight];
    for key in keys.into_iter().cycle() {
        if h.state().state().reviewing().unwrap().question().is_none() {
            break;
        }
        press(&mut h, key);
    }
    act(&mut h, Action::Review(ReviewAction::Results(design(20))));
    rest(&mut h);
    let material = ReviewMaterial::read(&Run::open(&run).unwrap(), STEPS, Split::Validation).unwrap();
    let results = ReviewResults::of(&design(20), &Reviews::read(&run).unwrap(), &material);
    for table in results.tables() {
        let path = runs.path().join(format!("{}.csv", table.title));
        let lines = export_csv(&mut h, &format!("copy or export {}", table.title), &path);
        assert_eq!(lines.len(), 1 + table.rows.len());
        for (row, line) in table.rows.iter().zip(&lines[1..]) {
            // Every number that is shown is, rounded, one of those in the file.
            let exact: Vec<f64> = line.iter().filter_map(|cell| cell.parse().ok()).collect();
            let shown = row
                .iter()
                .skip(1)
                .flat_map(|cell| cell.split([' ', ',', '[', ']', ':']));
            for number in shown.filter_map(|part| part.parse::<f64>().ok()) {
                assert!(
                    exact.iter().any(|one| (one - number).abs() < 0.0501),
                    "{number} of {row:?} in {line:?}"
                );
            }
            assert!(line.len() > row.len(), "a column a number");
        }
    }
}

#[test]
fn the_pages_look_right() {
    let Some(folder) = picture_folder() else { return };
    for theme in THEMES {
        let runs = tempfile::tempdir().unwrap();
        let run = write(runs.path(), "aligned", true);
        let (mut h, _) = painted(runs.path(), true, theme);
        act(&mut h, Action::Focus(run.clone()));
        #[cfg(unix)]
        {
            let held = Held::new(&completions(&run));
            act(&mut h, Action::Command(UiCommand::Review));
            shoot(&mut h, &folder, "review-setup-reading", theme.0);
            held.release();
            rest(&mut h);
            let earlier = ReviewDesign {
                step: STEPS / 2,
                ..design(20)
            };
            let held = Held::new(&run.join(format!("evaluations/step-{}.jsonl", earlier.step)));
            act(&mut h, Action::Review(ReviewAction::GoOn(earlier, "Ada".into())));
            shoot(&mut h, &folder, "review-reading", theme.0);
            held.release();
            rest(&mut h);
            act(&mut h, Action::Review(ReviewAction::Close));
        }
        let votes = run.join("reviews.jsonl");
        std::fs::create_dir(&votes).unwrap();
        act(&mut h, Action::Command(UiCommand::Review));
        rest(&mut h);
        shoot(&mut h, &folder, "review-setup-failed", theme.0);
        act(&mut h, Action::Review(ReviewAction::GoOn(design(20), "Ada".into())));
        rest(&mut h);
        shoot(&mut h, &folder, "review-failed", theme.0);
        std::fs::remove_dir(&votes).unwrap();
        act(&mut h, Action::Review(ReviewAction::Setup));
        rest(&mut h);
        shoot(&mut h, &folder, "review-setup-empty", theme.0);
        for name in ["Ada", "Bob", "Cy"] {
            let form = ReviewForm {
                reviewer: name.into(),
                evaluation: (STEPS, Split::Validation),
                ..ReviewForm::default()
            };
            act(&mut h, Action::Review(ReviewAction::SetForm(form)));
            act(&mut h, Action::Review(ReviewAction::Begin));
            rest(&mut h);
            shoot(&mut h, &folder, "review-first-question", theme.0);
            let mut at = 0;
            while let Some(question) = h
                .state()
                .state()
                .reviewing()
                .and_then(|session| session.question())
                .cloned()
            {
                let answer = match (at + name.len()) % 5 {
                    0 => Answer::Tie,
                    1 => Answer::BothBad,
                    _ if question.left() > question.right() => Answer::Left,
                    _ => Answer::Right,
                };
                act(&mut h, Action::Review(ReviewAction::Vote(answer)));
                at += 1;
                if at == 3 {
                    act(&mut h, Action::Review(ReviewAction::ShowTarget));
                    shoot(&mut h, &folder, "review-question", theme.0);
                }
                if name == "Cy" && at == 9 {
                    break;
                }
            }
            if name == "Ada" {
                shoot(&mut h, &folder, "review-done", theme.0);
            }
            act(&mut h, Action::Review(ReviewAction::Setup));
        }
        rest(&mut h);
        shoot(&mut h, &folder, "review-setup", theme.0);
        act(&mut h, Action::Review(ReviewAction::Results(design(20))));
        rest(&mut h);
        shoot(&mut h, &folder, "review-results", theme.0);
    }
}
