//! A tiny reader, samples for it, and every term of the objective.

use candle_core::Device;
use llavacode::corpus::{Chunk, CompletionSample};
use llavacode::experiment::{AlignmentForm, Experiment, Objective, PromptLayout, RewardForm};
use llavacode::models::reader::{Reader, ReaderWeights};
use llavacode::models::tokenizer::TextTokenizer;
use llavacode::projector::TokenEmbeddings;
use llavacode::prompt::PromptBuilder;
use llavacode::retrieval::Retrieved;
use llavacode::training::objective::{Draw, NameTable, Reading, RunningBaseline, roll_out, teach};
use llavacode::training::{EncodedSample, TrainingSession};

use crate::toy::Toy;

/// Width of the vectors that stand for chunks.
pub const ENCODER_WIDTH: usize = 10;

/// Weights of one term alone.
pub fn alone(change: impl FnOnce(&mut Objective)) -> Objective {
    let mut objective = Objective {
        cross_entropy: 0.0,
        alignment: 0.0,
        rollouts: 3,
        ..Objective::default()
    };
    change(&mut objective);
    objective
}

/// Every term and every form of it.
pub fn terms() -> Vec<(&'static str, Objective)> {
    let reward = |form| {
        alone(|objective| {
            objective.reward = 0.7;
            objective.reward_form = form;
        })
    };
    vec![
        ("cross-entropy", alone(|objective| objective.cross_entropy = 0.9)),
        (
            "cross-entropy with the end",
            alone(|objective| {
                objective.cross_entropy = 0.9;
                objective.end_token = true;
            }),
        ),
        ("KL", alone(|objective| objective.kl = 1.3)),
        ("greedy imitation", reward(RewardForm::GreedyImitation)),
        ("REINFORCE", reward(RewardForm::Reinforce)),
        ("SCST", reward(RewardForm::Scst)),
        ("RLOO", reward(RewardForm::Rloo)),
        ("GRPO", reward(RewardForm::Grpo)),
        ("reconstruction", alone(|objective| objective.reconstruction = 1.1)),
        ("alignment", alone(|objective| objective.alignment = 2.0)),
        (
            "alignment, Frobenius",
            alone(|objective| {
                objective.alignment = 0.3;
                objective.alignment_form = AlignmentForm::Frobenius;
            }),
        ),
        (
            "all terms",
            alone(|objective| {
                objective.cross_entropy = 0.9;
                objective.alignment = 2.0;
                objective.kl = 0.5;
                objective.reward = 0.3;
                objective.reconstruction = 0.4;
            }),
        ),
    ]
}

/// A tiny reader with its tokenizer, and samples for it.
pub struct Bench {
    toy: Toy,
    pub tokenizer: TextTokenizer,
    pub experiment: Experiment,
}

impl Bench {
    pub fn new(layout: PromptLayout) -> Self {
        let toy = Toy::new();
        let tokenizer = TextTokenizer::from_json(&toy.path("reader/tokenizer.json")).unwrap();
        let mut experiment = toy.experiment("objective");
        experiment.prompt.layout = layout;
        experiment.prompt.tail_tokens = 4;
        experiment.prompt.left_tokens = 16;
        experiment.prompt.target_tokens = 10;
        experiment.projector.match_embeddings = false;
        experiment.schedule.clip = 1e9;
        Self {
            toy,
            tokenizer,
            experiment,
        }
    }

    pub fn weights(&self) -> ReaderWeights {
        ReaderWeights::load(&self.toy.path("reader")).unwrap()
    }

