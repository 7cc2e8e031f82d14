//! Each retriever on small repositories and against the reference values.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::sync::Arc;

use llavacode::corpus::{CompletionSample, Repository, SampleSettings, sample_at, samples};
use llavacode::experiment::{Retrieval, RetrievalUnit, RetrieverKind};
use llavacode::retrieval::{
    Bm25, ChunkIndex, DefinedNames, Definitions, Dense, Jaccard, Retrieved, Retriever, jaccard_similarity, query_text,
    retriever, words,
};
use strum::IntoEnumIterator as _;

use super::{ALL, common, factory, repository};

/// A shop of several files: relative and absolute imports, re-exports, inheritance, annotations.
fn shop() -> Repository {
    let blank = "\n".repeat(9);
    let method = |name: &str| format!("{blank}    def {name}(self, value):\n        ...\n");
    let model = format!(
        "class Basket:\n    def __init__(self):\n        self.customer = None\n{}{}",
        method("add_article"),
        method("count_articles")
    );
    let customer = format!(
        "from .model import Basket\n\n\nclass Customer(Person):\n    basket: Basket\n{blank}    def greet_warmly(self):\n        ...\n\
         {blank}def find_customer(number) -> Customer:\n    ...\n{blank}DEFAULT_CUSTOMER = Customer()\n"
    );
    let person = format!("class Person:\n    pass\n{blank}    def rename_person(self, name):\n        ...\n");
    let noise = "articles = [1, 2, 3]\nfor article in articles:\n    print(article, customer, basket)\n";
    repository(
        "shop",
        &[
            (
                "shop/__init__.py",
                "from .customer import Customer, find_customer\nfrom .model import *\n",
            ),
            ("shop/customer.py", &customer),
            ("shop/model.py", &model),
            ("shop/noise.py", noise),
            ("shop/person.py", &person),
        ],
    )
}

/// The repository with `shop/till.py`, whose cursor stands where `|` does, and the sample there.
fn asking(text: &str, name: &str) -> (Repository, CompletionSample) {
    let mut shop = shop();
    let (left, right) = text.split_once('|').unwrap();
    let file = repository("shop", &[("shop/till.py", &format!("{left}{name}{right}"))]);
    shop.files.extend(file.files);
    let sample = CompletionSample {
        id: "shop/shop/till.py".into(),
        repository: "shop".into(),
        path: "shop/till.py".into(),
        line: left.matches('\n').count() + 1,
        left: left.trim_end().into(),
        right: right.into(),
        target: name.into(),
        identifier: Some(name.into()),
    };
    (shop, sample)
}

fn definitions(repository: &Repository) -> Definitions {
    Definitions::over(Arc::new(ChunkIndex::new(repository, 5)), repository, 8)
}

/// File and text of the first chunk for a cursor.
fn first(text: &str, name: &str) -> (String, String) {
    let (shop, sample) = asking(text, name);
    let found = definitions(&shop).retrieve(&sample, 1).remove(0);
    (found.chunk.path, found.chunk.text)
}

/// The first chunk defines the name that the cursor asks for.
fn assert_first_defines(text: &str, name: &str, path: &str, definition: &str) {
    let (found, chunk) = first(text, name);
    assert!(
        found == path && chunk.contains(definition),
        "{text:?} brings {found}: {chunk:?}"
    );
}

#[test]
fn an_imported_name_brings_the_chunk_that_defines_it() {
    let greets = "def greet_warmly";
    for import in [
        "from .customer import find_customer\n\n\nx = |",
        "from shop.customer import find_customer\n\n\nx = |",
        "from shop import find_customer\n\n\nx = |",
        "from . import find_customer\n\n\nx = |",
        "import math\n\n\ndef go():\n    from shop import find_customer\n    return |",
        "from shop.customer import *\n\n\ndef go(number):\n    customer = |",
        "import shop.customer as people\n\n\ndef go():\n    return people.|",
        "import shop.customer\n\n\ndef go():\n    return shop.customer.|",
        "from shop import customer\n\n\ndef go():\n    return customer.|",
    ] {
        let (path, chunk) = first(import, "find_customer");
        assert_eq!(path, "shop/customer.py", "{import:?}: {chunk:?}");
        assert!(!chunk.contains(greets), "{import:?}: {chunk:?}");
    }
    assert_first_defines(
        "from shop import Basket\n\n\nx = |",
        "Basket",
        "shop/model.py",
        "class Basket",
    );
}

