//! A byte-level BPE tokenizer from the metadata of a GGUF file.
//!
//! candle's own builder puts a space in front of the text for pre-tokenizers that it does not know, which changes the first token.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::gguf_file::{Content, Value};
use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use crate::models::ModelError;

/// Words, numbers, punctuation and space of Qwen2 (digits alone); Llama 3 differs in the digits only.
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Names of Llama 3's rule; its tokenizer takes a word that is in the vocabulary whole, whatever the merges say.
const LLAMA3_NAMES: [&str; 2] = ["llama-bpe", "llama3"];

/// Token types of GGUF that stand for themselves wherever they occur in a text: control and user-defined.
const SPECIAL: [u64; 2] = [3, 4];

/// The tokenizer, and the ids that the file names as ends of text.
pub(super) fn read(path: &Path) -> Result<(Tokenizer, Vec<u32>), ModelError> {
    let file = File::open(path).map_err(ModelError::read(path))?;
    let content = Content::read(&mut BufReader::new(file)).map_err(ModelError::broken(path))?;
    let metadata = Metadata {
        path,
        content: &content,
    };
    let ends = ["eos_token_id", "eot_token_id"]
        .iter()
        .filter_map(|key| metadata.number(key))
        .filter_map(|id| u32::try_from(id).ok())
        .collect();
    Ok((build(&metadata)?, ends))
}

fn build(metadata: &Metadata) -> Result<Tokenizer, ModelError> {
    let path = metadata.path;
    let model = metadata.text("model")?;
    if model != "gpt2" {
        return Err(unsupported(
            path,
            format!(
                "its tokenizer is {model:?}, only byte-level BPE (\"gpt2\") runs; use a folder with tokenizer.json"
            ),
        ));
    }
    let tokens = metadata.texts("tokens")?;
    let vocabulary: Vocab = (0..).zip(&tokens).map(|(id, token)| (token.to_string(), id)).collect();
    let merges = metadata
        .texts("merges")?
        .into_iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
            None => Err(ModelError::broken(path)(format!("merge {merge:?} has no space"))),
        })
        .collect::<Result<Merges, _>>()?;
    let pre = metadata.text("pre").unwrap_or("default");
    let bpe = BPE::builder()
        .vocab_and_merges(vocabulary, merges)
        .ignore_merges(LLAMA3_NAMES.contains(&pre))
        .build()
        .map_err(ModelError::broken(path))?;

    let mut tokenizer = Tokenizer::new(bpe);
    if pre == "qwen2" {
        tokenizer.with_normalizer(Some(NFC)).map_err(ModelError::broken(path))?;
    }
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer(pre, path)?));
    tokenizer.with_decoder(Some(ByteLevelDecoder::default()));
    let special = tokens
        .iter()
        .zip(metadata.array("token_type")?)
        .filter(|(_, kind)| integer(kind).is_some_and(|kind| SPECIAL.contains(&kind)))
        .map(|(token, _)| AddedToken::from(*token, true).normalized(false));
    tokenizer
        .add_special_tokens(special.collect::<Vec<_>>())
        .map_err(ModelError::broken(path))?;
    Ok(tokenizer)
}

/// How text is cut before the merges, by its name in llama.cpp.
fn pre_tokenizer(pre: &str, path: &Path) -> Result<PreTokenizerWrapper, ModelError> {
    let words = ByteLevel::new(false, true, true);
    let bytes = ByteLevel::new(false, true, false);
    let split = |pattern: &str| {
        Split::new(
            SplitPattern::Regex(pattern.into()),
            SplitDelimiterBehavior::Isolated,
            false,
        )
        .map_err(ModelError::broken(path))
    };
    let sequence = |first: PreTokenizerWrapper, then: ByteLevel| Sequence::new(vec![first, then.into()]).into();
    match pre {
        "smollm" | "starcoder" | "refact" => Ok(sequence(Digits::new(true).into(), words)),
        "qwen2" => Ok(sequence(split(QWEN2)?.into(), bytes)),
        name if LLAMA3_NAMES.contains(&name) => Ok(sequence(split(LLAMA3)?.into(), bytes)),
        "default" | "gpt2" | "gpt-2" => Ok(words.into()),
        other => Err(unsupported(
            path,
            format!("pre-tokenizer {other:?} is unknown; use a folder with tokenizer.json"),
        )),
    }
}

/// `tokenizer.ggml.*` of one file.
struct Metadata<'a> {
    path: &'a Path,
    content: &'a Content,
}

impl<'a> Metadata<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.content.metadata.get(&format!("tokenizer.ggml.{key}"))
    }

    fn missing(&self, key: &str) -> ModelError {
        ModelError::broken(self.path)(format!("tokenizer.ggml.{key} is missing or of the wrong type"))
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(integer)
    }

    fn text(&self, key: &str) -> Result<&'a str, ModelError> {
        match self.get(key) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(self.missing(key)),
        }
    }

    fn array(&self, key: &str) -> Result<&'a [Value], ModelError> {
        match self.get(key) {
            Some(Value::Array(values)) => Ok(values),
            _ => Err(self.missing(key)),
        }
    }

    fn texts(&self, key: &str) -> Result<Vec<&'a str>, ModelError> {
        let text = |value: &'a Value| match value {
            Value::String(text) => Ok(text.as_str()),
            _ => Err(self.missing(key)),
        };
        self.array(key)?.iter().map(text).collect()
    }
}

/// A value of any whole-number type that is not negative.
fn integer(value: &Value) -> Option<u64> {
    match *value {
        Value::I8(v) => u64::try_from(v).ok(),
        Value::I16(v) => u64::try_from(v).ok(),
        Value::I32(v) => u64::try_from(v).ok(),
        Value::I64(v) => u64::try_from(v).ok(),
        Value::U8(_) | Value::U16(_) | Value::U32(_) | Value::U64(_) => value.to_u64().ok(),
        _ => None,
    }
}

fn unsupported(path: &Path, message: String) -> ModelError {
    ModelError::Unsupported {
        path: path.to_owned(),
        message,
    }
}
