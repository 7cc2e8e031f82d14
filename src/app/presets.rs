//! The experiments and sweeps of `configs/`, built into the program.

use crate::experiment::{Experiment, SweepError, SweepFile, SweepPlan};

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
pub const PRESETS: [Preset; 10] = [
    Preset {
        name: "names",
        shows: "a soft token learns to be read as a name; then completion with the names that may come next",
        toml: NAMES,
    },
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

/// A sweep that ships with the program.
#[derive(Clone, Copy, Debug)]
pub struct SweepPreset {
    /// Name of the sweep.
    pub name: &'static str,
    /// Its file, below `configs/`.
    pub file: &'static str,
    /// What it asks, in a line.
    pub asks: &'static str,
    toml: &'static str,
    /// The experiment that its cells change; the default one when there is none.
    base: Option<&'static str>,
}

const CE: Option<&str> = Some(include_str!("../../configs/ablation/ce.toml"));
const NAMES: &str = include_str!("../../configs/recipes/names.toml");
const CE_ALIGNMENT: Option<&str> = Some(include_str!("../../configs/ablation/ce_alignment.toml"));

/// Every sweep of `configs/`, in the order of the dialog.
pub const SWEEPS: [SweepPreset; 7] = [
    SweepPreset {
        name: "retrieval",
        file: "retrieval.toml",
        asks: "how often each retriever finds the name that comes next",
        toml: include_str!("../../configs/retrieval.toml"),
        base: None,
    },
    SweepPreset {
        name: "loss-ablation",
        file: "sweeps/loss_ablation.toml",
        asks: "which terms of the objective hold the soft tokens apart",
        toml: include_str!("../../configs/sweeps/loss_ablation.toml"),
        base: CE,
    },
    SweepPreset {
        name: "collapse",
        file: "sweeps/collapse.toml",
        asks: "collapse without the alignment loss, and with it",
        toml: include_str!("../../configs/sweeps/collapse.toml"),
        base: CE,
    },
    SweepPreset {
        name: "compression",
        file: "sweeps/compression.toml",
        asks: "how far context may be compressed",
        toml: include_str!("../../configs/sweeps/compression.toml"),
        base: CE_ALIGNMENT,
    },
    SweepPreset {
        name: "encoder",
        file: "sweeps/encoder.toml",
        asks: "whether it takes a second model to encode a chunk",
        toml: include_str!("../../configs/sweeps/encoder.toml"),
        base: CE_ALIGNMENT,
    },
    SweepPreset {
        name: "retriever",
        file: "sweeps/retriever.toml",
        asks: "what a better retriever brings to completions",
        toml: include_str!("../../configs/sweeps/retriever.toml"),
        base: CE_ALIGNMENT,
    },
    SweepPreset {
        name: "names",
        file: "sweeps/names.toml",
        asks: "whether names compressed to soft tokens help, whatever the seed",
        toml: include_str!("../../configs/sweeps/names.toml"),
        base: Some(NAMES),
    },
];

impl SweepPreset {
    /// The sweep, with `key=value` changes of every cell.
    pub fn plan(&self, changes: &[String]) -> Result<SweepPlan, SweepError> {
        let base = match self.base {
            Some(base) => Experiment::from_toml(base, self.file)?,
            None => Experiment::default(),
        };
        SweepPlan::new(SweepFile::from_toml(self.toml, self.file)?, base, changes)
    }
}

impl Preset {
    /// The experiment; a test reads every preset, so the default never stands in for one.
    pub fn experiment(&self) -> Experiment {
        Experiment::from_toml(self.toml, self.name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_preset_is_valid_and_bears_its_name() {
        for preset in PRESETS {
            let read = Experiment::from_toml(preset.toml, preset.name).map(|e| (e.name.clone(), e.validate()));
            assert!(matches!(&read, Ok((name, Ok(()))) if name == preset.name), "{read:?}");
        }
    }

    #[test]
    fn the_sweeps_built_in_are_those_of_the_folder() {
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        for preset in SWEEPS {
            let loaded = SweepPlan::load(&configs.join(preset.file), &[]);
            assert!(
                matches!((loaded, preset.plan(&[])), (Ok(loaded), Ok(built_in)) if loaded == built_in && loaded.file.name == preset.name),
                "{}",
                preset.file
            );
        }
        let files = std::fs::read_dir(configs.join("sweeps")).map(Iterator::count).ok();
        let built_in = SWEEPS.iter().filter(|preset| preset.file.starts_with("sweeps/"));
        assert_eq!(files, Some(built_in.count()));
    }
}
