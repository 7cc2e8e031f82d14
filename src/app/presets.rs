//! The experiments of `configs/`, built into the program.

use crate::experiment::Experiment;

/// An experiment that ships with the program.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// File name in `configs/`, without the extension.
    pub name: &'static str,
    /// What it shows, in a line.
    pub shows: &'static str,
    toml: &'static str,
}

/// Every preset, in the order of the menu; the first is loaded at a first start.
pub const PRESETS: [Preset; 2] = [
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
