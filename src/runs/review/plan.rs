//! Which questions a review asks, in which order, and what stands on which side.

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::material::ReviewMaterial;
use crate::corpus::Split;
use crate::evaluation::Arm;

/// What all reviewers of one review have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReviewDesign {
    /// Step of the evaluation.
    pub step: usize,
    /// Its split.
    pub split: Split,
    /// The arms that are compared, two at a time.
    pub arms: Vec<Arm>,
    /// Samples drawn.
    pub samples: usize,
    /// Draws them.
    pub seed: u64,
}

impl ReviewDesign {
    /// Every two arms, each pair once; the one that stands later in the design, with more context as a rule, comes first.
    pub fn arm_pairs(&self) -> impl Iterator<Item = (Arm, Arm)> {
        let before = |at: usize| self.arms.iter().take(at);
        let arms = self.arms.iter().enumerate();
        arms.flat_map(move |(at, one)| before(at).map(|other| (*one, *other)))
    }
}

/// Two arms on one sample.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Id of the sample.
    pub sample: String,
    /// The arm that stands later in the design.
    pub one: Arm,
    /// The other.
    pub other: Arm,
}

/// Two completions beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is compared.
    pub pair: Pair,
    /// The second arm of the pair stands on the left.
    pub swapped: bool,
}

impl Question {
    /// The arm on the left.
    pub fn left(&self) -> Arm {
        if self.swapped { self.pair.other } else { self.pair.one }
    }

    /// The arm on the right.
    pub fn right(&self) -> Arm {
        if self.swapped { self.pair.one } else { self.pair.other }
    }
}

/// The questions of one reviewer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewPlan {
    /// Ids of the samples drawn, ascending.
    pub samples: Vec<String>,
    /// In the order asked.
    pub questions: Vec<Question>,
    /// Pairs that are the same text, which nobody is asked about: they are ties by construction.
    pub identical: Vec<Pair>,
}

impl ReviewPlan {
    /// Draws the samples by the seed, and order and sides by the seed and the reviewer's name.
    ///
    /// The side of every question is a coin's throw of its own, so that the share of votes for the left is 50% for a reviewer whom
    /// sides do not sway, whichever arm is better. Fewer samples are drawn where there are not so many.
    pub fn draw(design: &ReviewDesign, reviewer: &str, material: &ReviewMaterial) -> Self {
        let mut samples: Vec<String> = material.complete(&design.arms).map(str::to_owned).collect();
        samples.shuffle(&mut ChaCha8Rng::seed_from_u64(design.seed));
        samples.truncate(design.samples);
        samples.sort_unstable();
        let pairs = samples.iter().flat_map(|sample| {
            design.arm_pairs().map(|(one, other)| Pair {
                sample: sample.clone(),
                one,
                other,
            })
        });
        let same = |pair: &Pair| material.text(&pair.sample, pair.one) == material.text(&pair.sample, pair.other);
        let (identical, mut asked): (Vec<Pair>, Vec<Pair>) = pairs.partition(same);
        let key = Sha256::digest(format!("{}\n{reviewer}", design.seed));
        let mut random = ChaCha8Rng::from_seed(key.into());
        asked.shuffle(&mut random);
        let questions = asked.into_iter().map(|pair| Question {
            pair,
            swapped: random.random(),
        });
        Self {
            questions: questions.collect(),
            samples,
            identical,
        }
    }
}
