//! The default models against reference values of PyTorch and transformers. Run with `--ignored` after `llavacode fetch`.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

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
    use llavacode::models::catalogue::Store;
    use llavacode::models::encoder::{BertEncoder, Encoder};

    fn minilm(max_tokens: usize) -> BertEncoder {
        let folder = Store::open(None).unwrap().encoder("all-minilm-l6-v2").unwrap();
        BertEncoder::load(&folder, max_tokens, &Device::Cpu).unwrap()
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

    /// Prints the rate; run it with `RAYON_NUM_THREADS` set and `--nocapture`.
    #[test]
    #[ignore = "needs the models: llavacode fetch"]
    fn measures_chunks_a_second() {
        let encoder = minilm(256);
        let text = |i: usize| format!("value_{i} = compute(item, other)\n").repeat(9);
        let texts: Vec<String> = (0..96).map(text).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let tokens: usize = texts.iter().map(|text| encoder.ids(text).unwrap().len()).sum();
        encoder.encode(&texts[..16]).unwrap();
        let start = std::time::Instant::now();
        encoder.encode(&texts).unwrap();
        let rate = texts.len() as f64 / start.elapsed().as_secs_f64();
        println!("{rate:.1} chunks/s of {} tokens", tokens / texts.len());
        assert!(rate > 1.0);
    }
}
