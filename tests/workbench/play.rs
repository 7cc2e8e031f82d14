//! The Play station by keyboard: a repository is opened and indexed, a file edited, a completion asked for, taken and ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, PLAYED, Station};
use llavacode::corpus::{SourceFile, sample_in};
use llavacode::engine::{
    Command, DeviceChoice, Engine, EngineSettings, Event, IndexCounts, IndexNews, IndexPhase, NearestToken, PlayEnd,
    PlayNews, PlayRequest, Served, Stages,
};
use llavacode::evaluation::Arm;
use llavacode::models::catalogue::Store;
use llavacode::prompt::{PromptEntry, Source};
use llavacode::retrieval::Retrieved;
use llavacode::ui::Workbench;

use super::demo_run::{chunk, write_with_checkpoint};
use super::harness::{Fake, act, over, until, workbench};
use super::toy::Toy;

const TEXT: &str = "from .helpers import load\n\n\ndef main(path):\n    session =\n";

/// A small repository, with a file that is too large and one that is no text.
pub fn repository(folder: &Path) -> PathBuf {
    let folder = folder.join("demo-project");
    std::fs::create_dir_all(folder.join("package")).unwrap();
    std::fs::write(folder.join("package/main.py"), TEXT).unwrap();
    std::fs::write(
        folder.join("package/helpers.py"),
        "def load(path):\n    return open(path)\n",
    )
    .unwrap();
    std::fs::write(folder.join("latin.py"), b"x = '\xe9'\n").unwrap();
    std::fs::write(folder.join("data.py"), vec![b'#'; 2 << 20]).unwrap();
    folder
}

/// The workbench on the Play station with a repository whose file is in the editor.
pub fn opened(h: &mut Harness<'_, Workbench>, run: &Path, folder: &Path) {
    act(h, Action::Focus(run.to_owned()));
    act(h, Action::Go(Station::Play));
    act(h, Action::OpenRepository(folder.to_owned()));
    until(h, "the list of files", |h| {
        h.query_by_label("package/main.py").is_some()
    });
    h.get_by_label("package/main.py").click();
    h.run_ok();
}

fn press(h: &mut Harness<'_, Workbench>, modifiers: Modifiers, key: Key) {
    h.key_press_modifiers(modifiers, key);
    h.run_ok();
    h.run_ok();
}

/// What stands in the editor.
fn code(h: &Harness<'_, Workbench>) -> String {
    let editor = h.get_by_label("Code of package/main.py");
    editor.accesskit_node().value().unwrap_or_default()
}

/// The request that was sent last.
pub fn asked(engine: &Fake) -> PlayRequest {
    let sent = engine.sent.borrow();
    let requests = sent.iter().rev().filter_map(|command| match command {
        Command::Play(request) => Some(request.clone()),
        _ => None,
    });
    requests.into_iter().next().unwrap()
}

/// What the engine tells of an index that is complete.
pub fn ready(request: &PlayRequest) -> Event {
    Event::Indexed(IndexNews {
        of: request.index.clone(),
        phase: IndexPhase::Ready,
        counts: IndexCounts {
            files: 2_000,
            unchanged: 1_999,
            changed: 1,
            chunks: 24_616,
            texts: 24_100,
            missing: 2,
            done: 2,
            encoded: 2,
            ..IndexCounts::default()
        },
    })
}

