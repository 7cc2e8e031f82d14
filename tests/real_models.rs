//! The default models against reference values of PyTorch and transformers. Run with `--ignored` after `llavacode fetch`.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "common/numbers.rs"]
mod numbers;

use std::path::{Path, PathBuf};

/// The folder of the default models' reference values: `LLAVACODE_REAL_FIXTURES`, else `tests/fixtures_real`.
fn reference() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(std::env::var_os("LLAVACODE_REAL_FIXTURES").unwrap_or_else(|| "tests/fixtures_real".into()))
}

/// One of its JSON files.
fn json(name: &str) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(reference().join(name)).unwrap()).unwrap()
}

/// Texts of a list of `{"text", "ids"}` and their token ids.
fn texts_and_ids(list: &serde_json::Value) -> Vec<(String, Vec<u32>)> {
    let row = |row: &serde_json::Value| {
        let ids = row["ids"].as_array().unwrap().iter();
        let ids = ids.map(|id| id.as_u64().unwrap() as u32).collect();
        (row["text"].as_str().unwrap().to_owned(), ids)
    };
    list.as_array().unwrap().iter().map(row).collect()
}

mod tokenizer {
    use llavacode::models::catalogue::{ReaderFiles, Store};
    use llavacode::models::tokenizer::TextTokenizer;

    fn smollm2() -> TextTokenizer {
        match Store::open(None).unwrap().reader("smollm2-135m-instruct").unwrap() {
            ReaderFiles::Gguf(path) => TextTokenizer::from_gguf(&path).unwrap(),
            ReaderFiles::Folder(folder) => TextTokenizer::from_json(&folder.join("tokenizer.json")).unwrap(),
        }
    }

    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn ids_are_those_of_transformers_and_lead_back_to_the_text() {
        let tokenizer = smollm2();
        for (text, ids) in super::texts_and_ids(&super::json("smollm2.json")["texts"]) {
            assert_eq!(tokenizer.ids(&text).unwrap(), ids, "{text:?}");
            assert_eq!(tokenizer.text(&ids), text);
        }
    }

    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn line_breaks_and_ends_of_text_are_known() {
        let tokenizer = smollm2();
        let one = |text| match tokenizer.ids(text).unwrap()[..] {
            [id] => id,
            ref ids => panic!("{text:?} is {ids:?}"),
        };
        assert!(tokenizer.breaks_line(one("\n")));
        assert!(!tokenizer.breaks_line(one("a")));
        for (text, ids) in super::texts_and_ids(&super::json("smollm2.json")["texts"]) {
            let breaks = ids.iter().any(|id| tokenizer.breaks_line(*id));
            assert_eq!(breaks, text.contains('\n'));
        }
        let ends = tokenizer.end_of_text();
        for name in ["<|endoftext|>", "<|im_end|>", "<file_sep>"] {
            assert!(ends.contains(&one(name)), "{name}");
        }
        assert!(!ends.contains(&one("a")));
        assert!(ends.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
    }
}

mod encoder {
    use candle_core::Device;
    use llavacode::experiment::EncoderSettings;
    use llavacode::models::catalogue::Store;
    use llavacode::models::encoder::{Encoder, TextEncoder};

    fn minilm(max_tokens: usize) -> TextEncoder {
        let settings = EncoderSettings {
            max_tokens,
            ..EncoderSettings::default()
        };
        let folder = Store::open(None).unwrap().encoder(&settings.model).unwrap();
        TextEncoder::load(&settings, &folder, &Device::Cpu).unwrap()
    }

    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn ids_and_vectors_are_those_of_transformers() {
        let encoder = minilm(256);
        let rows = super::texts_and_ids(&super::json("minilm.json"));
        for (text, ids) in &rows {
            assert_eq!(&encoder.ids(text).unwrap(), ids, "{text:?}");
        }
        let path = super::reference().join("minilm.safetensors");
        let expected = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
        let expected = expected["embeddings"].to_vec2::<f32>().unwrap();
        let texts: Vec<&str> = rows.iter().map(|(text, _)| text.as_str()).collect();
        let found = encoder.encode(&texts).unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.len(), encoder.width());
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{a} instead of {b}");
            }
        }
    }

    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn the_fingerprint_tells_the_truncation() {
        let (short, long) = (minilm(64), minilm(256));
        assert_ne!(short.fingerprint(), long.fingerprint());
        assert_eq!(long.fingerprint(), minilm(256).fingerprint());
        assert_eq!(short.ids(&"word ".repeat(500)).unwrap().len(), 64);
    }
}

