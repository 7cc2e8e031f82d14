//! An encoder from a folder of the sentence-transformers layout: tokenizer, BERT, mean pooling.

use std::path::Path;

use candle_core::Device;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokenizers::{Tokenizer, TruncationParams};

use super::{BertNetwork, Encoder};
use crate::models::{ModelError, tokenizer};

/// Rows of one forward pass: enough for the matrix products to run at full speed, few enough to stay in the cache.
const BATCH: usize = 16;

/// A BERT encoder such as all-MiniLM-L6-v2.
pub struct BertEncoder {
    path: std::path::PathBuf,
    tokenizer: Tokenizer,
    network: BertNetwork,
    fingerprint: String,
}

impl BertEncoder {
    /// Reads `config.json`, `tokenizer.json`, `model.safetensors` and, if it is there, `1_Pooling/config.json`.
    /// Texts are truncated to `max_tokens` tokens, the special ones included, and to what the model has positions for.
    pub fn load(folder: &Path, max_tokens: usize, device: &Device) -> Result<Self, ModelError> {
        require_mean_pooling(&folder.join("1_Pooling/config.json"))?;
        let network = BertNetwork::load(folder, device)?;
        // Two special tokens frame the text; at least one of its own tokens must fit.
        let max_length = max_tokens.clamp(3, network.max_tokens().max(3));
        let path = folder.join("tokenizer.json");
        let mut tokenizer = tokenizer::tokenizer_json(&path)?;
        tokenizer
            .with_truncation(Some(TruncationParams {
                max_length,
                ..TruncationParams::default()
            }))
            .map_err(ModelError::broken(&path))?;
        Ok(Self {
            path,
            tokenizer,
            network,
            fingerprint: fingerprint(folder, max_length)?,
        })
    }

    /// Token ids of `text`, framed by the special tokens and truncated.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, true)
            .map_err(ModelError::broken(&self.path))?;
        Ok(encoding.get_ids().to_vec())
    }
}

impl Encoder for BertEncoder {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn width(&self) -> usize {
        self.network.width()
    }

    fn tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(self.ids(text)?.len())
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut rows = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            rows.push((index, self.ids(text)?));
        }
        // Rows of like length share a batch, so that little is computed on padding.
        rows.sort_by_key(|(_, ids)| ids.len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in rows.chunks(BATCH) {
            let ids: Vec<&[u32]> = batch.iter().map(|(_, ids)| ids.as_slice()).collect();
            for ((index, _), vector) in batch.iter().zip(self.network.embed_ids(&ids)?) {
                if let Some(slot) = vectors.get_mut(*index) {
                    *slot = vector;
                }
            }
        }
        Ok(vectors)
    }
}

/// SHA-256 of all that decides a vector.
fn fingerprint(folder: &Path, max_tokens: usize) -> Result<String, ModelError> {
    let mut hash = Sha256::new();
    hash.update(format!("bert mean {max_tokens}"));
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let path = folder.join(name);
        hash.update(Sha256::digest(std::fs::read(&path).map_err(ModelError::read(&path))?));
    }
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a model that was trained with another pooling: its mean vectors would mean little.
fn require_mean_pooling(path: &Path) -> Result<(), ModelError> {
    if !path.exists() {
        return Ok(());
    }
    let text = std::fs::read_to_string(path).map_err(ModelError::read(path))?;
    let config: Value = serde_json::from_str(&text).map_err(ModelError::broken(path))?;
    match config.get("pooling_mode_mean_tokens") {
        Some(Value::Bool(true)) => Ok(()),
        _ => Err(ModelError::Unsupported {
            path: path.to_owned(),
            message: "the encoder must pool by the mean of its tokens".into(),
        }),
    }
}