/// The answer of an engine, arm after arm, without the end.
pub fn answers(request: &PlayRequest) -> Vec<Event> {
    let file = SourceFile {
        path: request.file.clone(),
        text: request.text.clone(),
    };
    let retrieved: Vec<Retrieved> = (0..3)
        .map(|place| Retrieved {
            chunk: chunk(place * 5),
            rank: place + 1,
            score: 0.31 - 0.07 * place as f64,
            hit: false,
            name: None,
        })
        .collect();
    let said = retrieved.iter().map(|_| {
        let token = |text: &str, cosine| NearestToken {
            text: text.into(),
            cosine,
        };
        vec![vec![
            token(" load", 0.34),
            token("\n", 0.3),
            token(" def", 0.22),
            token(" path", 0.2),
        ]]
    });
    let mut news = vec![PlayNews::Found {
        step: 84,
        sample: Box::new(sample_in("demo-project", &file, request.cursor)),
        retrieved: retrieved.clone(),
        left: 31.4,
    }];
    let texts = ["Session()", "load(path)", "load(path, strict=True)"];
    for (arm, text) in PLAYED.into_iter().zip(texts) {
        let (prefill, soft) = match arm {
            Arm::NoContext => (24.0, 0),
            Arm::Compressed => (41.0, 3),
            _ => (612.0, 0),
        };
        let prompt = [Source::LeftContext, Source::SoftToken { chunk: Some(1) }];
        let entries = prompt.iter().enumerate().map(|(position, source)| PromptEntry {
            position,
            id: (position == 0).then_some(7),
            text: if position == 0 { "session".into() } else { String::new() },
            source: *source,
            sees_soft: position > 0,
        });
        news.push(PlayNews::Served(Box::new(Served {
            arm,
            text: text.into(),
            insertion: format!(" {text}"),
            stages: Stages {
                retrieve: if soft > 0 { 2.1 } else { 0.0 },
                tokenise: 0.4,
                encode: 0.0,
                project: if soft > 0 { 0.2 } else { 0.0 },
                prefill,
                first_token: 0.05,
            },
            decode: 96.0,
            tokens: 6,
            probabilities: vec![0.91, 0.5, 0.99, 0.7, 0.8, 0.97],
            prompt_tokens: 124 + soft,
            soft_tokens: soft,
            looked_up: soft,
            prompt: entries.collect(),
        })));
    }
    news.push(PlayNews::Said(said.collect()));
    let id = request.id;
    news.into_iter().map(|news| Event::Played { id, news }).collect()
}

/// The end of an answer.
pub fn end(request: &PlayRequest, end: PlayEnd) -> Event {
    Event::Played {
        id: request.id,
        news: PlayNews::Ended(end),
    }
}

fn give(h: &mut Harness<'_, Workbench>, engine: &Fake, events: impl IntoIterator<Item = Event>) {
    for event in events {
        engine.answer(event);
    }
    h.run_ok();
    h.run_ok();
}

/// Puts the keyboard's cursor behind `session =`.
pub fn to_the_cursor(h: &mut Harness<'_, Workbench>) {
    h.get_by_label("Code of package/main.py").focus();
    h.run_ok();
    press(h, Modifiers::CTRL | Modifiers::COMMAND, Key::End);
    press(h, Modifiers::NONE, Key::ArrowUp);
    press(h, Modifiers::NONE, Key::End);
}

