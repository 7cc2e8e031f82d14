//! Every encoder against reference values of PyTorch, or against a second way of computing; and what none of them can do.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device};
use llavacode::experiment::{EncoderInput, EncoderSettings, Pooling};
use llavacode::models::ModelError;
use llavacode::models::encoder::{Encoder, RareIdentifiers, Spelling, TextEncoder, of_reader};
use llavacode::models::reader::{self, ComposedReader, CpuReader, Feed, Reader, ReaderWeights, Slot};
use llavacode::models::tokenizer::TextTokenizer;
use serde_json::{Map, Value, json};

use crate::common::fixtures;
use crate::{json, tensors, toy};

/// A fixture with a tokenizer, in a folder that is removed when dropped.
pub struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub fn new(fixture: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.json", "model.safetensors"] {
            std::fs::copy(fixtures().join(fixture).join(name), folder.path().join(name)).unwrap();
        }
        let folder = Self { folder };
        match fixture {
            "bert_encoder" => folder.write("tokenizer.json", &toy::word_piece()),
            "qwen3_encoder" => folder.write("tokenizer.json", &toy::byte_level()),
            _ => folder.write_roberta_tokenizer(&["<encoder-only>", "AST#call#Left", "AST#call#Right"]),
        }
        folder
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, value: &Value) {
        std::fs::create_dir_all(self.file(name).parent().unwrap()).unwrap();
        std::fs::write(self.file(name), value.to_string()).unwrap();
    }

    /// Changes `config.json`.
    pub fn configure(&self, change: impl FnOnce(&mut Map<String, Value>)) {
        let mut config = json(&self.file("config.json"));
        change(config.as_object_mut().unwrap());
        self.write("config.json", &config);
    }

    /// The two files that RoBERTa models were published with: the special tokens, every byte, one merge, and `more`.
    pub fn write_roberta_tokenizer(&self, more: &[&str]) {
        let letters: Vec<String> = toy::byte_characters().iter().map(char::to_string).collect();
        let tokens = ["<s>", "<pad>", "</s>", "<unk>"].into_iter();
        let tokens = tokens
            .chain(letters.iter().map(String::as_str))
            .chain(["de", "def", "<mask>"]);
        let vocab: Map<String, Value> = tokens
            .chain(more.iter().copied())
            .map(str::to_owned)
            .zip((0..).map(|id: u32| json!(id)))
            .collect();
        self.write("vocab.json", &Value::Object(vocab));
        std::fs::write(self.file("merges.txt"), "#version: 0.2\nd e\nde f\n").unwrap();
    }

    pub fn load(&self, settings: &EncoderSettings) -> Result<TextEncoder, ModelError> {
        TextEncoder::load(settings, self.path(), &Device::Cpu)
    }

    /// As an experiment has it that says nothing of pooling and input.
    pub fn encoder(&self) -> TextEncoder {
        self.load(&settings(Pooling::Auto)).unwrap()
    }
}

pub fn settings(pooling: Pooling) -> EncoderSettings {
    EncoderSettings {
        pooling,
        ..EncoderSettings::default()
    }
}

/// Token ids, last hidden states `[tokens * width]` and vectors of a fixture, a text each.
pub struct Reference {
    pub ids: Vec<Vec<u32>>,
    pub hidden: Vec<Vec<f32>>,
    pub vectors: Vec<Vec<f32>>,
}

impl Reference {
    pub fn of(fixture: &str) -> Self {
        let tensors = tensors(&fixtures().join(fixture).join("reference.safetensors"));
        let lengths = tensors["attention_mask"].to_dtype(DType::U32).unwrap().sum(1).unwrap();
        let lengths: Vec<u32> = lengths.to_vec1().unwrap();
        let ids = tensors["input_ids"]
            .to_dtype(DType::U32)
            .unwrap()
            .to_vec2::<u32>()
            .unwrap();
        let row = |(row, &length): (usize, &u32)| {
            let real = tensors["last_hidden"]
                .get(row)
                .unwrap()
                .narrow(0, 0, length as usize)
                .unwrap();
            real.flatten_all().unwrap().to_vec1().unwrap()
        };
        Self {
            hidden: lengths.iter().enumerate().map(row).collect(),
            ids: ids
                .into_iter()
                .zip(&lengths)
                .map(|(row, &length)| row[..length as usize].to_vec())
                .collect(),
            vectors: tensors["embedding"].to_vec2().unwrap(),
        }
    }

