//! The lines and files of a run folder, exactly as they stand on disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::collapse::{AlarmKind, Vectors, VectorsError};
use crate::corpus::{CompletionSample, Split};
use crate::experiment::Intervention;
use crate::retrieval::Retrieved;

/// Version of the run folder's layout; a higher one is refused with a clear message.
pub const SCHEMA_VERSION: u32 = 1;

/// `manifest.json`: what made the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the folder's layout.
    pub schema: u32,
    /// Version of the program.
    pub program: String,
    /// Git commit of the working tree that the run was started in, if there was one.
    pub commit: Option<String>,
    /// `cpu`, `cuda` or `metal`.
    pub device: String,
    /// Compute threads.
    pub threads: usize,
    /// RFC 3339 time of the start.
    pub started: String,
    /// SHA-256 of every model file and of the corpus, by name.
    pub sha256: BTreeMap<String, String>,
    /// Reader, encoder and projector in words and numbers: `reader.hidden`, `projector.parameters`, `samples.train`, ...
    pub facts: BTreeMap<String, String>,
    /// The run that this one was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

impl Manifest {
    /// The fact that says what a recording has of its run.
    pub(super) const RECORDING: &str = "recording";

    /// What there is of the run, in words, when it is a recording of one; none for a run itself.
    pub fn recording(&self) -> Option<&str> {
        self.facts.get(Self::RECORDING).map(String::as_str)
    }

    /// What computed it, as a person reads it: `CPU × 2`.
    pub fn machine(&self) -> String {
        match self.device.as_str() {
            "cpu" => format!("CPU × {}", self.threads),
            "cuda" => "CUDA".to_owned(),
            "metal" => "Metal".to_owned(),
            other => other.to_owned(),
        }
    }
}

/// Where a forked run comes from. Its folder holds the parent's lines and files up to that step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    /// Name of the parent's folder.
    pub run: String,
    /// The step whose checkpoint it began with.
    pub step: usize,
}

/// A line of `scalars.jsonl`: one optimiser step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScalarRecord {
    /// Step, from 1.
    pub step: usize,
    /// Samples seen so far.
    pub samples: usize,
    /// Reader tokens processed so far.
    pub tokens: usize,
    /// Seconds of training so far (pauses left out).
    pub seconds: f64,
    /// The weighted sum that is minimised.
    #[serde(deserialize_with = "null_is_nan")]
    pub loss: f64,
    /// Every term unweighted, as far as it was computed. In nats a token: `cross_entropy`, `entropy`, `kl`, `reconstruction`, and at
    /// probes `entropy_watched`, `kl_untrained`; without unit: `alignment_frobenius`, `alignment_mse`, `reward` (0 to 2), `reward_loss`.
    #[serde(deserialize_with = "nulls_are_nan")]
    pub terms: BTreeMap<String, f64>,
    /// Gradient norm of the projector before clipping.
    #[serde(deserialize_with = "null_is_nan")]
    pub gradient_norm: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Samples a second, this step alone.
    pub samples_per_second: f64,
}

/// JSON has no NaN: a diverged loss is written as `null`, and must be seen as diverged when it is read.
fn null_is_nan<'de, D: Deserializer<'de>>(number: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(number)?.unwrap_or(f64::NAN))
}

fn nulls_are_nan<'de, D: Deserializer<'de>>(numbers: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let numbers = BTreeMap::<String, Option<f64>>::deserialize(numbers)?;
    Ok(numbers
        .into_iter()
        .map(|(name, number)| (name, number.unwrap_or(f64::NAN)))
        .collect())
}

/// What happened to a run. On disk `"kind":"alarm_raised","what":"representation_collapse"`, `"kind":"start"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(tag = "kind", content = "what", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    /// The first step is about to run.
    Start,
    /// A person paused the run.
    Pause,
    /// It goes on: a person ended a pause, or it was taken up again from the checkpoint of that step.
    Resume,
    /// A weight or the learning rate was changed; the steps behind this one have the new value.
    Intervention,
    /// The run goes on from the checkpoint of that step; what came behind it is in `abandoned/`.
    RollBack,
    /// The roll-back before the last one was undone: the run goes on from where it stood then.
    Return,
    /// A checkpoint was written.
    Checkpoint,
    /// The run finished its steps.
    End,
    /// A person stopped the run early.
    Stop,
    /// The run failed; the reason says why.
    Failed,
    /// Something calls for attention; the reason says what was seen.
    AlarmRaised(AlarmKind),
    /// What an alarm warned of is over.
    AlarmCleared(AlarmKind),
    /// The run was evaluated on the test split; the reason says the how manieth time. Says nothing of how the run stands.
    TestEvaluation,
}

impl EventKind {
    /// What a person reads: "pause", "representation collapse", "representation collapse is over".
    pub fn words(self) -> String {
        match self {
            Self::AlarmRaised(alarm) => alarm.label().to_owned(),
            Self::AlarmCleared(alarm) => format!("{} is over", alarm.label()),
            other => other.to_string().replace('_', " "),
        }
    }
}

/// A line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// RFC 3339 time.
    pub time: String,
    /// Last finished step.
    pub step: usize,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// Why, or what, in words; may be empty.
    pub reason: String,
    /// What an intervention changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<Intervention>,
}

impl EventRecord {
    /// Whether it says how the run stands: an evaluation of a finished run does not.
    pub(super) fn tells_status(&self) -> bool {
        self.kind != EventKind::TestEvaluation
    }
}

/// `probes/chunks.json`: the probe set's chunks, in the row order of the matrices.
pub type ProbeChunks = Vec<crate::corpus::Chunk>;

/// `probes/step-N.safetensors`: the watched vectors at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeRecord {
    /// Steps finished when it was taken; 0 is the untrained projector.
    pub step: usize,
    /// Rows in both matrices.
    pub rows: usize,
    /// `encoder`: `[rows, encoder width]`, row-major.
    pub encoder: Vec<f32>,
    /// `projected`: `[rows, tokens per chunk * reader width]`, row-major: a chunk's soft tokens side by side, over the root of their number.
    pub projected: Vec<f32>,
    /// `token_norm_quantiles`: 5%, 50% and 95% quantile of the norms of the reader's token embeddings.
    pub token_norm_quantiles: [f32; 3],
}

impl ProbeRecord {
    /// The encoder's vectors, for the instruments.
    pub fn encoder_vectors(&self) -> Result<Vectors<'_>, VectorsError> {
        self.vectors(&self.encoder)
    }

    /// The projected vectors, for the instruments.
    pub fn projected_vectors(&self) -> Result<Vectors<'_>, VectorsError> {
        self.vectors(&self.projected)
    }

    fn vectors<'a>(&self, values: &'a [f32]) -> Result<Vectors<'a>, VectorsError> {
        Vectors::new(
            self.rows,
            values.len().checked_div(self.rows).unwrap_or_default(),
            values,
        )
    }
}

/// A line of `evaluations/samples.jsonl`, one a sample, whatever the step and the split: what a completion needs to be read without its corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRecord {
    /// The split that it belongs to.
    pub split: Split,
    /// The sample; `left` and `right` hold at most the nearest 60 lines.
    pub sample: CompletionSample,
    /// Its chunks, best first.
    pub retrieved: Vec<Retrieved>,
}
