//! Which architecture an encoder's folder holds, and how it wants to be pooled.

use std::path::Path;

use serde_json::Value;

use crate::experiment::{FieldError, Pooling};
use crate::models::ModelError;

/// Architectures that encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Kind {
    /// BERT, with positions from 0 on.
    Bert,
    /// RoBERTa: BERT with positions from behind the padding's id on.
    Roberta,
    /// A decoder, whose last token has seen all others: Qwen3-Embedding.
    Decoder,
}

impl Kind {
    /// Of a model's `config.json`.
    pub fn of(config: &Value, path: &Path) -> Result<Self, ModelError> {
        match config.get("model_type").and_then(Value::as_str) {
            Some("bert") => Ok(Self::Bert),
            Some("roberta") => Ok(Self::Roberta),
            Some("llama" | "qwen2" | "qwen3") => Ok(Self::Decoder),
            other => Err(ModelError::Unsupported {
                path: path.to_owned(),
                message: format!(
                    "model_type is {}, and encoders are of the types bert, roberta (CodeBERT, GraphCodeBERT, UniXcoder), \
                     qwen3 (Qwen3-Embedding), qwen2 or llama",
                    other.unwrap_or("missing")
                ),
            }),
        }
    }

    /// The pooling that is meant: the one asked for if this kind can have it, else the one that the model's own files declare,
    /// else the one that the kind is used with.
    pub fn pooling(self, asked: Pooling, folder: &Path) -> Result<Pooling, ModelError> {
        let pooling = match asked {
            Pooling::Auto => match declared(&folder.join("1_Pooling").join("config.json"))? {
                Some(pooling) => pooling,
                None if self == Self::Decoder => Pooling::LastToken,
                None => Pooling::Mean,
            },
            asked => asked,
        };
        let allowed = match (self, pooling) {
            (_, Pooling::RareIdentifiers) => {
                "another one, or encoder.model \"reader\": rare identifiers are looked up in its embeddings"
            }
            (Self::Decoder, Pooling::FirstToken) => {
                "\"last_token\", \"last_code_token\" or \"mean\" for a decoder: its first token sees no other"
            }
            (Self::Bert | Self::Roberta, Pooling::LastToken | Pooling::LastCodeToken) => {
                "\"mean\" or \"first_token\" for the BERT family: the last token was trained to stand for the text in decoders only"
            }
            (_, pooling) => return Ok(pooling),
        };
        Err(ModelError::Setting(FieldError {
            field: "encoder.pooling",
            value: pooling.to_string(),
            allowed,
        }))
    }
}

/// The pooling that a folder of the sentence-transformers layout declares; none when it says nothing.
fn declared(path: &Path) -> Result<Option<Pooling>, ModelError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(ModelError::read(path))?;
    let config: Value = serde_json::from_str(&text).map_err(ModelError::broken(path))?;
    let flag = |(name, value): (&String, &Value)| {
        let mode = name.strip_prefix("pooling_mode_")?;
        (value.as_bool() == Some(true)).then(|| mode.to_owned())
    };
    let mut modes: Vec<String> = config.as_object().into_iter().flatten().filter_map(flag).collect();
    modes.extend(config.get("pooling_mode").and_then(Value::as_str).map(str::to_owned));
    // Newer versions write `mean`, older ones a flag `pooling_mode_mean_tokens`.
    for mode in &mut modes {
        *mode = mode.trim_end_matches("_tokens").trim_end_matches("_token").to_owned();
    }
    modes.dedup();
    match modes.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["mean"] => Ok(Some(Pooling::Mean)),
        ["cls"] => Ok(Some(Pooling::FirstToken)),
        ["lasttoken"] => Ok(Some(Pooling::LastToken)),
        other => Err(ModelError::Unsupported {
            path: path.to_owned(),
            message: format!(
                "it asks for the pooling {}, and there are mean, cls and lasttoken; set encoder.pooling to choose one of them",
                if other.is_empty() {
                    "of no token".to_owned()
                } else {
                    other.join(" + ")
                }
            ),
        }),
    }
}
