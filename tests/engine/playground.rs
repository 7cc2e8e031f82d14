//! The playground: an index that knows what changed, completions through it, and what ends them.

use std::path::{Path, PathBuf};

use llavacode::corpus::code_file;
use llavacode::engine::{
    Command, CompletionRequest, CompletionSource, Event, IndexCounts, IndexPhase, IndexRequest, PlayEnd, PlayNews,
    PlayRequest, Served,
};
use llavacode::evaluation::Arm;
use llavacode::models::catalogue::Store;
use llavacode::retrieval::Retrieved;

use super::Bench;

const ARMS: [Arm; 3] = [Arm::NoContext, Arm::Compressed, Arm::FullRag];

impl Bench {
    /// A finished run of the toy models, and a copy of a repository to play with.
    fn with_repository(&self) -> IndexRequest {
        let run = self.train(self.toy.experiment("played"));
        self.wait_for_end();
        let repository = self.toy.path("played");
        std::fs::create_dir_all(repository.join("package")).unwrap();
        for file in [
            "setup.py",
            "package/__init__.py",
            "package/helpers.py",
            "package/main.py",
        ] {
            std::fs::copy(self.toy.repository().join(file), repository.join(file)).unwrap();
        }
        IndexRequest { run, repository }
    }

    fn index(&self, of: &IndexRequest) -> IndexCounts {
        self.send(Command::Index(of.clone()));
        self.phase(|phase| *phase == IndexPhase::Ready)
    }

    fn phase(&self, wanted: impl Fn(&IndexPhase) -> bool) -> IndexCounts {
        self.wait(|event| match event {
            Event::Indexed(news) if wanted(&news.phase) => Some(news.counts.clone()),
            Event::Indexed(news) => {
                assert!(!matches!(news.phase, IndexPhase::Failed(_)), "{news:?}");
                None
            }
            _ => None,
        })
    }

    /// What the arms write, with the chunks that they read, and how it ended.
    fn play(&self, request: PlayRequest) -> (Vec<Served>, Vec<Retrieved>, PlayEnd) {
        let id = request.id;
        self.send(Command::Play(request));
        let (mut served, mut chunks) = (Vec::new(), Vec::new());
        let end = self.wait(|event| match event {
            Event::Played { id: of, news } if *of == id => match news {
                PlayNews::Found { retrieved, .. } => {
                    chunks = retrieved.clone();
                    None
                }
                PlayNews::Served(one) => {
                    served.push(one.as_ref().clone());
                    None
                }
                PlayNews::Said(said) => {
                    assert_eq!(said.len(), chunks.len());
                    assert!(
                        said.iter()
                            .all(|of_chunk| of_chunk.len() == 1 && !of_chunk[0].is_empty())
                    );
                    None
                }
                PlayNews::Ended(end) => Some(end.clone()),
            },
            _ => None,
        });
        (served, chunks, end)
    }
}

/// A cursor behind `return` of the first function.
fn request(id: u64, of: &IndexRequest) -> PlayRequest {
    let text = code_file(&of.repository, "package/main.py").unwrap().text;
    let cursor = text.find("    result = ").unwrap() + "    result = ".len();
    PlayRequest {
        id,
        index: of.clone(),
        file: "package/main.py".into(),
        text,
        cursor,
        arms: ARMS.to_vec(),
    }
}

fn append(path: &Path, text: &str) {
    let old = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, old + text).unwrap();
}

fn windows(bench: &Bench) -> PathBuf {
    let mut files = std::fs::read_dir(bench.toy.path("store/indexes")).unwrap();
    files.next().unwrap().unwrap().path()
}

#[test]
fn only_what_changed_is_encoded_again() {
    let bench = Bench::new();
    let of = bench.with_repository();
    let first = bench.index(&of);
    assert_eq!((first.files, first.added, first.unchanged), (4, 4, 0));
    assert!(
        first.missing > 0 && first.done == first.missing && first.texts == first.missing,
        "{first:?}"
    );

    let same = bench.index(&of);
    assert_eq!((same.unchanged, same.added, same.missing, same.encoded), (4, 0, 0, 0));
    assert_eq!((same.chunks, same.texts), (first.chunks, first.texts));

    // A line behind the last one changes or makes one chunk; a new file of one chunk makes another.
    append(
        &of.repository.join("package/helpers.py"),
        "LAST = 'a name of its own'\n",
    );
    std::fs::write(of.repository.join("new.py"), "NEW = 'another one'\n").unwrap();
    std::fs::remove_file(of.repository.join("setup.py")).unwrap();
    let changed = bench.index(&of);
    let found = (changed.unchanged, changed.changed, changed.added, changed.deleted);
    assert_eq!(found, (2, 1, 1, 1));
    assert_eq!((changed.missing, changed.encoded), (2, 2));

    // Another process finds everything, and a file that is torn or of something else is made anew without encoding.
    let Bench { toy, engine } = bench;
    drop(engine);
    let store = Store::open(Some(&toy.path("store"))).unwrap();
    let bench = Bench::with_store(toy, store);
    let again = bench.index(&of);
    assert_eq!((again.unchanged, again.missing), (4, 0));
    let place = windows(&bench);
    let whole = std::fs::read(&place).unwrap();
    for broken in [&whole[..whole.len() - 9], b"something else"] {
        std::fs::write(&place, broken).unwrap();
        let rebuilt = bench.index(&of);
        assert_eq!((rebuilt.unchanged, rebuilt.added, rebuilt.missing), (0, 4, 0));
        assert_eq!(std::fs::read(&place).unwrap(), whole);
    }
}

