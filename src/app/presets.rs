//! The experiments of `configs/`, built into the program.

use crate::experiment::Experiment;

/// An experiment that ships with the program.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name of the experiment.
    pub name: &'static str,
    /// What it shows, in a line.
    pub shows: &'static str,
    toml: &'static str,
}

/// Every preset, in the order of the menu; the first is loaded at a first start.
pub const PRESETS: [Preset; 9] = [
    Preset {
        name: "collapse",
        shows: "cross-entropy alone: the soft tokens collapse",
        toml: include_str!("../../configs/collapse.toml"),
    },
    Preset {
        name: "aligned",
        shows: "with cosine alignment: they keep the encoder's geometry",
        toml: include_str!("../../configs/aligned.toml"),
    },
    Preset {
        name: "ce",
        shows: "loss ablation: cross-entropy",
        toml: include_str!("../../configs/ablation/ce.toml"),
    },
    Preset {
        name: "ce-alignment",
        shows: "loss ablation: cross-entropy and alignment",
        toml: include_str!("../../configs/ablation/ce_alignment.toml"),
    },
    Preset {
        name: "ce-reward",
        shows: "loss ablation: cross-entropy and reward",
        toml: include_str!("../../configs/ablation/ce_reward.toml"),
    },
    Preset {
        name: "ce-alignment-reward",
        shows: "loss ablation: all three, the paper's objective",
        toml: include_str!("../../configs/ablation/ce_alignment_reward.toml"),
    },
    Preset {
        name: "reward",
        shows: "loss ablation: the reward alone",
        toml: include_str!("../../configs/ablation/reward.toml"),
    },
    Preset {
        name: "ce-kl",
        shows: "loss ablation: cross-entropy and KL to full RAG",
        toml: include_str!("../../configs/ablation/ce_kl.toml"),
    },
    Preset {
        name: "paper",
        shows: "the paper's setting in full; needs a GPU and its models",
        toml: include_str!("../../configs/paper.toml"),
    },
];

impl Preset {
    /// The experiment; a test reads every preset, so the default never stands in for one.
    pub fn experiment(&self) -> Experiment {
        Experiment::from_toml(self.toml, self.name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_valid_and_bears_its_name() {
        for preset in PRESETS {
            let read = Experiment::from_toml(preset.toml, preset.name).map(|e| (e.name.clone(), e.validate()));
            assert!(matches!(&read, Ok((name, Ok(()))) if name == preset.name), "{read:?}");
        }
    }
}