#[test]
fn the_class_of_a_receiver_brings_its_members() {
    let (path, definition) = ("shop/model.py", "def count_articles");
    for text in [
        "from .model import Basket\n\n\ndef go(count, articles: Basket):\n    articles.|",
        "from .model import Basket\n\n\ndef go(count, articles: \"Optional[Basket]\" = None):\n    articles.|",
        "from .model import Basket\n\n\ndef go():\n    articles = Basket()\n    count = articles.|",
        "from .model import Basket\n\n\ndef go():\n    with Basket() as articles:\n        count = articles.|",
        "from . import model\n\n\ndef go():\n    count = model.Basket().|",
        "from .model import Basket\n\n\nclass Till(Basket):\n    def go(self, articles):\n        count = self.|",
        "from .model import Basket\n\n\nclass Till:\n    def __init__(self, all: Basket):\n        self.articles = all\n\n    def go(self):\n        count = self.articles.|",
        "from shop import find_customer\n\n\ndef go():\n    count = find_customer(articles).basket.|",
        "from shop import find_customer\n\n\ndef all_articles():\n    return find_customer(1).basket\n\n\ndef go():\n    count = all_articles().|",
    ] {
        assert_first_defines(text, "count_articles", path, definition);
    }
}

#[test]
fn names_are_ranked_with_the_chunks_that_define_them() {
    let text =
        "from .customer import Customer, find_customer\nfrom .model import Basket\n\n\ndef pay():\n    return |(3)\n";
    let (shop, sample) = asking(text, "find_customer");
    let ranked = DefinedNames(definitions(&shop)).retrieve(&sample, 10);
    let names: Vec<&str> = ranked.iter().filter_map(|one| one.name.as_deref()).collect();
    assert_eq!(names.len(), ranked.len());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    assert_eq!(
        names.iter().copied().collect::<BTreeSet<_>>(),
        ["Basket", "Customer", "find_customer"].into()
    );
    for one in &ranked {
        let name = one.name.as_deref().unwrap();
        assert!(one.chunk.text.contains(name), "{name} is not in {}", one.chunk.text);
        assert_eq!(one.hit, name == "find_customer");
        assert_eq!(one.compressed_text(), name);
    }
    // All candidates together are certain, and the best come first.
    let scores: Vec<f64> = ranked.iter().map(|one| one.score).collect();
    assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{scores:?}");
    assert!(scores.is_sorted_by(|a, b| a >= b));
    // What is too unlikely is left out, and what the retriever of an experiment is asked for is what it ranks.
    let settings = Retrieval {
        retriever: RetrieverKind::Definitions,
        unit: RetrievalUnit::Name,
        chunk_lines: 5,
        least_score: scores[1],
        ..Retrieval::default()
    };
    let likely = retriever(&settings, &shop, HashMap::new()).retrieve(&sample, 10);
    assert_eq!(likely, ranked[..2]);
    // Behind the name of another project no name of this one comes.
    let (shop, sample) = asking("import os\nfrom .model import Basket\n\nos.|()\n", "find_customer");
    assert!(DefinedNames(definitions(&shop)).retrieve(&sample, 10).is_empty());
}

