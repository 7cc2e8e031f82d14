//! Timed work on this machine: the shapes that PyTorch and llama.cpp are timed on as well (`assets/peers.py`), the time
//! to the first token by arm and stage, and the time to load a reader. One process times one work, so that its peak
//! memory is that work's.

mod first_token;
mod memory;
mod reader_work;
mod repository;
mod work;

use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use first_token::{FirstToken, Left, Vectors};
pub use work::Work;

use super::device::DeviceChoice;
use super::error::EngineError;
use super::loaded::load_reader;
use crate::experiment::{Experiment, PromptLayout};
use crate::models::catalogue::Store;
use first_token::FirstTokens;
use memory::peak_rss_mb;
use reader_work::{ReaderWork, Shape};

/// What is timed, and with what.
#[derive(Clone, Debug)]
pub struct BenchSettings {
    /// What is timed.
    pub work: Work,
    /// Names the reader and, for [`Work::Ttft`], the encoder.
    pub experiment: Experiment,
    /// What computes.
    pub device: DeviceChoice,
    /// Threads that compute on the CPU.
    pub threads: usize,
    /// Where the models lie.
    pub store: Store,
}

/// One timed repetition: the line that a bench prints, and each of the peers as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    /// Who worked: `llavacode`, `torch` or `llamacpp`.
    pub engine: String,
    /// What was done.
    pub work: String,
    /// Threads that computed.
    pub threads: usize,
    /// Time that it took.
    pub seconds: f64,
    /// Positions of the reader's input a second; in decoding, new tokens of all members. None where no tokens count.
    pub tokens_per_second: Option<f64>,
    /// The most memory that the process has held so far, loading included, MiB; none where the system does not say.
    pub peak_rss_mb: Option<u64>,
    /// What computed, in words; the peers do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Times to the first token, of [`Work::Ttft`] alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_tokens: Vec<FirstToken>,
}

/// A work with its models in memory, warmed up.
pub struct Bench {
    settings: BenchSettings,
    device: String,
    task: Task,
}

enum Task {
    Reader(ReaderWork),
    FirstTokens(Box<FirstTokens>),
    /// The reader is loaded, that was all: seconds since the load began.
    Load(f64),
}

impl Bench {
    /// Starts the threads that compute, loads what the work needs and does it once. Call it once in a process.
    pub fn load(settings: BenchSettings) -> Result<Self, EngineError> {
        let start = Instant::now();
        // The threads keep their priority, unlike those beside the window: the peers give way to nobody either.
        rayon::ThreadPoolBuilder::new()
            .num_threads(settings.threads)
            .build_global()
            .ok();
        let device = settings.device.open()?.device;
        let load = || load_reader(&settings.experiment.reader.model, &settings.store, &device);
        let warm = |shape| -> Result<Task, EngineError> {
            let (reader, tokenizer) = load()?;
            let work = ReaderWork::new(shape, reader, &tokenizer)?;
            work.repeat()?;
            Ok(Task::Reader(work))
        };
        let task = match settings.work {
            Work::TrainStep => warm(Shape::Step(PromptLayout::SoftFirst))?,
            Work::TrainStepLate => warm(Shape::Step(PromptLayout::LateFusion))?,
            Work::Prefill206 => warm(Shape::Prefill(206))?,
            Work::Prefill1290 => warm(Shape::Prefill(1290))?,
            Work::Prefill5130 => warm(Shape::Prefill(5130))?,
            Work::DecodeOne => warm(Shape::Decode(1))?,
            Work::DecodeEight => warm(Shape::Decode(8))?,
            Work::Ttft => Task::FirstTokens(Box::new(FirstTokens::load(&settings, &device)?)),
            Work::Load => {
                load()?;
                Task::Load(start.elapsed().as_secs_f64())
            }
        };
        Ok(Self {
            device: settings.device.describe()?,
            settings,
            task,
        })
    }

    /// Does the work once more.
    pub fn repeat(&mut self) -> Result<Repetition, EngineError> {
        let mut first_tokens = Vec::new();
        let (tokens, seconds) = match &mut self.task {
            Task::Reader(task) => {
                let (tokens, elapsed) = task.repeat()?;
                (Some(tokens), elapsed.as_secs_f64())
            }
            Task::FirstTokens(task) => {
                first_tokens = task.repeat()?;
                let tokens = first_tokens.iter().map(|one| one.prompt_tokens).sum();
                let milliseconds: f64 = first_tokens.iter().map(|one| one.stages.total()).sum();
                (Some(tokens), milliseconds / 1e3)
            }
            Task::Load(seconds) => (None, *seconds),
        };
        Ok(Repetition {
            engine: "llavacode".into(),
            work: self.settings.work.to_string(),
            threads: self.settings.threads,
            seconds,
            tokens_per_second: tokens.map(|tokens| tokens as f64 / seconds),
            peak_rss_mb: peak_rss_mb(),
            device: Some(self.device.clone()),
            first_tokens,
        })
    }
}