mod reader {
    use std::collections::HashMap;

    use candle_core::{Device, Tensor};
    use llavacode::models::catalogue::{ReaderFiles, Store};
    use llavacode::models::reader::{
        ComposedReader, CpuReader, Feed, Prediction, Prompt, Reader, ReaderWeights, Sequence, Slot, generate,
    };

    use super::numbers::{floats, largest_difference};

    fn weights() -> ReaderWeights {
        let (ReaderFiles::Gguf(path) | ReaderFiles::Folder(path)) =
            Store::open(None).unwrap().reader("smollm2-135m-instruct").unwrap();
        ReaderWeights::load(&path).unwrap()
    }

    struct Reference {
        json: serde_json::Value,
        tensors: HashMap<String, Tensor>,
        prompt: Vec<Slot>,
        ids: Vec<u32>,
    }

    impl Reference {
        fn load() -> Self {
            let json = super::json("smollm2.json");
            let tensors = candle_core::safetensors::load(super::reference().join("smollm2.safetensors"), &Device::Cpu);
            let ids = super::texts_and_ids(&json["texts"])[0].1.clone();
            let prompt = ids.iter().map(|&id| Slot::Token(id)).collect();
            Self {
                json,
                tensors: tensors.unwrap(),
                prompt,
                ids,
            }
        }

        fn floats(&self, name: &str) -> Vec<f32> {
            floats(&self.tensors[name])
        }

        /// Ten soft tokens, then the prompt, the last tokens of which are predicted.
        fn with_soft_tokens(&self) -> Sequence {
            let targets = self.json["soft_token_targets"].as_u64().unwrap() as usize;
            let rows = self.tensors["soft"].dims()[1];
            let mut slots: Vec<Slot> = (0..rows).map(Slot::Soft).collect();
            slots.extend(&self.prompt[..self.prompt.len() - 1]);
            let predicted = &self.ids[self.ids.len() - targets..];
            let first = slots.len() - targets;
            let predictions = predicted
                .iter()
                .enumerate()
                .map(|(at, &token)| Prediction { row: first + at, token })
                .collect();
            Sequence {
                slots,
                predictions,
                ..Sequence::default()
            }
        }
    }

