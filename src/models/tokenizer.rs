//! Text to token ids and back, from `tokenizer.json`, from RoBERTa's two files or from a GGUF file's metadata.

mod byte_level;
mod gguf;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::ModelError;

/// Special tokens behind which no code of the same file follows: ends of text, and the borders of fill-in-the-middle training.
const ENDS: [&str; 18] = [
    "<|endoftext|>",
    "<|im_end|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<fim_prefix>",
    "<fim_middle>",
    "<fim_suffix>",
    "<fim_pad>",
    "<repo_name>",
    "<reponame>",
    "<file_sep>",
    "<filename>",
];

/// Names of the tokens in front of the prefix, the suffix and the middle, as Qwen2.5-Coder, StarCoder, CodeLlama and
/// DeepSeek-Coder call them.
const FILL_IN_THE_MIDDLE: [[&str; 3]; 4] = [
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
    ["▁<PRE>", "▁<SUF>", "▁<MID>"],
    ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
];

/// The tokenizer of a reader or an encoder.
pub struct TextTokenizer {
    path: PathBuf,
    tokenizer: Tokenizer,
    end_of_text: Vec<u32>,
    line_breaks: OnceLock<Vec<bool>>,
}

impl TextTokenizer {
    /// Reads `tokenizer.json` of a model's folder, else `vocab.json` and `merges.txt`.
    pub fn from_folder(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join("tokenizer.json");
        if path.is_file() || !folder.join("vocab.json").is_file() {
            return Self::from_json(&path);
        }
        Ok(Self::new(
            &folder.join("vocab.json"),
            byte_level::read(folder)?,
            Vec::new(),
        ))
    }

    /// Reads `tokenizer.json`; the end of text comes from `generation_config.json` and `config.json` beside it.
    pub fn from_json(path: &Path) -> Result<Self, ModelError> {
        let tokenizer = tokenizer_json(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut ends = Vec::new();
        for name in ["generation_config.json", "config.json"] {
            let config = folder.join(name);
            if !config.exists() {
                continue;
            }
            let text = std::fs::read_to_string(&config).map_err(ModelError::read(&config))?;
            let config: Value = serde_json::from_str(&text).map_err(ModelError::broken(&config))?;
            ends.extend(eos_ids(&config));
        }
        Ok(Self::new(path, tokenizer, ends))
    }

    /// Builds the tokenizer from the metadata of a GGUF file; the tensors are not read.
    pub fn from_gguf(path: &Path) -> Result<Self, ModelError> {
        let (tokenizer, ends) = gguf::read(path)?;
        Ok(Self::new(path, tokenizer, ends))
    }

    fn new(path: &Path, tokenizer: Tokenizer, mut end_of_text: Vec<u32>) -> Self {
        let special = tokenizer.get_added_tokens_decoder();
        end_of_text.extend(
            ENDS.iter()
                .filter_map(|name| tokenizer.token_to_id(name))
                .filter(|id| special.contains_key(id)),
        );
        end_of_text.sort_unstable();
        end_of_text.dedup();
        Self {
            path: path.to_owned(),
            tokenizer,
            end_of_text,
            line_breaks: OnceLock::new(),
        }
    }

    /// Token ids of `text`, nothing put in front or behind.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(ModelError::broken(&self.path))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids that belong before and behind a text, as the tokenizer itself puts them.
    pub fn frame(&self) -> Result<[Vec<u32>; 2], ModelError> {
        let letter = self.ids("a")?;
        let framed = self
            .tokenizer
            .encode_fast("a", true)
            .map_err(ModelError::broken(&self.path))?;
        let framed = framed.get_ids();
        let at = framed.windows(letter.len().max(1)).position(|window| window == letter);
        let (front, rest) = framed.split_at(at.unwrap_or(0));
        Ok([front.to_vec(), rest.iter().skip(letter.len()).copied().collect()])
    }

    /// The id of one token of the vocabulary.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// Text of `ids`, special tokens included. Unknown ids are left out; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self, ids: &[u32]) -> String {
        self.tokenizer.decode(ids, false).unwrap_or_default()
    }

    /// Ids run from 0 to below this; the reader's table may have more rows.
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// Ids of the special tokens that end generation, sorted.
    pub fn end_of_text(&self) -> Vec<u32> {
        self.end_of_text.clone()
    }

    /// The tokens in front of the prefix, the suffix and the middle, for a reader that fills in the middle.
    pub fn fill_in_the_middle(&self) -> Option<[u32; 3]> {
        FILL_IN_THE_MIDDLE.iter().find_map(|names| {
            let [prefix, suffix, middle] = names.map(|name| self.tokenizer.token_to_id(name));
            Some([prefix?, suffix?, middle?])
        })
    }

    /// Whether the token's text contains a line break; the table is built at the first call.
    pub fn breaks_line(&self, id: u32) -> bool {
        let table = self.line_breaks.get_or_init(|| {
            (0..self.vocab_size() as u32)
                .map(|id| self.text(&[id]).contains('\n'))
                .collect()
        });
        table.get(id as usize).copied().unwrap_or(false)
    }
}

/// Reads `tokenizer.json`, without the truncation and the padding that it may ask for.
pub(super) fn tokenizer_json(path: &Path) -> Result<Tokenizer, ModelError> {
    let bytes = std::fs::read(path).map_err(ModelError::read(path))?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(ModelError::broken(path))?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(ModelError::broken(path))?;
    Ok(tokenizer)
}

/// `eos_token_id` of a model's configuration: a number, a list of numbers, or nothing.
fn eos_ids(config: &Value) -> Vec<u32> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match config.get("eos_token_id") {
        Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    }
}