#[test]
fn the_arms_write_what_they_write_without_an_index() {
    let bench = Bench::new();
    let of = bench.with_repository();
    let (cold, _, end) = bench.play(request(1, &of));
    assert_eq!(end, PlayEnd::Done);
    bench.index(&of);
    let (warm, chunks, end) = bench.play(request(2, &of));
    assert_eq!((warm.len(), chunks.len(), end), (3, 2, PlayEnd::Done));
    assert_eq!((cold[1].looked_up, warm[1].looked_up), (0, 2));
    assert_eq!(warm[1].stages.encode, 0.0);
    // The second way: the sample of the same cursor, whose chunks are encoded on the way.
    let line = request(0, &of).text[..request(0, &of).cursor].matches('\n').count() + 1;
    bench.send(Command::Complete(CompletionRequest {
        id: 7,
        run: of.run.clone(),
        source: CompletionSource::Cursor {
            repository: of.repository.clone(),
            file: "package/main.py".into(),
            line,
        },
        arms: ARMS.to_vec(),
    }));
    let mut sample = bench.wait(|event| match event {
        Event::Completed { id: 7, result, .. } => Some(result.clone().unwrap().sample),
        _ => None,
    });
    let PlayRequest { text, cursor, .. } = request(0, &of);
    sample.left = text[..cursor].trim_end().to_owned();
    sample.target = text[sample.left.len()..].lines().next().unwrap().to_owned();
    sample.right = text[sample.left.len() + sample.target.len()..].to_owned();
    bench.send(Command::Complete(CompletionRequest {
        id: 8,
        run: of.run.clone(),
        source: CompletionSource::Sample(Box::new(sample), chunks),
        arms: ARMS.to_vec(),
    }));
    let expected = bench.wait(|event| match event {
        Event::Completed { id: 8, result, .. } => Some(result.clone().unwrap()),
        _ => None,
    });
    for (place, record) in expected.completions.iter().enumerate() {
        for served in [&cold[place], &warm[place]] {
            let found = (served.arm, &served.text, served.prompt_tokens, served.soft_tokens);
            assert_eq!(
                found,
                (record.arm, &record.text, record.prompt_tokens, record.soft_tokens)
            );
            let prompt: Vec<_> = served.prompt.iter().map(|entry| (entry.id, entry.source)).collect();
            let same = expected.prompts[place].iter().map(|entry| (entry.id, entry.source));
            assert_eq!(prompt, same.collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_newer_request_ends_an_older_one_and_an_index_that_was_stopped_goes_on() {
    let bench = Bench::new();
    let of = bench.with_repository();
    // While the index is read, the other orders come in.
    bench.send(Command::Index(of.clone()));
    bench.send(Command::Play(request(1, &of)));
    bench.send(Command::CancelIndex);
    bench.phase(|phase| *phase == IndexPhase::Stopped);
    let (served, _, end) = bench.play(request(2, &of));
    assert_eq!((served.len(), end), (3, PlayEnd::Done));
    bench.send(Command::Index(of.clone()));
    bench.send(Command::Play(request(3, &of)));
    bench.send(Command::Play(request(4, &of)));
    let mut ends = Vec::new();
    while ends.len() < 2 {
        ends.push(bench.wait(|event| match event {
            Event::Played {
                id,
                news: PlayNews::Ended(end),
            } if *id > 2 => Some((*id, end.clone())),
            _ => None,
        }));
    }
    assert_eq!(ends, [(3, PlayEnd::Cancelled), (4, PlayEnd::Done)]);
    let counts = bench.index(&of);
    assert_eq!(counts.done, counts.missing);
}

#[test]
fn what_cannot_be_played_with_is_told_to_whoever_asked() {
    let bench = Bench::new();
    let of = bench.with_repository();
    let empty = bench.toy.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let nothing = IndexRequest {
        repository: empty,
        ..of.clone()
    };
    bench.send(Command::Index(nothing.clone()));
    let message = bench.wait(|event| match event {
        Event::Indexed(news) => match &news.phase {
            IndexPhase::Failed(message) => Some(message.clone()),
            _ => None,
        },
        _ => None,
    });
    assert!(message.contains("holds no code"), "{message}");
    let mut asked = request(1, &of);
    asked.index = nothing;
    let (_, _, end) = bench.play(asked);
    assert!(matches!(end, PlayEnd::Failed { bad_input: true, .. }), "{end:?}");
    // Beside Python, files of other languages are not read.
    std::fs::write(of.repository.join("a.rs"), "fn main() {}\n").unwrap();
    assert_eq!(bench.index(&of).files, 4);
}
