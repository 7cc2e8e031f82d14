//! A transformer as an encoder: tokens, hidden states, pooling, length one.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use serde_json::Value;

use super::Encoder;
use super::bert::BertNetwork;
use super::fingerprint::{fingerprint, fingerprint_of_folder};
use super::input::Input;
use super::kind::Kind;
use super::vector::{mean, to_unit_length};
use crate::experiment::{EncoderInput, EncoderSettings, FieldError, Pooling};
use crate::models::ModelError;
use crate::models::reader::{self, Reader};
use crate::models::tokenizer::TextTokenizer;

/// Texts of one forward pass: enough for the matrix products to run at full speed, few enough to stay in the cache.
const BATCH: usize = 16;

/// An encoder that pools the hidden states of a transformer.
pub struct TextEncoder {
    network: Network,
    input: Input,
    pooling: Pooling,
    fingerprint: String,
}

enum Network {
    Bert(Box<BertNetwork>),
    Decoder(Arc<dyn Reader>),
}

impl TextEncoder {
    /// Reads a folder: `config.json`, the tokenizer, the weights and, if it is there, `1_Pooling/config.json`.
    pub fn load(settings: &EncoderSettings, folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(ModelError::read(&path))?;
        let config: Value = serde_json::from_str(&text).map_err(ModelError::broken(&path))?;
        let kind = Kind::of(&config, &path)?;
        let pooling = kind.pooling(settings.pooling, folder)?;
        let network = match kind {
            Kind::Bert | Kind::Roberta => Network::Bert(Box::new(BertNetwork::load(folder, &config, kind, device)?)),
            Kind::Decoder => Network::Decoder(reader::load_to_encode(folder, device)?.into()),
        };
        let tokenizer = TextTokenizer::from_folder(folder)?;
        let input = Input::of_encoder(settings, tokenizer, kind, pooling, network.max_tokens())?;
        if input.vocab_size() > network.vocab_size() {
            return Err(ModelError::Broken {
                path: folder.to_owned(),
                message: format!(
                    "its tokenizer knows {} tokens, the model only {}: they do not belong together",
                    input.vocab_size(),
                    network.vocab_size()
                ),
            });
        }
        let mut how = format!("{kind} {pooling} {}", input.max_tokens());
        if settings.input == EncoderInput::SyntaxTree {
            how.push_str(" syntax_tree");
        }
        Ok(Self {
            network,
            input,
            pooling,
            fingerprint: fingerprint_of_folder(&how, folder)?,
        })
    }

    /// The reader as its own encoder; `weights` is the SHA-256 of its files.
    pub fn of_reader(
        settings: &EncoderSettings,
        reader: Arc<dyn Reader>,
        tokenizer: Arc<TextTokenizer>,
        weights: &str,
    ) -> Result<Self, ModelError> {
        let pooling = match settings.pooling {
            Pooling::Auto | Pooling::Mean => Pooling::Mean,
            // Nothing is put behind the text, so that both are the same.
            Pooling::LastToken | Pooling::LastCodeToken => Pooling::LastToken,
            Pooling::FirstToken | Pooling::RareIdentifiers | Pooling::Spelling => {
                return Err(ModelError::Setting(FieldError {
                    field: "encoder.pooling",
                    value: settings.pooling.to_string(),
                    allowed: "\"mean\" or \"last_token\" for the hidden states of the reader",
                }));
            }
        };
        let input = Input::of_reader(settings, tokenizer, reader.config().max_positions);
        Ok(Self {
            fingerprint: fingerprint(&format!("reader {pooling} {} {weights}", input.max_tokens())),
            network: Network::Decoder(reader),
            input,
            pooling,
        })
    }

    /// Token ids that are read of a text: framed and truncated.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.input.ids(text)
    }

    /// Last hidden states of token ids, `[tokens, width]` for each list. No list may be empty.
    pub fn hidden_states(&self, ids: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        match &self.network {
            Network::Bert(network) => network.hidden_states(ids),
            Network::Decoder(reader) => reader.hidden_states(ids),
        }
    }

    /// One vector of length one for each list of token ids, in their order; of zeros for an empty list.
    pub fn encode_ids(&self, ids: &[Vec<u32>]) -> Result<Vec<Vec<f32>>, ModelError> {
        let width = self.network.width();
        let mut vectors = vec![vec![0.0; width]; ids.len()];
        let mut order: Vec<usize> = (0..ids.len()).filter(|&index| !ids[index].is_empty()).collect();
        // Texts of like length share a batch, so that little is computed on padding.
        order.sort_by_key(|&index| ids[index].len());
        for batch in order.chunks(BATCH) {
            let texts: Vec<&[u32]> = batch.iter().map(|&index| ids[index].as_slice()).collect();
            for (&index, states) in batch.iter().zip(self.hidden_states(&texts)?) {
                vectors[index] = self.pool(&states, width);
            }
        }
        Ok(vectors)
    }

    /// The vector of a text with these hidden states, `[tokens, width]`.
    fn pool(&self, states: &[f32], width: usize) -> Vec<f32> {
        let mut rows = states.chunks_exact(width);
        let mut vector = match self.pooling {
            Pooling::FirstToken => rows.next().unwrap_or_default().to_vec(),
            Pooling::LastToken | Pooling::LastCodeToken => rows.next_back().unwrap_or_default().to_vec(),
            Pooling::Auto | Pooling::Mean | Pooling::RareIdentifiers | Pooling::Spelling => mean(rows, width),
        };
        to_unit_length(&mut vector);
        vector
    }
}

impl Network {
    fn width(&self) -> usize {
        match self {
            Self::Bert(network) => network.width(),
            Self::Decoder(reader) => reader.config().hidden,
        }
    }

    fn max_tokens(&self) -> usize {
        match self {
            Self::Bert(network) => network.max_tokens(),
            Self::Decoder(reader) => reader.config().max_positions,
        }
    }

    fn vocab_size(&self) -> usize {
        match self {
            Self::Bert(network) => network.vocab_size(),
            Self::Decoder(reader) => reader.config().vocab_size,
        }
    }
}

impl Encoder for TextEncoder {
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
        let ids: Vec<Vec<u32>> = texts.iter().map(|text| self.ids(text)).collect::<Result<_, _>>()?;
        self.encode_ids(&ids)
    }
}
