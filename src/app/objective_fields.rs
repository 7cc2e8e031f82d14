//! The fields of the objective: its weights, and what belongs to the terms that have more than a weight.

use super::fields::{Group, Kind, field};

/// The weights.
pub(super) const OBJECTIVE: Group = Group {
    name: "Objective",
    fields: &[
        field(
            "objective.cross_entropy",
            "cross-entropy",
            "weight",
            Kind::Number,
            "Weight of the loss of the target's tokens; 0 turns it off",
        ),
        field(
            "objective.alignment",
            "alignment",
            "weight",
            Kind::Number,
            "Weight of the loss that keeps the soft tokens' cosines near the encoder's; 0 turns it off",
        ),
        field(
            "objective.reward",
            "reward",
            "weight",
            Kind::Number,
            "Weight of the loss that makes completions with a high reward more probable; above 0, every step completes its samples",
        ),
        field(
            "objective.kl",
            "KL to full RAG",
            "weight",
            Kind::Number,
            "Weight of the divergence from the reader's own prediction with the chunks as text; above 0, every sample is read so once",
        ),
        field(
            "objective.reconstruction",
            "reconstruction",
            "weight",
            Kind::Number,
            "Weight of the loss of spelling a chunk's rarest names from its soft tokens alone; 0 turns it off",
        ),
        field(
            "objective.end_token",
            "predict the end",
            "",
            Kind::Switch,
            "Predict the end of the text behind a whole target; the paper's code does not",
        ),
    ],
};

/// What belongs to the alignment.
pub(super) const ALIGNMENT: Group = Group {
    name: "Alignment",
    fields: &[
        field(
            "objective.alignment_form",
            "form of alignment",
            "",
            Kind::Choice(&["mean_square", "frobenius"]),
            "Mean squared difference of distinct pairs, or Frobenius norm (the paper's equation 3), whose numbers are some \
             hundred times as large; both are logged",
        ),
        field(
            "objective.alignment_memory",
            "alignment memory",
            "vectors",
            Kind::Whole,
            "Vectors of earlier batches that stand beside those of the batch",
        ),
    ],
};

/// What belongs to the reward.
pub(super) const REWARD: Group = Group {
    name: "Reward",
    fields: &[
        field(
            "objective.reward_form",
            "form of reward",
            "",
            Kind::Choice(&["greedy_imitation", "reinforce", "scst", "rloo", "grpo"]),
            "Greedy imitation is the paper's code: the greedy completion, made more probable in proportion to its reward. \
             The others draw completions and compare: with a running mean (REINFORCE), the greedy one (SCST), or each other (RLOO, GRPO)",
        ),
        field(
            "objective.rollouts",
            "rollouts",
            "a sample",
            Kind::Whole,
            "Completions drawn for a sample; greedy imitation has one, its greedy one",
        ),
        field(
            "objective.temperature",
            "temperature",
            "",
            Kind::Number,
            "Of the draw; 1 draws from the policy that is trained, any other from a neighbour of it",
        ),
        field(
            "objective.top_p",
            "top p",
            "share",
            Kind::Number,
            "Share of the probability that is drawn from, the most probable tokens first",
        ),
    ],
};
