//! From files on the disk to samples and the chunks retrieved for them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod common;
#[path = "data/retrievers.rs"]
mod retrievers;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use llavacode::corpus::{
    CompletionSample, CorpusError, Repository, SampleSettings, SourceFile, Split, chunks, definitions,
    repositories_in_folder, repository_from_folder, repository_from_wheel, sample_at, samples, split_of,
};
use llavacode::retrieval::{Jaccard, Retriever as _, jaccard_similarity, query_text, words};
use zip::write::SimpleFileOptions;

const ALL: SampleSettings = SampleSettings {
    per_repository: usize::MAX,
    seed: 7,
};

fn repository(name: &str, files: &[(&str, &str)]) -> Repository {
    Repository {
        name: name.into(),
        files: files
            .iter()
            .map(|(path, text)| SourceFile {
                path: (*path).into(),
                text: (*text).into(),
            })
            .collect(),
    }
}

/// Twenty modules that call each other, so that there is something to draw and to retrieve.
fn factory() -> Repository {
    let files: Vec<(String, String)> = (0..20)
        .map(|index| {
            let (next, far) = ((index + 1) % 20, (index * 7 + 3) % 20);
            let calls: String = (0..6)
                .map(|line| {
                    format!("    batch = [batch] + make_part_{next}({line})\n    batch.append(machine.start_{far}())\n\n")
                })
                .collect();
            let text = format!(
                "from factory.m{next:02} import make_part_{next}\n\n\ndef make_part_{index}(size):\n    return [size] * {index}\n\n\n\
                 class Machine{index}:\n    def start_{index}(self):\n        return self\n\n\ndef run(machine, batch):\n{calls}    return batch\n"
            );
            (format!("factory/m{index:02}.py"), text)
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    repository("factory", &files)
}

fn text_of<'a>(repository: &'a Repository, path: &str) -> &'a str {
    &repository
        .files
        .iter()
        .find(|file| file.path == path)
        .expect("a file of the repository")
        .text
}

#[test]
fn cursors_stand_before_names_of_other_files_and_nowhere_else() {
    let shop = repository(
        "shop",
        &[
            (
                "shop/prices.py",
                "TAX_RATE = 0.2\n\nclass PriceList:\n    def lookup_price(self, name): ...\n    def values(self): ...\n\
                 def isclose(a, b): ...\ndef discount(price): ...\n",
            ),
            (
                "shop/till.py",
                "\
import math
from unittest import TestCase
from shop.prices import PriceList, TAX_RATE, discount

def total(prices: PriceList, names, discounted=True):
    '''Uses PriceList and TAX_RATE.'''
    result = 0
    for name in names:
        price = prices.lookup_price(name)
        result += price * (1 +  TAX_RATE)
        result += discount(price)  # discount comes last
    assert math.isclose(result, sum(prices.cache.values()))
    total_names(discount=discount)
    prices.lookup_price = None
    discount(result)
    return PRICES

def total_names(): ...
",
            ),
        ],
    );
    let found: BTreeSet<(usize, String, String)> = samples(&shop, &ALL)
        .into_iter()
        .chain((0..20).flat_map(|seed| samples(&shop, &SampleSettings { seed, ..ALL })))
        .map(|sample| {
            (
                sample.line,
                sample.identifier.expect("a drawn sample has a name"),
                sample.target,
            )
        })
        .collect();
    let expected = [
        (5, "PriceList", " PriceList, names, discounted=True):"),
        (9, "lookup_price", "lookup_price(name)"),
        (10, "TAX_RATE", "  TAX_RATE)"),
        (13, "discount", "discount)"),
    ];
    assert_eq!(
        found,
        expected
            .map(|(line, name, target)| (line, name.into(), target.into()))
            .into()
    );
}

