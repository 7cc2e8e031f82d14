//! The reader's weights from a GGUF file or a folder of safetensors: as f32, and matrices as packed as they are at rest.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{DType, Device, Tensor};

use super::ReaderConfig;
use super::packed::{Format, Packed};
use crate::models::ModelError;
use crate::models::tensors::tensors_of;

/// A matrix `[out, in]`.
pub struct Weight {
    /// As f32.
    pub values: Tensor,
    /// In the bits of its file; none where these are f32.
    pub packed: Option<Packed>,
}

/// Weights of one layer.
pub struct LayerWeights {
    /// RMS norm before attention, `[hidden]`.
    pub attention_norm: Tensor,
    /// `[heads * head_dim, hidden]`.
    pub query: Weight,
    /// `[kv_heads * head_dim, hidden]`.
    pub key: Weight,
    /// `[kv_heads * head_dim, hidden]`.
    pub value: Weight,
    /// Biases of query, key and value (qwen2).
    pub biases: Option<[Tensor; 3]>,
    /// RMS norms of each query and key head (qwen3), `[head_dim]`.
    pub head_norms: Option<[Tensor; 2]>,
    /// `[hidden, heads * head_dim]`.
    pub output: Weight,
    /// RMS norm before the MLP, `[hidden]`.
    pub mlp_norm: Tensor,
    /// `[intermediate, hidden]`.
    pub gate: Weight,
    /// `[intermediate, hidden]`.
    pub up: Weight,
    /// `[hidden, intermediate]`.
    pub down: Weight,
}

/// All weights, on the CPU.
pub struct ReaderWeights {
    /// Shapes and constants.
    pub config: ReaderConfig,
    /// Token embeddings, `[vocab, hidden]`.
    pub embeddings: Weight,
    /// One entry a layer.
    pub layers: Vec<LayerWeights>,
    /// Last RMS norm, `[hidden]`.
    pub norm: Tensor,
    /// LM head, `[vocab, hidden]`; the embeddings serve when there is none.
    pub head: Option<Weight>,
}

/// Where tensors come from: the same names on either side.
enum Source {
    Folder(HashMap<String, Tensor>),
    Gguf {
        content: gguf_file::Content,
        reader: BufReader<File>,
    },
}