#[test]
fn a_completion_is_asked_for_taken_and_ended_by_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(folder.path(), "aligned", true);
    let repository = repository(folder.path());
    let (mut h, engine) = workbench(folder.path(), true);
    opened(&mut h, &run, &repository);
    assert!(engine.sent().contains(&"Index".to_owned()));
    h.get_by_label_contains("2 not read");
    h.get_by_label("2 of 2 Python files");

    to_the_cursor(&mut h);
    press(&mut h, Modifiers::CTRL, Key::Space);
    let request = asked(&engine);
    assert_eq!(&request.text[..request.cursor], &TEXT[..TEXT.len() - 1]);
    assert_eq!(
        (request.text.as_str(), request.arms.as_slice()),
        (TEXT, PLAYED.as_slice())
    );
    assert!(h.state().state().playground.is_serving());
    let mut parts = answers(&request);
    let said = parts.pop();
    let last = parts.pop();
    give(&mut h, &engine, parts);
    h.get_by_label("reading and writing…");
    give(
        &mut h,
        &engine,
        last.into_iter()
            .chain(said)
            .chain([end(&request, PlayEnd::Done), ready(&request)]),
    );
    for arm in PLAYED {
        let stages = h
            .query_all_by_role(Role::Figure)
            .filter_map(|node| node.accesskit_node().label());
        let text = format!("{}: retrieve", arm.label());
        assert_eq!(stages.filter(|label| label.starts_with(&text)).count(), 1, "{text}");
    }
    h.get_by_label_contains("24\u{202f}616 chunks indexed · 1 file changed, 2 chunks encoded");
    assert_eq!(h.query_all_by_label_contains("●  load · \\n ·  def ·  path").count(), 3);

    // Tab takes the compressed one; the text is then another one, and nothing more can be taken.
    press(&mut h, Modifiers::NONE, Key::Tab);
    assert_eq!(code(&h), TEXT.replace("session =", "session = load(path)"));
    h.get_by_label_contains("of an earlier text or cursor");
    assert!(h.get_by_label("Accept full RAG").accesskit_node().is_disabled());
    assert_eq!(
        std::fs::read_to_string(repository.join("package/main.py")).unwrap(),
        TEXT
    );
    // Without a completion it indents.
    press(&mut h, Modifiers::NONE, Key::Tab);
    assert!(code(&h).contains("load(path)    \n"));

    press(&mut h, Modifiers::CTRL, Key::Space);
    assert_ne!(asked(&engine).id, request.id);
    press(&mut h, Modifiers::NONE, Key::Escape);
    assert_eq!(engine.sent().last().map(String::as_str), Some("CancelPlay"));
    let request = asked(&engine);
    give(&mut h, &engine, [end(&request, PlayEnd::Cancelled)]);
    h.get_by_label_contains("ended before it was done");
    h.get_by_label("Back to the file").click();
    h.run_ok();
    assert_eq!(code(&h), TEXT);
}

#[test]
fn a_place_in_the_file_is_found_by_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(folder.path(), "aligned", true);
    let repository = repository(folder.path());
    let (mut h, engine) = workbench(folder.path(), true);
    opened(&mut h, &run, &repository);
    h.get_by_label("line 1, column 1");
    let find = |h: &mut Harness<'_, Workbench>, text: &str| {
        press(h, Modifiers::COMMAND, Key::F);
        h.get_by_label("find in the file").type_text(text);
        h.run_ok();
        press(h, Modifiers::NONE, Key::Enter);
    };
    find(&mut h, "SESSION =");
    h.get_by_label("line 5, column 14");
    find(&mut h, "absent");
    h.get_by_label("▲ not in this file");
    h.get_by_label("line 5, column 14");
    find(&mut h, "4:5");
    h.get_by_label("line 4, column 5");
    assert!(h.query_by_label("▲ not in this file").is_none());
    // The code has the keyboard again.
    press(&mut h, Modifiers::NONE, Key::End);
    press(&mut h, Modifiers::CTRL, Key::Space);
    let request = asked(&engine);
    assert!(request.text[..request.cursor].ends_with("def main(path):"));

    // Another file begins at its beginning.
    h.get_by_label("package/helpers.py").click();
    h.run_ok();
    h.run_ok();
    h.get_by_label("line 1, column 1");
}

/// A file or folder that is let go over the window.
#[derive(Debug)]
struct LetGo(PathBuf);