    fn texts(&self) -> Vec<&[u32]> {
        self.ids.iter().map(Vec::as_slice).collect()
    }
}

/// Largest difference of two lists of vectors.
pub fn distance(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let rows = found.iter().zip(expected).map(|(a, b)| {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    });
    rows.fold(0.0, f32::max)
}

const FIXTURES: [&str; 3] = ["bert_encoder", "roberta_encoder", "qwen3_encoder"];

#[test]
fn hidden_states_and_vectors_are_those_of_pytorch_whatever_the_padding() {
    for fixture in FIXTURES {
        let (folder, reference) = (Folder::new(fixture), Reference::of(fixture));
        let encoder = folder.encoder();
        let hidden = distance(&encoder.hidden_states(&reference.texts()).unwrap(), &reference.hidden);
        let together = encoder.encode_ids(&reference.ids).unwrap();
        let vectors = distance(&together, &reference.vectors);
        println!("{fixture}: hidden states within {hidden:.1e}, vectors within {vectors:.1e}");
        assert!(hidden < 1e-4 && vectors < 1e-4, "{fixture}: {hidden}, {vectors}");
        for (ids, expected) in reference.ids.iter().zip(together) {
            let alone = encoder.encode_ids(std::slice::from_ref(ids)).unwrap();
            assert!(distance(&alone, &[expected]) < 1e-5, "{fixture} alone");
        }
        let none = encoder.encode_ids(&[Vec::new()]).unwrap();
        assert_eq!(none, [vec![0.0; encoder.width()]]);
    }
}

#[test]
fn the_decoder_of_other_devices_has_the_same_hidden_states() {
    let reference = Reference::of("qwen3_encoder");
    let weights = ReaderWeights::load(&fixtures().join("qwen3_encoder")).unwrap();
    let reader = ComposedReader::new(weights, &Device::Cpu).unwrap();
    let hidden = reader.hidden_states(&reference.texts()).unwrap();
    assert!(distance(&hidden, &reference.hidden) < 1e-4);
    let table = reader.embedding_table().unwrap();
    let width = reader.config().hidden;
    assert_eq!(
        reader.embeddings(&[7, 3]).unwrap(),
        [&table[7 * width..8 * width], &table[3 * width..4 * width]].concat()
    );
    for wrong in [
        reader.hidden_states(&[&[0, 300]]).err(),
        reader.embeddings(&[300]).err(),
    ] {
        assert!(matches!(wrong, Some(ModelError::Prompt(message)) if message.contains("token 300")));
    }
}