#[test]
fn drawn_samples_keep_their_promises() {
    let factory = factory();
    let drawn = samples(&factory, &ALL);
    assert!(drawn.len() >= 40, "only {} samples", drawn.len());

    let defined = definitions(&factory);
    let mut per_file: HashMap<&str, usize> = HashMap::new();
    let mut per_name: HashMap<&str, usize> = HashMap::new();
    for sample in &drawn {
        assert_whole(&factory, sample);
        let name = sample.identifier.as_deref().expect("a drawn sample has a name");
        assert!(sample.expected_line().starts_with(name));
        assert!(!sample.target.contains('\n'));
        assert!(!sample.left.rsplit('\n').next().unwrap().trim().is_empty());
        let places: Vec<_> = defined.iter().filter(|place| place.name == name).collect();
        assert!((1..=3).contains(&places.len()) && places.iter().all(|place| place.path != sample.path));
        *per_file.entry(&sample.path).or_default() += 1;
        *per_name.entry(name).or_default() += 1;
    }
    assert!(per_file.values().all(|&count| count <= 3));
    assert!(per_name.values().all(|&count| count <= 10));
    let lines: HashSet<_> = drawn.iter().map(|sample| (&sample.path, sample.line)).collect();
    let ids: HashSet<_> = drawn.iter().map(|sample| &sample.id).collect();
    assert_eq!((lines.len(), ids.len()), (drawn.len(), drawn.len()));
}

#[test]
fn the_draw_depends_on_seed_and_name_alone_and_begins_with_every_file_once() {
    let factory = factory();
    let drawn = samples(&factory, &ALL);
    assert_eq!(drawn, samples(&factory, &ALL));
    assert_ne!(drawn, samples(&factory, &SampleSettings { seed: 8, ..ALL }));
    let few = samples(
        &factory,
        &SampleSettings {
            per_repository: 20,
            ..ALL
        },
    );
    assert_eq!(few, drawn[..20]);
    let files: HashSet<_> = few.iter().map(|sample| &sample.path).collect();
    assert_eq!(files.len(), 20);
}

#[test]
fn a_persons_cursor_stands_behind_the_indentation() {
    let text = "\u{20}\u{20}first = 1\n\n\ndef go():  \n    return first  \n\t\n";
    let demo = repository("demo", &[("a.py", text)]);
    let at = |line| sample_at(&demo, "a.py", line).unwrap();
    for line in 1..=6 {
        assert_whole(&demo, &at(line));
        assert_eq!((at(line).line, at(line).identifier), (line, None));
    }
    assert_eq!((at(1).left.as_str(), at(1).target.as_str()), ("", "  first = 1"));
    assert_eq!(
        (at(4).target.as_str(), at(4).expected_line()),
        ("\n\n\ndef go():", "def go():")
    );
    assert!(at(5).left.ends_with("def go():"));
    assert_eq!(
        (at(5).target.as_str(), at(5).right.as_str()),
        ("  \n    return first", "  \n\t\n")
    );
    assert_eq!((at(6).target.as_str(), at(6).expected_line()), ("  \n\t", ""));
    assert_eq!(
        (at(4).id.as_str(), at(5).id.as_str()),
        ("demo/a.py:4:1", "demo/a.py:5:5")
    );

    let error = |path, line| sample_at(&demo, path, line).unwrap_err();
    assert!(matches!(
        error("a.py", 7),
        CorpusError::NoSuchLine { lines: 6, line: 7, .. }
    ));
    assert!(matches!(error("a.py", 0), CorpusError::NoSuchLine { .. }));
    assert!(matches!(error("b.py", 1), CorpusError::NoSuchFile { .. }));
}

/// The parts of a sample are the file, and the left context ends with something that a tokenizer keeps apart.
fn assert_whole(repository: &Repository, sample: &CompletionSample) {
    let CompletionSample {
        left, target, right, ..
    } = sample;
    assert_eq!(format!("{left}{target}{right}"), text_of(repository, &sample.path));
    assert_eq!(left.trim_end(), left);
}

