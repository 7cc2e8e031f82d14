//! BERT with mean pooling: token ids in, one vector of length one out (Sentence-BERT, arXiv 1908.10084, section 3).

use std::path::Path;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

use crate::models::ModelError;

/// The transformer without its tokenizer.
pub struct BertNetwork {
    model: BertModel,
    config: Config,
    device: Device,
}

impl BertNetwork {
    /// Reads `config.json` and `model.safetensors` of a folder.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(ModelError::read(&path))?;
        let fields: serde_json::Value = serde_json::from_str(&text).map_err(ModelError::broken(&path))?;
        let kind = fields.get("model_type").and_then(|kind| kind.as_str());
        if kind != Some("bert") {
            return Err(ModelError::Unsupported {
                path,
                message: format!("model_type is {kind:?}, the encoder must be \"bert\""),
            });
        }
        let config: Config = serde_json::from_value(fields).map_err(ModelError::broken(&path))?;
        let path = folder.join("model.safetensors");
        let bytes = std::fs::read(&path).map_err(ModelError::read(&path))?;
        let model = VarBuilder::from_buffered_safetensors(bytes, DType::F32, device)
            .and_then(|weights| BertModel::load(weights, &config))
            .map_err(ModelError::broken(&path))?;
        Ok(Self {
            model,
            config,
            device: device.clone(),
        })
    }

    /// Length of a vector.
    pub fn width(&self) -> usize {
        self.config.hidden_size
    }

    /// Most tokens that have a position.
    pub fn max_tokens(&self) -> usize {
        self.config.max_position_embeddings
    }

    /// Last hidden states `[rows, longest row, width]` and the mask `[rows, longest row]` that is 1 on real tokens.
    pub fn hidden<R: AsRef<[u32]>>(&self, ids: &[R]) -> candle_core::Result<(Tensor, Tensor)> {
        let longest = ids.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
        let mut padded = Vec::with_capacity(ids.len() * longest);
        let mut mask = Vec::with_capacity(ids.len() * longest);
        for row in ids {
            let row = row.as_ref();
            let padding = longest - row.len();
            padded.extend_from_slice(row);
            padded.extend(std::iter::repeat_n(self.config.pad_token_id as u32, padding));
            mask.extend(std::iter::repeat_n(1f32, row.len()));
            mask.extend(std::iter::repeat_n(0f32, padding));
        }
        let padded = Tensor::from_vec(padded, (ids.len(), longest), &self.device)?;
        let mask = Tensor::from_vec(mask, (ids.len(), longest), &self.device)?;
        let hidden = self.model.forward(&padded, &padded.zeros_like()?, Some(&mask))?;
        Ok((hidden, mask))
    }

    /// The mean hidden state of each row's tokens, scaled to length one: `[rows, width]`. Every row needs a token.
    pub fn embed_ids<R: AsRef<[u32]>>(&self, ids: &[R]) -> candle_core::Result<Vec<Vec<f32>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (hidden, mask) = self.hidden(ids)?;
        // The mean's divisor falls away with the length.
        let sum = hidden.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?;
        let length = sum.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        sum.broadcast_div(&length)?.to_vec2()
    }
}
