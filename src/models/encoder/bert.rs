//! BERT and its descendant RoBERTa (CodeBERT, GraphCodeBERT, UniXcoder): token ids in, last hidden states out.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde_json::Value;

use super::kind::Kind;
use crate::models::ModelError;
use crate::models::tensors::tensors_of;

/// Table of the learned positions.
const POSITIONS: &str = "embeddings.position_embeddings.weight";

/// The transformer without its tokenizer.
pub(super) struct BertNetwork {
    model: BertModel,
    config: Config,
    device: Device,
}

impl BertNetwork {
    /// Reads the weights of a folder whose `config.json` holds these fields.
    pub fn load(folder: &Path, fields: &Value, kind: Kind, device: &Device) -> Result<Self, ModelError> {
        let broken = |error: candle_core::Error| ModelError::Broken {
            path: folder.to_owned(),
            message: error.to_string(),
        };
        let mut config: Config =
            serde_json::from_value(fields.clone()).map_err(ModelError::broken(&folder.join("config.json")))?;
        let mut tensors = canonical(tensors_of(folder)?);
        if kind == Kind::Roberta
            && let Some(table) = tensors.get(POSITIONS)
        {
            // The first token has the position behind the padding's; from there on RoBERTa is BERT.
            let first = config.pad_token_id + 1;
            let rows = config.max_position_embeddings.saturating_sub(first);
            let used = table.narrow(0, first, rows).map_err(broken)?;
            tensors.insert(POSITIONS.to_owned(), used);
            config.max_position_embeddings = rows;
        }
        let model = BertModel::load(VarBuilder::from_tensors(tensors, DType::F32, device), &config).map_err(broken)?;
        Ok(Self {
            model,
            config,
            device: device.clone(),
        })
    }

    /// Length of a hidden state.
    pub fn width(&self) -> usize {
        self.config.hidden_size
    }

    /// Most tokens that have a position.
    pub fn max_tokens(&self) -> usize {
        self.config.max_position_embeddings
    }

    /// Tokens that have an embedding.
    pub fn vocab_size(&self) -> usize {
        self.config.vocab_size
    }

    /// Last hidden states of some texts that are computed together, `[tokens, width]` a text. No text may be empty.
    pub fn hidden_states(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let mut padded = Vec::with_capacity(texts.len() * longest);
        let mut mask = Vec::with_capacity(texts.len() * longest);
        for text in texts {
            let padding = longest - text.len();
            padded.extend_from_slice(text);
            padded.extend(std::iter::repeat_n(self.config.pad_token_id as u32, padding));
            mask.extend(std::iter::repeat_n(1f32, text.len()));
            mask.extend(std::iter::repeat_n(0f32, padding));
        }
        let padded = Tensor::from_vec(padded, (texts.len(), longest), &self.device)?;
        let mask = Tensor::from_vec(mask, (texts.len(), longest), &self.device)?;
        let hidden = self.model.forward(&padded, &padded.zeros_like()?, Some(&mask))?;
        let of = |(index, text): (usize, &&[u32])| {
            Ok(hidden.get(index)?.narrow(0, 0, text.len())?.flatten_all()?.to_vec1()?)
        };
        texts.iter().enumerate().map(of).collect()
    }
}

/// Tensors by the names that a bare model has: whatever stands in front of them (`bert.`, `roberta.`, `model.`), and norms whose
/// parts have the names of the first BERT (`gamma`, `beta`). Heads are left out.
fn canonical(tensors: HashMap<String, Tensor>) -> HashMap<String, Tensor> {
    let bare = |(name, tensor): (String, Tensor)| {
        let at = ["embeddings.", "encoder.layer."]
            .into_iter()
            .filter_map(|part| name.find(part))
            .min()?;
        let name = name.get(at..)?.replace("LayerNorm.gamma", "LayerNorm.weight");
        Some((name.replace("LayerNorm.beta", "LayerNorm.bias"), tensor))
    };
    tensors.into_iter().filter_map(bare).collect()
}