#[test]
fn nothing_behind_the_cursor_matters() {
    let text = "from .model import Basket\nfrom .customer import find_customer\n\n\ndef go(basket: Basket):\n    basket.|\n\n\nuse(basket)\n";
    let other = text.replace(
        "use(basket)",
        "def add_article(self): ...\n\n\nclass Customer: ...\nfind_customer().greet_warmly()",
    );
    for kind in [RetrieverKind::Jaccard, RetrieverKind::Definitions] {
        let settings = Retrieval {
            retriever: kind,
            ..Retrieval::default()
        };
        let answers: Vec<Vec<Retrieved>> = [(text, "count_articles"), (&other, "greet_warmly")]
            .into_iter()
            .map(|(text, name)| {
                let (shop, mut sample) = asking(text, name);
                sample.identifier = None;
                retriever(&settings, &shop, HashMap::new()).retrieve(&sample, 20)
            })
            .collect();
        assert!(answers[0].len() > 3);
        assert_eq!(answers[0], answers[1], "{kind}");
    }
}

#[test]
fn every_retriever_ranks_chunks_of_other_files_once() {
    let factory = factory();
    let drawn = samples(
        &factory,
        &SampleSettings {
            per_repository: 12,
            ..ALL
        },
    );
    for kind in RetrieverKind::iter() {
        let settings = Retrieval {
            retriever: kind,
            ..Retrieval::default()
        };
        let index = ChunkIndex::new(&factory, settings.chunk_lines);
        let vectors = letters(&Dense::texts(&index, &drawn, settings.query_lines));
        let retriever = retriever(&settings, &factory, vectors);
        for sample in &drawn {
            let found = retriever.retrieve(sample, 15);
            let places: BTreeSet<_> = found
                .iter()
                .map(|one| (&one.chunk.path, one.chunk.first_line))
                .collect();
            assert_eq!((found.len(), places.len()), (15, 15), "{kind}");
            assert!(found.iter().zip(1..).all(|(one, rank)| one.rank == rank), "{kind}");
            assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score), "{kind}");
            let name = sample.identifier.as_deref().unwrap();
            for one in &found {
                assert_ne!(one.chunk.path, sample.path, "{kind}");
                assert_eq!(one.hit, words(&one.chunk.text).contains(name), "{kind}");
            }
            assert_eq!(retriever.retrieve(sample, 4), found[..4], "{kind}");
            assert!(retriever.retrieve(sample, 0).is_empty(), "{kind}");
        }
    }
}

/// Texts as counts of their letters, scaled to length one.
fn letters(texts: &[String]) -> HashMap<String, Vec<f32>> {
    let vector = |text: &String| {
        let counts = ('a'..='z').map(|letter| text.matches(letter).count() as f32);
        let counts: Vec<f32> = counts.collect();
        let length = counts.iter().map(|x| x * x).sum::<f32>().sqrt();
        (text.clone(), counts.into_iter().map(|x| x / length).collect())
    };
    texts.iter().map(vector).collect()
}

#[test]
fn dense_ranks_by_the_vectors() {
    let demo = repository(
        "demo",
        &[
            ("a.py", "aaa\n"),
            ("b.py", "abb\n"),
            ("c.py", "ccc\n"),
            ("q.py", "bbb\n\nx\n"),
        ],
    );
    let sample = sample_at(&demo, "q.py", 3).unwrap();
    let index = Arc::new(ChunkIndex::new(&demo, 10));
    let vectors = letters(&Dense::texts(&index, std::slice::from_ref(&sample), 5));
    let found = Dense::over(index, vectors, 5).retrieve(&sample, 3);
    let found: Vec<(&str, f64)> = found.iter().map(|one| (one.chunk.path.as_str(), one.score)).collect();
    assert_eq!(found[0].0, "b.py");
    assert!((found[0].1 - 2.0 / 5.0_f64.sqrt()).abs() < 1e-6);
    assert_eq!(found[1..], [("a.py", 0.0), ("c.py", 0.0)]);
}