impl egui::DroppedFile for LetGo {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn a_dropped_folder_is_played_with_and_a_dropped_run_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(elsewhere.path(), "aligned", true);
    let repository = repository(folder.path());
    let (mut h, _engine) = workbench(folder.path(), true);
    let drop = |h: &mut Harness<'_, Workbench>, path: &Path, promise: &str| {
        let held = egui::HoveredFile {
            path: Some(path.to_owned()),
            ..egui::HoveredFile::default()
        };
        h.input_mut().hovered_files.push(held);
        h.run_steps(2);
        h.get_by_label(promise);
        h.input_mut().hovered_files.clear();
        h.input_mut()
            .dropped_files
            .push(std::sync::Arc::new(LetGo(path.to_owned())));
        h.run_ok();
        h.run_ok();
        assert!(h.query_by_label(promise).is_none());
    };
    assert_eq!(h.state().state().station, Station::Train);
    // A file stands for its folder.
    drop(&mut h, &repository.join("latin.py"), "Drop to play with demo-project");
    assert_eq!(h.state().state().station, Station::Play);
    assert_eq!(h.state().state().playground.folder.as_ref(), Some(&repository));
    drop(&mut h, &run, "Drop to look at the run aligned");
    assert_eq!(h.state().state().focus.as_ref(), Some(&run));
    assert_eq!(h.state().state().playground.folder.as_ref(), Some(&repository));
}

#[test]
fn what_is_missing_is_said_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let (mut h, engine) = workbench(folder.path(), true);
    press(&mut h, Modifiers::NONE, Key::Num5);
    h.get_by_label("Play with a repository");
    h.get_by_label_contains("no run is open");
    let field = h.get_by_label("Folder of the repository");
    field.focus();
    h.run_ok();
    h.get_by_label("Folder of the repository")
        .type_text(&repository.display().to_string());
    h.run_ok();
    press(&mut h, Modifiers::NONE, Key::Enter);
    until(&mut h, "the list of files", |h| {
        h.query_by_label("package/main.py").is_some()
    });
    // Files can be read all the same.
    h.get_by_label("package/main.py").click();
    h.run_ok();
    assert_eq!(code(&h), TEXT);
    assert!(engine.sent().is_empty());
    h.get_by_label("Go to Train").click();
    h.run_ok();
    assert_eq!(h.state().state().station, Station::Train);

    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    act(&mut h, Action::Go(Station::Play));
    act(&mut h, Action::OpenRepository(empty));
    until(&mut h, "why it is empty", |h| {
        h.query_by_label_contains("holds no code").is_some()
    });
    // The way back is one click.
    h.get_by_label(&repository.display().to_string()).click();
    h.run_ok();
    until(&mut h, "the list of files", |h| {
        h.query_by_label("package/main.py").is_some()
    });
}

#[test]
fn the_real_engine_serves_the_station() {
    let toy = Toy::new();
    let runs = toy.path("runs");
    let engine = Engine::spawn(
        EngineSettings {
            runs_dir: runs.clone(),
            device: DeviceChoice::Cpu,
            store: Store::open(Some(&toy.path("store"))).unwrap(),
        },
        || {},
    );
    let engine = engine.unwrap();
    engine.send(Command::Train(Box::new(toy.experiment("played"))));
    let run = loop {
        match engine.events().recv_timeout(Duration::from_secs(60)).unwrap() {
            Event::RunEnded(run) => break run,
            Event::Failed { message, .. } => panic!("{message}"),
            _ => {}
        }
    };
    let mut h = over(Harness::builder(), &runs, true, Box::new(engine), Fake::default());
    opened(&mut h, &run, &toy.repository());
    until(&mut h, "the index", |h| {
        h.query_by_label_contains("indexed ·").is_some()
    });
    to_the_cursor(&mut h);
    press(&mut h, Modifiers::CTRL, Key::Space);
    until(&mut h, "the end", |h| !h.state().state().playground.is_serving());
    let task = h.state().state().playground.task.clone().unwrap();
    assert_eq!(task.end, Some(PlayEnd::Done));
    assert_eq!(task.served.iter().map(|served| served.arm).collect::<Vec<_>>(), PLAYED);
    assert_eq!(task.served[1].looked_up, task.found.unwrap().retrieved.len());
    h.run_ok();
    for arm in PLAYED {
        assert!(h.query_by_label(&format!("Accept {}", arm.label())).is_some());
    }
}