#[test]
fn chunks_are_the_lines_of_the_files_once_each() {
    let text = "one\n\n  two\nthree\n\n\n\n\n\n\nfour";
    let demo = repository("demo", &[("a.py", text), ("b.py", ""), ("c.py", "five\n")]);
    let found: Vec<_> = chunks(&demo, 3)
        .into_iter()
        .map(|chunk| (chunk.path, chunk.first_line, chunk.text))
        .collect();
    let expected = [
        ("a.py", 1, "one\n\n  two"),
        ("a.py", 4, "three"),
        ("a.py", 10, "\nfour"),
        ("c.py", 1, "five"),
    ];
    assert_eq!(
        found,
        expected.map(|(path, line, text)| (path.to_owned(), line, text.to_owned()))
    );
}

#[test]
fn a_wheel_is_read_without_what_is_not_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.whl");
    let mut wheel = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let long = vec![b'#'; (1 << 20) + 1];
    for (name, content) in [
        ("demo/z.py", b"\xef\xbb\xbfone = 1\r\ntwo = 2\r\n".as_slice()),
        ("demo/a.py", b"three = '\xc3\xa9'\n"),
        ("top.py", b"four = 4\n"),
        ("demo/_vendor/other.py", b"no"),
        ("demo/vendor/deep/other.py", b"no"),
        ("demo/extern/other.py", b"no"),
        ("demo-1.0.dist-info/other.py", b"no"),
        ("demo-1.0.data/scripts/other.py", b"no"),
        ("demo/latin.py", b"# caf\xe9\n"),
        ("demo/long.py", &long),
        ("demo/readme.txt", b"no"),
    ] {
        wheel.start_file(name, SimpleFileOptions::default()).unwrap();
        wheel.write_all(content).unwrap();
    }
    wheel.finish().unwrap();

    let found = repository_from_wheel("demo", &path).unwrap();
    let expected = [
        ("demo/a.py", "three = 'é'\n"),
        ("demo/z.py", "one = 1\ntwo = 2\n"),
        ("top.py", "four = 4\n"),
    ];
    assert_eq!(found, repository("demo", &expected));

    let broken = folder.path().join("broken.whl");
    fs::write(&broken, "not an archive").unwrap();
    assert!(matches!(
        repository_from_wheel("x", &broken),
        Err(CorpusError::Wheel { .. })
    ));
    zip::ZipWriter::new(fs::File::create(&broken).unwrap())
        .finish()
        .unwrap();
    assert!(matches!(
        repository_from_wheel("x", &broken),
        Err(CorpusError::Wheel { .. })
    ));
    let missing = folder.path().join("missing.whl");
    assert!(matches!(
        repository_from_wheel("x", &missing),
        Err(CorpusError::Read { .. })
    ));
}

#[test]
fn sub_folders_with_code_are_repositories_unless_the_folder_is_one_project() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str| {
        let (name, path) = (Path::new(path).file_stem().unwrap(), folder.path().join(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{} = 1\n", name.display())).unwrap();
    };
    for path in [
        "beta/pkg/b.py",
        "beta/a.py",
        "beta/notes.md",
        "alpha/src/c.py",
        "docs/readme.md",
        ".cache/hidden.py",
        "beta/.tox/no.py",
        "beta/node_modules/no.py",
        "beta/target/no.py",
        "beta/build/lib/no.py",
        "beta/pkg/copy/a.py",
        "beta/pkg/__pycache__/no.py",
        "beta/env/pyvenv.cfg",
        "beta/env/lib/no.py",
        "beta/_vendor/no.py",
    ] {
        write(path);
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), folder.path().join("beta/pkg/loop")).unwrap();

    let found = repositories_in_folder(folder.path()).unwrap();
    let expected = [
        repository("alpha", &[("src/c.py", "c = 1\n")]),
        // A copy of a file would hold the targets of the other.
        repository("beta", &[("a.py", "a = 1\n"), ("pkg/b.py", "b = 1\n")]),
    ];
    assert_eq!(found, expected);
    let alpha = folder.path().join("alpha");
    assert_eq!(repository_from_folder(&alpha).unwrap(), expected[0]);

    // A packaging file makes `src` a part of the project, no repository of its own.
    write("alpha/pyproject.toml");
    assert_eq!(repositories_in_folder(&alpha).unwrap(), expected[..1]);

    let no_code = |path: &Path| matches!(repositories_in_folder(path), Err(CorpusError::Empty { .. }));
    assert!(no_code(&folder.path().join("docs")));
    let missing = folder.path().join("missing");
    assert!(matches!(
        repositories_in_folder(&missing),
        Err(CorpusError::Read { .. })
    ));
}