impl ReaderWeights {
    /// Loads a `.gguf` file, or a folder with `config.json` and weights.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        if path.is_dir() {
            let config = ReaderConfig::from_json(&path.join("config.json"))?;
            Self::from_source(path, config, Source::Folder(tensors_of(path)?))
        } else {
            let read = |source| ModelError::Read {
                path: path.to_owned(),
                source,
            };
            let mut reader = BufReader::new(File::open(path).map_err(read)?);
            let content = gguf_file::Content::read(&mut reader).map_err(|error| ModelError::Broken {
                path: path.to_owned(),
                message: format!("it is not a readable GGUF file ({error}); fetch it again"),
            })?;
            let config = ReaderConfig::from_gguf(&content, path)?;
            Self::from_source(path, config, Source::Gguf { content, reader })
        }
    }

    fn from_source(path: &Path, config: ReaderConfig, mut source: Source) -> Result<Self, ModelError> {
        // llama.cpp stores the rows of llama's query and key heads interleaved, for its own kind of rotary embedding.
        let interleaved = matches!(source, Source::Gguf { .. }) && config.family == "llama";
        let mut layers = Vec::with_capacity(config.layers);
        let (c, kv_width) = (&config, config.kv_heads * config.head_dim);
        let q_width = c.heads * c.head_dim;
        for layer in 0..c.layers {
            let mut vector = |part: &str, width: usize| source.tensor(path, &Name::Layer(layer, part), &[width]);
            let biases = if c.family == "qwen2" {
                Some([
                    vector("self_attn.q_proj.bias", q_width)?,
                    vector("self_attn.k_proj.bias", kv_width)?,
                    vector("self_attn.v_proj.bias", kv_width)?,
                ])
            } else {
                None
            };
            let head_norms = if c.family == "qwen3" {
                Some([
                    vector("self_attn.q_norm.weight", c.head_dim)?,
                    vector("self_attn.k_norm.weight", c.head_dim)?,
                ])
            } else {
                None
            };
            let attention_norm = vector("input_layernorm.weight", c.hidden)?;
            let mlp_norm = vector("post_attention_layernorm.weight", c.hidden)?;
            let mut matrix = |part: &str, shape: &[usize]| source.weight(path, &Name::Layer(layer, part), shape);
            let mut query = matrix("self_attn.q_proj.weight", &[q_width, c.hidden])?;
            let mut key = matrix("self_attn.k_proj.weight", &[kv_width, c.hidden])?;
            if interleaved {
                query = query.half_split_rows(c.heads, c.head_dim)?;
                key = key.half_split_rows(c.kv_heads, c.head_dim)?;
            }
            layers.push(LayerWeights {
                query,
                key,
                value: matrix("self_attn.v_proj.weight", &[kv_width, c.hidden])?,
                output: matrix("self_attn.o_proj.weight", &[c.hidden, q_width])?,
                gate: matrix("mlp.gate_proj.weight", &[c.intermediate, c.hidden])?,
                up: matrix("mlp.up_proj.weight", &[c.intermediate, c.hidden])?,
                down: matrix("mlp.down_proj.weight", &[c.hidden, c.intermediate])?,
                attention_norm,
                biases,
                head_norms,
                mlp_norm,
            });
        }
        let table = [config.vocab_size, config.hidden];
        let embeddings = source.weight(path, &Name::Global("embed_tokens.weight"), &table)?;
        let norm = source.tensor(path, &Name::Global("norm.weight"), &[config.hidden])?;
        let head = if source.has_head() {
            Some(source.weight(path, &Name::Global("lm_head.weight"), &table)?)
        } else {
            None
        };
        Ok(Self {
            config,
            embeddings,
            layers,
            norm,
            head,
        })
    }

    /// Without packed matrices, which serve products with few rows alone: an encoder reads whole texts.
    pub fn unpacked(mut self) -> Self {
        let layers = self.layers.iter_mut().flat_map(|layer| {
            [
                &mut layer.query,
                &mut layer.key,
                &mut layer.value,
                &mut layer.output,
                &mut layer.gate,
                &mut layer.up,
                &mut layer.down,
            ]
        });
        for weight in layers.chain([&mut self.embeddings]).chain(&mut self.head) {
            weight.packed = None;
        }
        self
    }
}

impl Weight {
    /// From interleaved rows (pair `j` of a head at rows `2j`, `2j + 1`) to half-split rows (`j` and `j + head_dim / 2`).
    fn half_split_rows(self, heads: usize, head_dim: usize) -> Result<Self, ModelError> {
        let half = head_dim / 2;
        let order: Vec<usize> = (0..heads * head_dim)
            .map(|row| {
                let (head, within) = (row / head_dim, row % head_dim);
                head * head_dim + 2 * (within % half) + within / half
            })
            .collect();
        let index: Vec<u32> = order.iter().map(|&row| row as u32).collect();
        let index = Tensor::new(index.as_slice(), self.values.device())?;
        Ok(Self {
            values: self.values.index_select(&index, 0)?,
            packed: self.packed.map(|packed| packed.reordered(&order)),
        })
    }
}