#[test]
fn unixcoder_is_told_to_encode_and_reads_syntax_trees() {
    let folder = Folder::new("roberta_encoder");
    let tokenizer = TextTokenizer::from_folder(folder.path()).unwrap();
    let id = |token: &str| tokenizer.id(token).unwrap();
    let front = [id("<s>"), id("<encoder-only>"), id("</s>")];
    let framed = |body: &[u32]| [&front, body, &[id("</s>")]].concat();

    let encoder = folder.encoder();
    assert_eq!(encoder.ids("def f").unwrap(), framed(&[id("def"), id("Ġ"), id("f")]));
    assert_eq!(encoder.ids("").unwrap(), framed(&[]));
    // 66 positions, the first of which is the one behind the padding's.
    assert_eq!(encoder.ids(&"f".repeat(500)).unwrap(), framed(&[id("f"); 60]));
    let short = folder
        .load(&EncoderSettings {
            max_tokens: 9,
            ..settings(Pooling::Auto)
        })
        .unwrap();
    assert_eq!(short.ids(&"f".repeat(500)).unwrap(), framed(&[id("f"); 5]));

    let trees = EncoderSettings {
        input: EncoderInput::SyntaxTree,
        ..settings(Pooling::Auto)
    };
    let trees = folder.load(&trees).unwrap();
    // The vocabulary has no brackets of an argument list: they are left out.
    let body = [
        id("AST#call#Left"),
        id("def"),
        id("s"),
        id("("),
        id("f"),
        id(")"),
        id("AST#call#Right"),
    ];
    assert_eq!(trees.ids("defs ( f )").unwrap(), framed(&body));
    assert_ne!(
        trees.encode(&["defs(f)"]).unwrap(),
        encoder.encode(&["defs(f)"]).unwrap()
    );

    let codebert = Folder::new("roberta_encoder");
    codebert.write_roberta_tokenizer(&[]);
    assert_eq!(codebert.encoder().ids("f").unwrap(), [id("<s>"), id("f"), id("</s>")]);
}

#[test]
fn qwen3_is_pooled_at_its_end_token_and_as_the_paper_pooled_it() {
    let folder = Folder::new("qwen3_encoder");
    let (own, paper) = (
        folder.encoder(),
        folder.load(&settings(Pooling::LastCodeToken)).unwrap(),
    );
    let end = 256;
    let letters: Vec<u32> = paper.ids("abc").unwrap();
    assert_eq!(own.ids("abc").unwrap(), [letters.as_slice(), &[end]].concat());
    // 64 positions: the end token has one of them.
    let long = "a".repeat(500);
    assert_eq!(own.ids(&long).unwrap(), [vec![letters[0]; 63], vec![end]].concat());
    assert_eq!(paper.ids(&long).unwrap(), vec![letters[0]; 64]);
    // The state behind a text does not depend on what follows it.
    let hidden = own.hidden_states(&[&own.ids("abc").unwrap()]).unwrap();
    let rows: Vec<&[f32]> = hidden[0].chunks(own.width()).collect();
    let unit = |row: &[f32]| {
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter().map(|value| value / length).collect::<Vec<f32>>()
    };
    assert!(distance(&own.encode(&["abc"]).unwrap(), &[unit(rows[3])]) < 1e-6);
    assert!(distance(&paper.encode(&["abc"]).unwrap(), &[unit(rows[2])]) < 1e-6);
}

