//! The frozen models of an experiment in memory, and what is known of the reader's embedding space.

use std::cell::RefCell;
use std::sync::Arc;

use candle_core::Device;

use super::EngineError;
use crate::experiment::{Arm, EncoderSettings, Experiment, FieldError};
use crate::models::ModelError;
use crate::models::catalogue::{ReaderFiles, Store};
use crate::models::encoder::{self, Encoder, TextEncoder, VectorCache};
use crate::models::reader::{self, Reader};
use crate::models::tokenizer::TextTokenizer;
use crate::projector::TokenEmbeddings;
use crate::prompt::PromptBuilder;
use crate::runs::TokenSample;

/// Of the sample of tokens: the same for every run, so that runs of one reader stand in the same cloud.
const TOKEN_SEED: u64 = 1;

/// Reader, tokenizer and encoder of an experiment.
pub(super) struct LoadedModels {
    key: (String, EncoderSettings),
    pub reader: Arc<dyn Reader>,
    pub tokenizer: Arc<TextTokenizer>,
    pub encoder: Arc<dyn Encoder>,
    /// The encoder's vectors on disk; one for the whole process, which writes one file.
    pub vectors: RefCell<VectorCache>,
    pub embeddings: TokenEmbeddings,
    /// Some of them, for the run folder.
    pub tokens: TokenSample,
    pub device: Device,
}

impl LoadedModels {
    pub fn load(experiment: &Experiment, store: &Store, device: &Device) -> Result<Self, EngineError> {
        let (reader, tokenizer) = load_reader(&experiment.reader.model, store, device)?;
        let (reader, tokenizer): (Arc<dyn Reader>, _) = (reader.into(), Arc::new(tokenizer));
        let settings = &experiment.encoder;
        let encoder: Arc<dyn Encoder> = if settings.is_reader() {
            let weights = store.sha256(&experiment.reader.model)?;
            encoder::of_reader(settings, reader.clone(), tokenizer.clone(), &weights)?.into()
        } else {
            Arc::new(TextEncoder::load(settings, &store.encoder(&settings.model)?, device)?)
        };
        let vectors = VectorCache::open(&store.root().join("vectors"), encoder.fingerprint(), encoder.width())?;
        let (table, width) = (reader.embedding_table()?, reader.config().hidden);
        Ok(Self {
            key: Self::key(experiment),
            reader,
            tokenizer,
            encoder,
            vectors: RefCell::new(vectors),
            embeddings: TokenEmbeddings::of(&table, width),
            tokens: TokenSample::draw(&table, width, TOKEN_SEED),
            device: device.clone(),
        })
    }

    /// Fails when the longest prompt of these arms of an experiment has more positions than the reader was made for.
    pub fn check_length(&self, experiment: &Experiment, arms: &[Arm]) -> Result<(), FieldError> {
        let (prompt, retrieval) = (&experiment.prompt, &experiment.retrieval);
        let code = prompt.code_tokens() + prompt.target_tokens;
        // Text between chunks, and before and behind soft tokens, is a few tokens at most.
        let text = retrieval.k * (retrieval.chunk_tokens + 2);
        let soft = retrieval.k * experiment.projector.tokens_per_chunk + 16;
        let mut prompts = vec![
            (
                text,
                "prompt.left_tokens + prompt.target_tokens + retrieval.k * retrieval.chunk_tokens",
            ),
            (
                soft,
                "prompt.left_tokens + prompt.target_tokens + retrieval.k * projector.tokens_per_chunk",
            ),
        ];
        if arms.contains(&Arm::Identifiers) {
            prompts.push((
                experiment.evaluation.identifier_tokens,
                "prompt.left_tokens + prompt.target_tokens + evaluation.identifier_tokens",
            ));
        }
        let positions = self.reader.config().max_positions;
        match prompts.into_iter().find(|(context, _)| code + context > positions) {
            None => Ok(()),
            Some((context, field)) => Err(FieldError {
                field,
                value: (code + context).to_string(),
                allowed: "within the positions that the reader was made for; lower one of these fields",
            }),
        }
    }

    /// Whether these are the models of an experiment.
    pub fn serve(&self, experiment: &Experiment) -> bool {
        self.key == Self::key(experiment)
    }

    pub fn prompts(&self, experiment: &Experiment) -> Result<PromptBuilder<'_>, EngineError> {
        Ok(PromptBuilder::new(
            &self.tokenizer,
            &experiment.prompt,
            &experiment.retrieval,
        )?)
    }

    fn key(experiment: &Experiment) -> (String, EncoderSettings) {
        (experiment.reader.model.clone(), experiment.encoder.clone())
    }
}

/// Fails unless what encodes the chunks of an experiment is here.
pub(super) fn encoder_files(experiment: &Experiment, store: &Store) -> Result<(), EngineError> {
    let settings = &experiment.encoder;
    match settings.is_reader() {
        true => store.reader(&experiment.reader.model).map(drop)?,
        false => store.encoder(&settings.model).map(drop)?,
    }
    Ok(())
}

/// The reader of this name with its tokenizer.
pub(super) fn load_reader(
    name: &str,
    store: &Store,
    device: &Device,
) -> Result<(Box<dyn Reader>, TextTokenizer), EngineError> {
    let (path, tokenizer) = match store.reader(name)? {
        ReaderFiles::Gguf(file) => (file.clone(), TextTokenizer::from_gguf(&file)?),
        ReaderFiles::Folder(folder) => {
            let tokenizer = TextTokenizer::from_folder(&folder)?;
            (folder, tokenizer)
        }
    };
    let mut reader = reader::load(&path, device)?;
    // A kept context belongs to these very weights.
    let sum: String = store.sha256(name)?.chars().take(16).collect();
    reader.keep_contexts_in(&store.root().join("contexts").join(sum));
    if tokenizer.vocab_size() > reader.config().vocab_size {
        return Err(EngineError::Model(ModelError::Broken {
            path,
            message: format!(
                "its tokenizer knows {} tokens, the model only {}: they do not belong together",
                tokenizer.vocab_size(),
                reader.config().vocab_size
            ),
        }));
    }
    Ok((reader, tokenizer))
}