/// A tensor by its Hugging Face name, from which the GGUF name follows.
enum Name<'a> {
    Global(&'a str),
    Layer(usize, &'a str),
}

impl Name<'_> {
    fn hugging_face(&self) -> String {
        match self {
            Self::Global(part) => (*part).to_owned(),
            Self::Layer(layer, part) => format!("layers.{layer}.{part}"),
        }
    }

    fn gguf(&self) -> String {
        match self {
            Self::Global("embed_tokens.weight") => "token_embd.weight".into(),
            Self::Global("norm.weight") => "output_norm.weight".into(),
            Self::Global(_) => "output.weight".into(),
            Self::Layer(layer, part) => {
                let part = part
                    .replace("self_attn.q_proj", "attn_q")
                    .replace("self_attn.k_proj", "attn_k")
                    .replace("self_attn.v_proj", "attn_v")
                    .replace("self_attn.o_proj", "attn_output")
                    .replace("self_attn.q_norm", "attn_q_norm")
                    .replace("self_attn.k_norm", "attn_k_norm")
                    .replace("input_layernorm", "attn_norm")
                    .replace("post_attention_layernorm", "ffn_norm")
                    .replace("mlp.gate_proj", "ffn_gate")
                    .replace("mlp.up_proj", "ffn_up")
                    .replace("mlp.down_proj", "ffn_down");
                format!("blk.{layer}.{part}")
            }
        }
    }
}

impl Source {
    fn has_head(&self) -> bool {
        match self {
            Self::Folder(tensors) => tensors.contains_key("lm_head.weight"),
            Self::Gguf { content, .. } => content.tensor_infos.contains_key("output.weight"),
        }
    }

    /// A matrix, with its packed form.
    fn weight(&mut self, path: &Path, name: &Name<'_>, shape: &[usize]) -> Result<Weight, ModelError> {
        let (values, packed) = self.read(path, name, shape, true)?;
        Ok(Weight { values, packed })
    }

    /// A tensor as f32.
    fn tensor(&mut self, path: &Path, name: &Name<'_>, shape: &[usize]) -> Result<Tensor, ModelError> {
        Ok(self.read(path, name, shape, false)?.0)
    }

    fn read(
        &mut self,
        path: &Path,
        name: &Name<'_>,
        shape: &[usize],
        pack: bool,
    ) -> Result<(Tensor, Option<Packed>), ModelError> {
        let broken = |message: String| ModelError::Broken {
            path: path.to_owned(),
            message,
        };
        let width = shape.last().copied().unwrap_or(1);
        let (tensor, packed, name) = match self {
            Self::Folder(tensors) => {
                let name = name.hugging_face();
                // A model saved without its LM head has no `model.` in front of its names.
                let tensor = tensors
                    .get(&format!("model.{name}"))
                    .or_else(|| tensors.get(&name))
                    .ok_or_else(|| broken(format!("it has no tensor {name:?}")))?;
                let half = matches!(tensor.dtype(), DType::F16 | DType::BF16);
                let tensor = tensor.to_dtype(DType::F32)?;
                let packed = if pack && half {
                    Packed::rounded(&tensor.flatten_all()?.to_vec1::<f32>()?, width, Format::Half)
                } else {
                    None
                };
                (tensor, packed, name)
            }
            Self::Gguf { content, reader } => {
                let name = name.gguf();
                let quantised = content
                    .tensor(reader, &name, &Device::Cpu)
                    .map_err(|error| broken(format!("its tensor {name:?} cannot be read ({error}); fetch it again")))?;
                let tensor = quantised.dequantize(&Device::Cpu)?;
                let packed = if pack && quantised.dtype() != GgmlDType::F32 {
                    let own = Packed::from_gguf(quantised.dtype(), &quantised.data()?, width);
                    let values = || Ok::<_, ModelError>(tensor.flatten_all()?.to_vec1::<f32>()?);
                    match own {
                        Some(own) => Some(own),
                        None => Packed::rounded(&values()?, width, Format::Eight),
                    }
                } else {
                    None
                };
                (tensor, packed, name)
            }
        };
        if tensor.dims() != shape {
            return Err(broken(format!(
                "its tensor {name:?} has shape {:?}, the configuration says {shape:?}",
                tensor.dims()
            )));
        }
        Ok((tensor.contiguous()?, packed))
    }
}
