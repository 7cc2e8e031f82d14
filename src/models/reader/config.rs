//! One configuration for the llama, qwen2 and qwen3 families.

use std::path::Path;

use candle_core::quantized::gguf_file;
use serde_json::Value;

use crate::models::ModelError;

/// Shape and constants of a decoder. The families differ in three switches: biases, query/key norms, and the row order of a GGUF.
#[derive(Clone, Debug, PartialEq)]
pub struct ReaderConfig {
    /// `llama`, `qwen2` or `qwen3`.
    pub family: String,
    /// Rows of the token-embedding table.
    pub vocab_size: usize,
    /// Width of the embedding space, and of a soft token.
    pub hidden: usize,
    /// Width of the gated MLP.
    pub intermediate: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Base of the rotary position embedding.
    pub rope_theta: f64,
    /// Epsilon of every RMS norm.
    pub rms_eps: f32,
    /// Longest sequence that the model was made for.
    pub max_positions: usize,
}

impl ReaderConfig {
    /// Reads `config.json` of a Hugging Face folder; `rope_theta` may stand at the top level or inside `rope_parameters`.
    pub fn from_json(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Read {
            path: path.to_owned(),
            source,
        })?;
        let json: Value = serde_json::from_str(&text).map_err(|error| ModelError::Broken {
            path: path.to_owned(),
            message: format!("it is not JSON: {error}"),
        })?;
        let missing = |key: &str| ModelError::Broken {
            path: path.to_owned(),
            message: format!("it has no number {key:?}"),
        };
        let whole = |key: &str| json.get(key).and_then(Value::as_u64).map(|value| value as usize);
        let need = |key: &str| whole(key).ok_or_else(|| missing(key));
        let family = json
            .get("model_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let unsupported = |message: String| ModelError::Unsupported {
            path: path.to_owned(),
            message,
        };
        if !["llama", "qwen2", "qwen3"].contains(&family.as_str()) {
            return Err(unsupported(format!(
                "model_type {family:?}; readers are of the llama, qwen2 or qwen3 family"
            )));
        }
        if let Some(act) = json
            .get("hidden_act")
            .and_then(Value::as_str)
            .filter(|act| *act != "silu")
        {
            return Err(unsupported(format!("activation {act:?}; only silu is known")));
        }
        if json.get("use_sliding_window").and_then(Value::as_bool) == Some(true) {
            return Err(unsupported("it attends in a sliding window".into()));
        }
        // qwen2 always has biases, whatever its configuration says of them.
        let biases = ["attention_bias", "mlp_bias"]
            .into_iter()
            .find(|key| json.get(*key).and_then(Value::as_bool) == Some(true));
        if let Some(key) = biases.filter(|_| family != "qwen2") {
            return Err(unsupported(format!("it has biases that are not read ({key:?})")));
        }
        let rope = ["rope_parameters", "rope_scaling"]
            .into_iter()
            .find_map(|key| json.get(key).filter(|rope| rope.is_object()));
        let rope_type = rope
            .and_then(|rope| rope.get("rope_type").or_else(|| rope.get("type")))
            .and_then(Value::as_str);
        if let Some(kind) = rope_type.filter(|kind| *kind != "default") {
            return Err(unsupported(format!("its positions are scaled ({kind:?})")));
        }
        let rope_theta = json
            .get("rope_theta")
            .or_else(|| rope.and_then(|rope| rope.get("rope_theta")))
            .and_then(Value::as_f64)
            .ok_or_else(|| missing("rope_theta"))?;
        let (hidden, heads) = (need("hidden_size")?, need("num_attention_heads")?);
        let config = Self {
            family,
            vocab_size: need("vocab_size")?,
            hidden,
            intermediate: need("intermediate_size")?,
            layers: need("num_hidden_layers")?,
            heads,
            kv_heads: whole("num_key_value_heads").unwrap_or(heads),
            head_dim: whole("head_dim").unwrap_or(hidden / heads.max(1)),
            rope_theta,
            rms_eps: json.get("rms_norm_eps").and_then(Value::as_f64).unwrap_or(1e-6) as f32,
            max_positions: whole("max_position_embeddings").unwrap_or(4096),
        };
        config.check(path)
    }

    /// Reads the metadata of a GGUF file.
    pub fn from_gguf(content: &gguf_file::Content, path: &Path) -> Result<Self, ModelError> {
        let broken = |key: &str| ModelError::Broken {
            path: path.to_owned(),
            message: format!("its metadata lack {key:?}"),
        };
        let family = content
            .metadata
            .get("general.architecture")
            .and_then(|value| value.to_string().ok())
            .cloned()
            .ok_or_else(|| broken("general.architecture"))?;
        if !["llama", "qwen2", "qwen3"].contains(&family.as_str()) {
            return Err(ModelError::Unsupported {
                path: path.to_owned(),
                message: format!("architecture {family:?}; readers are of the llama, qwen2 or qwen3 family"),
            });
        }
        let scaling = content
            .metadata
            .get(&format!("{family}.rope.scaling.type"))
            .and_then(|value| value.to_string().ok());
        if content.tensor_infos.contains_key("rope_freqs.weight") || scaling.is_some_and(|kind| kind != "none") {
            let message = "its positions are scaled".to_owned();
            return Err(ModelError::Unsupported {
                path: path.to_owned(),
                message,
            });
        }
        let whole = |key: &str| {
            let value = content.metadata.get(&format!("{family}.{key}"))?;
            value
                .to_u32()
                .map(|value| value as usize)
                .or_else(|_| value.to_u64().map(|value| value as usize))
                .ok()
        };
        let real = |key: &str| {
            content
                .metadata
                .get(&format!("{family}.{key}"))
                .and_then(|value| value.to_f32().ok())
        };
        let need = |key: &str| whole(key).ok_or_else(|| broken(key));
        let (hidden, heads) = (need("embedding_length")?, need("attention.head_count")?);
        let vocab_size = content
            .tensor_infos
            .get("token_embd.weight")
            .and_then(|info| info.shape.dims().first().copied())
            .ok_or_else(|| broken("token_embd.weight"))?;
        let config = Self {
            vocab_size,
            hidden,
            intermediate: need("feed_forward_length")?,
            layers: need("block_count")?,
            heads,
            kv_heads: whole("attention.head_count_kv").unwrap_or(heads),
            head_dim: whole("attention.key_length").unwrap_or(hidden / heads.max(1)),
            rope_theta: f64::from(real("rope.freq_base").unwrap_or(10_000.0)),
            rms_eps: real("attention.layer_norm_rms_epsilon").unwrap_or(1e-5),
            max_positions: whole("context_length").unwrap_or(4096),
            family,
        };
        config.check(path)
    }

    /// Bytes of keys and values that are held of one position: every reader here holds them as f32.
    pub fn kv_bytes_per_position(&self) -> usize {
        2 * self.layers * self.kv_heads * self.head_dim * size_of::<f32>()
    }

    fn check(self, path: &Path) -> Result<Self, ModelError> {
        let sizes = [
            self.vocab_size,
            self.hidden,
            self.intermediate,
            self.layers,
            self.heads,
            self.kv_heads,
            self.head_dim,
        ];
        if sizes.contains(&0) || !self.heads.is_multiple_of(self.kv_heads) || !self.head_dim.is_multiple_of(2) {
            return Err(ModelError::Broken {
                path: path.to_owned(),
                message: format!("its sizes do not fit together: {self:?}"),
            });
        }
        Ok(self)
    }
}