#[test]
fn broken_odd_and_circular_files_are_read_as_far_as_they_go() {
    let deep = format!(
        "{}x = 1\n",
        (0..400)
            .map(|depth| format!("{}if x:\n", " ".repeat(depth)))
            .collect::<String>()
    );
    let chain = format!("x = {}\n", "a.b().c[0]".repeat(5000));
    let open = "(".repeat(5000);
    let odd = repository(
        "odd",
        &[
            (
                "a.py",
                "from b import *\nfrom b import Name as Other\nclass First(Second): first_member = 1\n",
            ),
            (
                "b.py",
                "from a import *\nfrom a import Other as Name\nclass Second(First): second_member = 1\nloop = loop.loop\n",
            ),
            (
                "broken.py",
                "def fine_function(): pass\nclass (:\n  def ]\nfrom import x\nimport\nfrom ..... import y\n",
            ),
            ("chain.py", &chain),
            ("deep.py", &deep),
            ("empty.py", ""),
            ("open.py", &open),
            ("ünïcode.py", "class Größe:\n    def länge_messen(self): ...\n"),
        ],
    );
    let retriever = definitions(&odd);
    for text in [
        "",
        ".",
        "..",
        "x",
        "x.",
        "self.",
        "a.b().",
        "f(')').",
        "]).",
        "@",
        "from",
        "import x\nx.",
        "é.",
        "class",
        "def f(",
        "from a import Other\nOther.",
        "from a import Name, Other, Second\nSecond().",
        "from b import *\nloop.",
        "from b import loop\nloop.loop.",
        "class Q(Q):\n    def f(self):\n        self.",
        "try:\n    import a\nexcept:\n    a = None\na.",
        "isinstance((((",
        "\"\"\"open",
        "x = (\n\n\n",
    ] {
        let sample = CompletionSample {
            id: "odd/new.py".into(),
            repository: "odd".into(),
            path: "new.py".into(),
            line: 1,
            left: text.into(),
            right: String::new(),
            target: String::new(),
            identifier: None,
        };
        assert_eq!(retriever.retrieve(&sample, 3).len(), 3, "{text:?}");
    }
}

#[test]
fn jaccard_and_bm25_match_the_reference() {
    let path = common::fixtures().join("retrieval.json");
    let reference: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let texts = |value: &serde_json::Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let documents = texts(&reference["documents"]);
    let names: Vec<String> = (0..documents.len()).map(|index| format!("{index:04}.py")).collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(documents.iter().map(String::as_str))
        .collect();
    let index = Arc::new(ChunkIndex::new(&repository("documents", &files), 1));
    let (jaccard, bm25) = (Jaccard::over(index.clone(), 1), Bm25::over(index, 1));

    for row in reference["queries"].as_array().unwrap() {
        let query = row["query"].as_str().unwrap();
        let asking = repository("asking", &[("query.py", &format!("{query}\n\nhere\n"))]);
        let sample = sample_at(&asking, "query.py", 3).unwrap();
        assert_eq!(query_text(&sample, 1), query);
        let number = |found: &Retrieved| -> usize { found.chunk.path.trim_end_matches(".py").parse().unwrap() };
        for (name, retriever) in [("jaccard", &jaccard as &dyn Retriever), ("bm25", &bm25)] {
            let expected: Vec<f64> = serde_json::from_value(row[name].clone()).unwrap();
            let found = retriever.retrieve(&sample, documents.len());
            assert_eq!(found.len(), documents.len());
            for one in &found {
                let (score, number) = (one.score, number(one));
                assert!(
                    (score - expected[number]).abs() < 1e-9,
                    "{name} of {number}: {score}, not {}",
                    expected[number]
                );
            }
            let first: Vec<usize> = found.iter().take(5).map(number).collect();
            let best: Vec<usize> = serde_json::from_value(row[format!("{name}_top5")].clone()).unwrap();
            assert_eq!(first, best, "{name}");
        }
        for (document, expected) in documents.iter().zip(row["jaccard"].as_array().unwrap()) {
            assert!((jaccard_similarity(query, document) - expected.as_f64().unwrap()).abs() < 1e-12);
        }
    }
}