#[test]
fn a_repository_is_in_one_split_whatever_else_there_is() {
    let names: Vec<String> = (0..4000).map(|index| format!("package-{index}")).collect();
    let mut members: HashMap<Split, HashSet<&str>> = HashMap::new();
    for name in names.iter().chain(names.iter().rev()) {
        members.entry(split_of(name, 1)).or_default().insert(name);
    }
    // Asked twice, each name is still counted once: none is in two splits.
    assert_eq!(members.values().map(HashSet::len).sum::<usize>(), names.len());
    for (split, share) in [(Split::Train, 0.7), (Split::Validation, 0.1), (Split::Test, 0.2)] {
        let found = members[&split].len() as f64 / names.len() as f64;
        // Four standard deviations of a share of 4000 draws are at most 0.03.
        assert!((found - share).abs() < 0.03, "{split:?}: {found}");
    }
    assert!(names.iter().any(|name| split_of(name, 1) != split_of(name, 2)));
}

#[test]
fn nothing_of_the_target_or_of_its_file_is_retrieved_with() {
    let factory = factory();
    let retriever = Jaccard::new(&factory, 10, 8);
    for sample in samples(&factory, &ALL) {
        let found = retriever.retrieve(&sample, 10);
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|found| found.chunk.path != sample.path));

        let changed = CompletionSample {
            target: "entirely_different(words)".into(),
            right: "nothing".into(),
            ..sample.clone()
        };
        assert_eq!(query_text(&changed, 8), query_text(&sample, 8));
        assert_eq!(retriever.retrieve(&changed, 10), found);
    }
}

#[test]
fn the_index_ranks_as_a_comparison_of_all_chunks_does() {
    let factory = factory();
    let retriever = Jaccard::new(&factory, 4, 8);
    assert_eq!(retriever.chunks(), chunks(&factory, 4));
    for sample in samples(&factory, &ALL) {
        let query = query_text(&sample, 8);
        let mut expected: Vec<_> = chunks(&factory, 4)
            .into_iter()
            .filter(|chunk| chunk.path != sample.path)
            .map(|chunk| (jaccard_similarity(&query, &chunk.text), chunk))
            .collect();
        expected.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        expected.truncate(25);
        let found = retriever.retrieve(&sample, 25);
        for (rank, (found, (score, chunk))) in found.iter().zip(&expected).enumerate() {
            let name = sample.identifier.as_deref().unwrap();
            assert_eq!((found.rank, &found.chunk, found.score), (rank + 1, chunk, *score));
            assert_eq!(found.hit, words(&chunk.text).contains(name));
        }
        assert_eq!(found.len(), expected.len());
    }
}

#[test]
fn the_query_is_the_last_lines_before_the_cursor() {
    let demo = repository("demo", &[("a.py", "a\nb\n\nc\nd = e\n")]);
    let sample = sample_at(&demo, "a.py", 5).unwrap();
    assert_eq!(query_text(&sample, 3), "b\n\nc");
    assert_eq!(query_text(&sample, 99), "a\nb\n\nc");
    assert_eq!(query_text(&sample, 0), "");
}