#[test]
fn the_reader_encodes_by_its_hidden_states() {
    let toy = toy::Toy::new();
    let tokenizer = Arc::new(TextTokenizer::from_folder(&toy.path("reader")).unwrap());
    let reader: Arc<dyn Reader> = Arc::new(CpuReader::new(ReaderWeights::load(&toy.path("reader")).unwrap()).unwrap());
    let width = reader.config().hidden;
    let text = "def total(values):\n    return sum(values)\n";
    let slots: Vec<Slot> = tokenizer.ids(text).unwrap().into_iter().map(Slot::Token).collect();
    let feed = Feed {
        member: 0,
        slots: &slots,
        apart: None,
        outputs: slots.len(),
    };
    let fed = reader.session(1).feed(&[feed], &[]).unwrap().remove(0).hidden;
    let unit = |vector: Vec<f32>| {
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.into_iter().map(|value| value / length).collect::<Vec<f32>>()
    };
    let mean: Vec<f32> = (0..width)
        .map(|column| fed.iter().skip(column).step_by(width).sum())
        .collect();
    let last = fed[fed.len() - width..].to_vec();
    for (pooling, expected) in [(Pooling::Auto, mean), (Pooling::LastToken, last)] {
        let encoder = of_reader(&settings(pooling), reader.clone(), tokenizer.clone(), "sum").unwrap();
        assert_eq!((encoder.width(), encoder.tokens(text).unwrap()), (width, slots.len()));
        let found = encoder.encode(&["x = 1", text]).unwrap();
        assert!(distance(&found[1..], &[unit(expected)]) < 1e-5, "{pooling}");
        // More rows than are computed together, of all lengths, and one that is longer than all of them.
        let texts: Vec<String> = (1..=24).map(|times| text.repeat(times % 12 + 1)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let long = EncoderSettings {
            max_tokens: 500,
            ..settings(pooling)
        };
        let encoder = of_reader(&long, reader.clone(), tokenizer.clone(), "sum").unwrap();
        for (text, together) in texts.iter().zip(encoder.encode(&texts).unwrap()) {
            assert!(
                distance(&encoder.encode(&[text]).unwrap(), &[together]) < 1e-5,
                "{pooling}"
            );
        }
    }
}

#[test]
fn the_reader_encodes_by_the_embeddings_of_rare_identifiers() {
    let toy = toy::Toy::new();
    let tokenizer = Arc::new(TextTokenizer::from_folder(&toy.path("reader")).unwrap());
    let reader: Arc<dyn Reader> = reader::load(&toy.path("reader"), &Device::Cpu).unwrap().into();
    let encoder = RareIdentifiers::new(
        &settings(Pooling::RareIdentifiers),
        reader.clone(),
        tokenizer.clone(),
        "sum",
    );
    // Every letter is a token here: the longest names are the rarest.
    let text =
        "def total_of_markets(self, name, currency_table):\n    x = exchange_rates(currency_table).monthly_amount";
    let names = " total_of_markets currency_table exchange_rates monthly_amount";
    let ids = encoder.ids(text).unwrap();
    assert_eq!(tokenizer.text(&ids), names);
    let width = encoder.width();
    let table = reader.embedding_table().unwrap();
    let mut mean = vec![0f32; width];
    for &id in &ids {
        for (sum, value) in mean.iter_mut().zip(&table[id as usize * width..]) {
            *sum += value;
        }
    }
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    let mean: Vec<f32> = mean.iter().map(|value| value / length).collect();
    assert!(distance(&encoder.encode(&[text]).unwrap(), &[mean]) < 1e-5);
    // A text without names is read whole.
    assert_eq!(encoder.ids("a = 1").unwrap(), tokenizer.ids("a = 1").unwrap());
}

#[test]
fn the_reader_encodes_how_a_name_is_spelled() {
    let toy = toy::Toy::new();
    let tokenizer = Arc::new(TextTokenizer::from_folder(&toy.path("reader")).unwrap());
    let reader: Arc<dyn Reader> = reader::load(&toy.path("reader"), &Device::Cpu).unwrap().into();
    let encoder = Spelling::new(reader.clone(), tokenizer.clone(), "sum").unwrap();
    let (width, table) = (reader.config().hidden, reader.embedding_table().unwrap());
    assert_eq!(encoder.width(), 7 * width);
    let row = |text: &str| {
        let ids = tokenizer.ids(text).unwrap();
        assert_eq!(ids.len(), 1, "{text:?}");
        table[ids[0] as usize * width..][..width].to_vec()
    };
    // Every letter is a token here. Two lines pad a name of four; of a long one the end is in the mean alone.
    for (name, padded) in [("abc", " abc\n\n"), ("abcdefgh", " abcde")] {
        let letters: Vec<Vec<f32>> = padded.chars().map(|letter| row(&letter.to_string())).collect();
        let mut expected: Vec<f32> = letters.concat();
        let all: Vec<Vec<f32>> = format!(" {name}")
            .chars()
            .map(|letter| row(&letter.to_string()))
            .collect();
        let mean = |at: usize| all.iter().map(|row| row[at]).sum::<f32>() / all.len() as f32;
        expected.extend((0..width).map(mean));
        let length = expected.iter().map(|value| value * value).sum::<f32>().sqrt();
        let expected = expected.iter().map(|value| value / length).collect();
        assert!(
            distance(&encoder.encode(&[name]).unwrap(), &[expected]) < 1e-5,
            "{name}"
        );
    }
    let [one, other] = ["load_file", "file_load"].map(|name| encoder.encode(&[name]).unwrap());
    assert_ne!(one, other);
}

#[test]
fn a_fingerprint_tells_all_that_decides_a_vector() {
    let folder = Folder::new("roberta_encoder");
    let of = |folder: &Folder, settings: &EncoderSettings| folder.load(settings).unwrap().fingerprint().to_owned();
    let plain = settings(Pooling::Auto);
    let mut others = vec![
        of(&folder, &plain),
        of(&folder, &settings(Pooling::FirstToken)),
        of(
            &folder,
            &EncoderSettings {
                max_tokens: 20,
                ..plain.clone()
            },
        ),
        of(
            &folder,
            &EncoderSettings {
                input: EncoderInput::SyntaxTree,
                ..plain.clone()
            },
        ),
    ];
    // What is meant counts, not how it was said; and so do the positions that there are.
    assert_eq!(of(&folder, &settings(Pooling::Mean)), others[0]);
    assert_eq!(
        of(
            &folder,
            &EncoderSettings {
                max_tokens: 4000,
                ..plain.clone()
            }
        ),
        others[0]
    );
    folder.write_roberta_tokenizer(&["<encoder-only>"]);
    others.push(of(&folder, &plain));
    let mut weights = tensors(&folder.file("model.safetensors"));
    let name = "embeddings.word_embeddings.weight";
    weights.insert(name.into(), (&weights[name] * 2.0).unwrap());
    candle_core::safetensors::save(&weights, folder.file("model.safetensors")).unwrap();
    others.push(of(&folder, &plain));

    let toy = toy::Toy::new();
    let tokenizer = Arc::new(TextTokenizer::from_folder(&toy.path("reader")).unwrap());
    let reader: Arc<dyn Reader> = reader::load(&toy.path("reader"), &Device::Cpu).unwrap().into();
    for (pooling, weights) in [
        (Pooling::Mean, "a"),
        (Pooling::Mean, "b"),
        (Pooling::LastToken, "a"),
        (Pooling::RareIdentifiers, "a"),
    ] {
        let encoder = of_reader(&settings(pooling), reader.clone(), tokenizer.clone(), weights).unwrap();
        others.push(encoder.fingerprint().to_owned());
    }
    assert_eq!(others.iter().collect::<HashSet<_>>().len(), others.len(), "{others:?}");
}

#[test]
fn what_an_encoder_cannot_do_is_refused_by_field_value_and_remedy() {
    let refused = |fixture, settings: EncoderSettings, parts: &[&str]| {
        let text = Folder::new(fixture).load(&settings).err().unwrap().to_string();
        for part in parts {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    };
    let trees = |fixture| {
        let settings = EncoderSettings {
            input: EncoderInput::SyntaxTree,
            ..EncoderSettings::default()
        };
        refused(
            fixture,
            settings,
            &["encoder.input is syntax_tree", "\"code\"", "UniXcoder"],
        );
    };
    trees("bert_encoder");
    trees("qwen3_encoder");
    refused(
        "qwen3_encoder",
        settings(Pooling::FirstToken),
        &["encoder.pooling is first_token", "\"last_token\""],
    );
    refused(
        "bert_encoder",
        settings(Pooling::LastToken),
        &["encoder.pooling is last_token", "\"mean\""],
    );
    for fixture in FIXTURES {
        refused(
            fixture,
            settings(Pooling::RareIdentifiers),
            &["encoder.pooling is rare_identifiers", "\"reader\""],
        );
    }
    let toy = toy::Toy::new();
    let tokenizer = Arc::new(TextTokenizer::from_folder(&toy.path("reader")).unwrap());
    let reader: Arc<dyn Reader> = reader::load(&toy.path("reader"), &Device::Cpu).unwrap().into();
    let text = of_reader(&settings(Pooling::FirstToken), reader, tokenizer, "sum")
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains("encoder.pooling is first_token"), "{text}");
}