    pub fn prompts(&self) -> PromptBuilder<'_> {
        PromptBuilder::new(&self.tokenizer, &self.experiment.prompt, &self.experiment.retrieval).unwrap()
    }

    pub fn samples(&self) -> Vec<EncodedSample> {
        let prompts = self.prompts();
        let helpers = std::fs::read_to_string(self.toy.repository().join("package/helpers.py")).unwrap();
        let functions: Vec<&str> = helpers.split("\n\n\n").collect();
        // Every byte that an untrained reader writes is somewhere in a target, so that completions earn different rewards.
        let every: String = (33..127u8).map(char::from).chain(['\u{fffd}']).collect();
        (0..4)
            .map(|number| {
                let chunk = |rank: usize| Retrieved {
                    chunk: Chunk {
                        repository: "r".into(),
                        path: "a.py".into(),
                        first_line: rank,
                        text: functions[2 * number + rank - 1].to_owned(),
                    },
                    rank,
                    score: 1.0,
                    hit: true,
                    name: None,
                };
                let sample = CompletionSample {
                    id: number.to_string(),
                    repository: "r".into(),
                    path: "b.py".into(),
                    line: 2,
                    left: format!("def used_{number}(values):\n    values = list(values)\n   "),
                    right: "\n    return total\n".into(),
                    target: format!(" x{number} = {every}{every}"),
                    identifier: None,
                };
                let vectors = (0..2 * ENCODER_WIDTH).map(|i| ((i * 7 + number * 31) as f32 * 0.61).sin());
                EncodedSample {
                    prepared: prompts.prepare(&sample, &[chunk(1), chunk(2)]).unwrap(),
                    vectors: vectors.collect(),
                }
            })
            .collect()
    }

    /// The reading of a batch of all samples, made as training makes it, with the soft tokens as they are now.
    pub fn reading(&self, objective: &Objective, reader: &dyn Reader, soft: &[f32]) -> Reading {
        let prompts = self.prompts();
        let samples = self.samples();
        let mut reading = Reading::new(objective, samples.len());
        let chunks = samples.iter().flat_map(|sample| &sample.prepared.retrieved);
        let table = NameTable::of(chunks.map(|one| one.chunk.text.as_str()));
        let prompted: Vec<_> = samples
            .iter()
            .enumerate()
            .map(|(index, sample)| (&sample.prepared, prompts.compressed(&sample.prepared, 2 * index, 2)))
            .collect();
        let draw = Draw { seed: 3, step: 0 };
        let mut rollouts = Vec::new();
        if objective.reward > 0.0 {
            let mut baseline = RunningBaseline { mean: Some(0.1) };
            rollouts = roll_out(reader, &prompts, &prompted, soft, objective, draw, &mut baseline).unwrap();
        }
        let mut rollouts = rollouts.into_iter();
        for (index, (sample, prompt)) in prompted.iter().enumerate() {
            let target = prompts.training_target(sample, objective.end_token).unwrap();
            let teacher = (objective.kl > 0.0).then(|| teach(reader, &prompts.full_text(sample), &target).unwrap());
            if objective.cross_entropy + objective.kl + objective.reward > 0.0 {
                reading.sample(prompt, &target, teacher.as_deref(), rollouts.next());
            }
            if objective.reconstruction > 0.0 {
                let names = table.spelled(&sample.retrieved[1].chunk.text).unwrap();
                let names = self.tokenizer.ids(&names).unwrap();
                reading.chunk(&prompts.chunk_alone(2 * index + 1..2 * index + 2, &[]), &names);
            }
        }
        reading
    }
}

impl Bench {
    pub fn session(&self, hidden: usize, objective: Objective) -> TrainingSession {
        self.session_of(&self.samples(), hidden, objective)
    }

    /// Training on samples that are watched as well, at most three a step.
    pub fn session_of(&self, samples: &[EncodedSample], hidden: usize, objective: Objective) -> TrainingSession {
        let mut experiment = self.experiment.clone();
        experiment.objective = objective;
        experiment.schedule.batch = samples.len().min(3);
        experiment.schedule.clip = 1.0;
        let embeddings = TokenEmbeddings::of(&vec![0.0; hidden], hidden);
        let (train, device) = (samples.to_vec(), Device::Cpu);
        TrainingSession::new(&experiment, train, samples, ENCODER_WIDTH, &embeddings, &device).unwrap()
    }
}
