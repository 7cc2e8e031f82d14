//! A reader and an encoder of a few thousand random weights, with tokenizers, and small repositories: the whole engine in
//! a second.

use std::path::{Path, PathBuf};

use llavacode::corpus::{Split, split_of};
use llavacode::experiment::Experiment;
use serde_json::{Map, Value, json};

/// Folders of the toy models and of a corpus, removed when dropped.
pub struct Toy {
    folder: tempfile::TempDir,
}

impl Toy {
    /// Builds them from the reference fixtures.
    pub fn new() -> Self {
        let toy = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, source) in [("reader", "llama"), ("encoder", "bert_encoder")] {
            let target = toy.path(name);
            std::fs::create_dir(&target).unwrap();
            for file in ["config.json", "model.safetensors"] {
                std::fs::copy(crate::common::fixtures().join(source).join(file), target.join(file)).unwrap();
            }
        }
        std::fs::write(toy.path("reader/tokenizer.json"), byte_level().to_string()).unwrap();
        std::fs::write(toy.path("encoder/tokenizer.json"), word_piece().to_string()).unwrap();
        toy.write_corpus();
        toy
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A short experiment on the toy models.
    pub fn experiment(&self, name: &str) -> Experiment {
        let mut experiment = Experiment {
            name: name.to_owned(),
            ..Experiment::default()
        };
        experiment.data.corpus = self.path("corpus").display().to_string();
        experiment.data.train_samples = 16;
        experiment.reader.model = self.path("reader").display().to_string();
        experiment.encoder.model = self.path("encoder").display().to_string();
        experiment.encoder.max_tokens = 32;
        experiment.retrieval.k = 2;
        experiment.prompt.left_tokens = 24;
        experiment.prompt.target_tokens = 8;
        experiment.schedule.steps = 6;
        experiment.schedule.batch = 3;
        experiment.schedule.probe_chunks = 8;
        experiment.schedule.probe_every = 2;
        experiment.schedule.evaluate_every = 3;
        experiment.schedule.checkpoint_every = 4;
        experiment.evaluation.samples = 3;
        experiment
    }

    /// One repository of the corpus.
    pub fn repository(&self) -> PathBuf {
        self.path("corpus/repository-0")
    }

    fn write_corpus(&self) {
        let mut found = Vec::new();
        for index in 0.. {
            let name = format!("repository-{index}");
            write_repository(&self.path("corpus").join(&name), index);
            found.push(split_of(&name, 0));
            let count = |split| found.iter().filter(|one| **one == split).count();
            if count(Split::Train) >= 6 && count(Split::Validation) >= 2 && count(Split::Test) >= 2 {
                break;
            }
        }
    }
}

/// Three files: one defines names, the others use them.
fn write_repository(folder: &Path, index: usize) {
    std::fs::create_dir_all(folder.join("package")).unwrap();
    let words = [
        "market", "garden", "window", "planet", "silver", "yellow", "harbour", "timber",
    ];
    let (mut helpers, mut main) = (String::new(), String::from("from package.helpers import *\n"));
    for (number, word) in words.iter().enumerate() {
        let name = format!("{word}_total_{index}");
        helpers.push_str(&format!("def {name}(values):\n    total = {number}\n    for value in values:\n        total += value\n    return total\n\n\n"));
        main = format!(
            "from package.helpers import {name}\n{main}\n\ndef use_{word}(values):\n    values = sorted(values)\n    result = {name}(values)\n    return result\n"
        );
    }
    std::fs::write(folder.join("package/__init__.py"), "").unwrap();
    std::fs::write(folder.join("package/helpers.py"), helpers).unwrap();
    std::fs::write(
        folder.join("package/main.py"),
        main.replace("from package.helpers import *\n", ""),
    )
    .unwrap();
    std::fs::write(
        folder.join("setup.py"),
        "from setuptools import setup\n\nsetup(name='package')\n",
    )
    .unwrap();
}

/// The character that GPT-2's byte-level alphabet gives to each byte.
pub fn byte_characters() -> Vec<char> {
    let printable =
        |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || (174..=255).contains(&byte);
    let mut next = 256;
    (0..256u32)
        .map(|byte| {
            let code = if printable(byte) {
                byte
            } else {
                next += 1;
                next - 1
            };
            char::from_u32(code).unwrap()
        })
        .collect()
}

/// A tokenizer of single bytes with an end of text.
pub fn byte_level() -> Value {
    let vocab: Map<String, Value> = byte_characters()
        .into_iter()
        .enumerate()
        .map(|(id, c)| (c.to_string(), json!(id)))
        .collect();
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
        "added_tokens": [{"id": 256, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
                          "normalized": false, "special": true}],
        "pre_tokenizer": bytes, "decoder": bytes,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": []},
    })
}

/// A tokenizer of single letters in the manner of BERT.
pub fn word_piece() -> Value {
    let mut tokens: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(str::to_owned).into();
    tokens.extend(
        ('a'..='z')
            .chain('0'..='9')
            .chain(['_', '(', ')', ':', '=', '.', ',', '+', '\''])
            .map(String::from),
    );
    tokens.extend(('a'..='z').chain('0'..='9').map(|c| format!("##{c}")));
    let vocab: Map<String, Value> = tokens
        .into_iter()
        .enumerate()
        .map(|(id, token)| (token, json!(id)))
        .collect();
    let special = |id: usize, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": true})
    };
    let part = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let token = |id: usize, name: &str| json!({"id": name, "ids": [id], "tokens": [name]});
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                       "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [part("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, part("[SEP]")],
            "pair": [part("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, part("[SEP]"), {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": token(2, "[CLS]"), "[SEP]": token(3, "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    })
}
