//! Every number that the Collapse station follows: those of the projected vectors, and those between them and the encoder's.

use egui::RichText;

use super::collapse_series::StepSummary;
use crate::collapse::{Comparison, INSTRUMENTS, Instruments};
use crate::ui::format::number;
use crate::ui::theme::{self, Theme};

/// One number, and what a person needs to know about it.
#[derive(Clone, Copy)]
pub struct Reading {
    /// Name of the field that it is read from.
    pub key: &'static str,
    /// The name that a person reads.
    pub name: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Values of healthy vectors, in words.
    pub healthy: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
    get: Get,
}

#[derive(Clone, Copy)]
enum Get {
    Instrument(fn(&Instruments) -> f64),
    Comparison(fn(&Comparison) -> f64),
    /// The median norm over the median norm of the reader's tokens.
    NormRatio,
}

const NORM_RATIO: Reading = Reading {
    key: "norm_ratio",
    name: "norm ratio",
    formula: "median of ‖zᵢ‖ over the median norm of the token embeddings",
    healthy: "near 1; far from it the reader does not know such tokens",
    citation: "Liu et al. 2023 (LLaVA), arXiv 2304.08485",
    get: Get::NormRatio,
};

/// What is measured between encoder and projected vectors; there is no value of the encoder alone.
const COMPARISONS: [Reading; 4] = [
    Reading {
        key: "alignment_mse",
        name: "alignment error",
        formula: "mean of (cos Z − cos X)² over i ≠ j",
        healthy: "near 0; what the alignment loss lowers",
        citation: "LLavaCode's code, arXiv 2510.19644",
        get: Get::Comparison(|values| values.alignment_mse),
    },
    Reading {
        key: "alignment_frobenius",
        name: "alignment, Frobenius",
        formula: "‖cos Z − cos X‖_F / √2",
        healthy: "near 0",
        citation: "LLavaCode equation 3, arXiv 2510.19644",
        get: Get::Comparison(|values| values.alignment_frobenius),
    },
    Reading {
        key: "linear_cka",
        name: "linear CKA",
        formula: "‖ZᵀX‖_F² / (‖XᵀX‖_F ‖ZᵀZ‖_F), means taken off",
        healthy: "near 1: the same geometry up to rotation and scale",
        citation: "Kornblith et al. 2019, arXiv 1905.00414",
        get: Get::Comparison(|values| values.linear_cka),
    },
    Reading {
        key: "knn_overlap",
        name: "10 neighbours kept",
        formula: "share of the 10 nearest chunks that encoder and projected vectors have in common",
        healthy: "near 1: the same chunks stay neighbours",
        citation: "Huh et al. 2024, arXiv 2405.07987",
        get: Get::Comparison(|values| values.knn_overlap),
    },
];

impl Reading {
    /// All of them, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Self> {
        let instruments = INSTRUMENTS.iter().map(|info| Self {
            key: info.key,
            name: info.name,
            formula: info.formula,
            healthy: info.healthy,
            citation: info.citation,
            get: Get::Instrument(info.get),
        });
        instruments.chain([NORM_RATIO]).chain(COMPARISONS)
    }

    /// Whether it is between the encoder's vectors and the projected ones.
    pub fn is_compared(&self) -> bool {
        matches!(self.get, Get::Comparison(_))
    }

    /// Its value at a step.
    pub fn of(&self, step: &StepSummary) -> f64 {
        match self.get {
            Get::Instrument(get) => get(&step.instruments),
            Get::Comparison(get) => get(&step.comparison),
            Get::NormRatio => step.instruments.median_norm / f64::from(step.token_norms[1]),
        }
    }

    /// Its value of the encoder's vectors, which have no place among token embeddings.
    pub fn of_encoder(&self, encoder: &Instruments) -> Option<f64> {
        match self.get {
            Get::Instrument(get) => Some(get(encoder)),
            Get::Comparison(_) | Get::NormRatio => None,
        }
    }

    /// Long names wrap badly in a narrow table; the tooltip has them whole.
    pub fn short(&self) -> &'static str {
        match self.key {
            "rankme" => "effective rank",
            "top_share_centred" => "first component",
            "top_share_uncentred" => "first direction",
            _ => self.name,
        }
    }

    /// Formula, healthy range, citation; and the norms of token embeddings where it is held against them.
    pub fn tooltip(&self, ui: &mut egui::Ui, token_norms: Option<[f32; 3]>) {
        let theme = Theme::of(ui);
        ui.label(theme::caption(self.name).color(theme.strong));
        ui.label(RichText::new(self.formula).monospace().size(theme::SMALL));
        ui.label(format!("healthy: {}", self.healthy));
        if let (true, Some(norms)) = (matches!(self.key, "median_norm" | "norm_ratio"), token_norms) {
            let [low, median, high] = norms.map(|norm| number(f64::from(norm)));
            ui.label(format!("token embeddings: 5% {low}, median {median}, 95% {high}"));
        }
        ui.label(RichText::new(self.citation).size(theme::SMALL).color(theme.weak));
    }
}