    fn holds(reader: &dyn Reader) {
        let reference = Reference::load();
        let vocab = reader.config().vocab_size;
        let all = Feed {
            slots: &reference.prompt,
            outputs: reference.prompt.len(),
            ..Feed::default()
        };
        let logits = reader.session(1).feed(&[all], &[]).unwrap().remove(0).logits;
        let last = &logits[logits.len() - vocab..];
        assert!(largest_difference(last, &reference.floats("last_logits")) < 1e-3);
        let (values, ids) = (reference.floats("top16_logits"), reference.floats("top16_ids"));
        for (row, logits) in logits.chunks_exact(vocab).enumerate() {
            let at = row * 16..(row + 1) * 16;
            let ours: Vec<f32> = ids[at.clone()].iter().map(|&id| logits[id as usize]).collect();
            assert!(
                largest_difference(&ours, &values[at]) < 1e-3,
                "logits of position {row}"
            );
        }

        let prompt = reference.json["greedy_prompt_tokens"].as_u64().unwrap() as usize;
        let greedy: Vec<u32> = reference.json["greedy"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_u64().unwrap() as u32)
            .collect();
        let mut session = reader.session(1);
        let start = Prompt {
            slots: greedy[..prompt].iter().map(|&id| Slot::Token(id)).collect(),
            apart: None,
        };
        let generation = generate(session.as_mut(), &start, &[], greedy.len() - prompt, &|_| false).unwrap();
        assert_eq!(generation.tokens, greedy[prompt..]);

        let result = reader
            .loss_and_gradient(&[reference.with_soft_tokens()], &reference.floats("soft"))
            .unwrap();
        let loss = reference.json["loss_with_soft_tokens"].as_f64().unwrap();
        assert!(
            (result.loss - loss).abs() < 1e-4 * loss.max(1.0),
            "loss {} is not {loss}",
            result.loss
        );
        let gradient = reference.floats("grad_soft");
        let scale = gradient.iter().map(|g| g.abs()).fold(0.0, f32::max);
        let difference = largest_difference(&result.gradient, &gradient);
        assert!(
            difference < 1e-3 * scale,
            "gradient differs by {difference} at scale {scale}"
        );
    }

    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn the_cpu_reader_equals_pytorch() {
        holds(&CpuReader::new(weights()).unwrap());
    }

    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn the_composed_reader_equals_pytorch() {
        holds(&ComposedReader::new(weights(), &Device::Cpu).unwrap());
    }
}

mod prompt {
    use llavacode::corpus::{SampleSettings, Split, repository_from_wheel, samples};
    use llavacode::experiment::Experiment;
    use llavacode::models::catalogue::{CorpusFiles, ReaderFiles, Store};
    use llavacode::models::tokenizer::TextTokenizer;
    use llavacode::prompt::PromptBuilder;
    use llavacode::retrieval::{Jaccard, Retriever};

    /// A target tokenised apart from its file must get the tokens that it has inside it, or the loss punishes the reader
    /// for tokens that no text ever has.
    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn targets_have_the_tokens_of_their_file() {
        let store = Store::open(None).unwrap();
        let ReaderFiles::Gguf(path) = store.reader("smollm2-135m-instruct").unwrap() else {
            panic!("no GGUF")
        };
        let tokenizer = TextTokenizer::from_gguf(&path).unwrap();
        let experiment = Experiment::default();
        let prompts = PromptBuilder::new(&tokenizer, &experiment.prompt, &experiment.retrieval).unwrap();
        let CorpusFiles::Wheels(wheels) = store.corpus("python-packages").unwrap() else {
            panic!("no wheels")
        };
        let wheel = wheels.iter().find(|wheel| wheel.split == Split::Validation).unwrap();
        let repository = repository_from_wheel(&wheel.name, &wheel.path).unwrap();
        let jaccard = Jaccard::new(&repository, 10, 8);
        let drawn = samples(
            &repository,
            &SampleSettings {
                per_repository: 20,
                seed: 1,
            },
        );
        assert!(drawn.len() >= 10);
        for sample in drawn {
            let prepared = prompts.prepare(&sample, &jaccard.retrieve(&sample, 5)).unwrap();
            let behind: String = sample.right.chars().take(400).collect();
            let whole = tokenizer.ids(&format!("{}{behind}", sample.target)).unwrap();
            assert!(
                whole.starts_with(&prepared.target),
                "{}: {:?}",
                sample.id,
                prepared.target
            );
            assert!(prepared.left.len() <= 128 && prepared.chunks.iter().all(|chunk| chunk.len() <= 80));
            let left = tokenizer.text(&prepared.left);
            assert!(sample.left.ends_with(left.trim_start_matches('\u{fffd}')));
            // Full RAG and the encoder see the same text.
            for (chunk, one) in prepared.chunks.iter().zip(&prepared.retrieved) {
                assert!(tokenizer.text(chunk).starts_with(&one.chunk.text));
            }
        }
    }
}
