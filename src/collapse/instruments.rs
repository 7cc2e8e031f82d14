//! One number each: how far a set of vectors has collapsed (method.md F1).

use serde::{Deserialize, Serialize};

use super::Geometry;
use super::vectors::Vectors;

/// Collapse instruments of one set of vectors z₁ … z_N of width d, with singular values σ and squares λ = σ².
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instruments {
    /// Mean cosine of distinct vectors, `mean_{i≠j} cos(zᵢ, zⱼ)`. Healthy near the encoder's; 1 is collapse (Ethayarajh 2019,
    /// arXiv 1909.00512; LLavaCode figure 2).
    pub mean_cosine: f64,
    /// Effective rank, `exp(-Σ p ln p)` with `p = σ/Σσ + 1e-7`, uncentred. 1 to min(N, d); healthy above 0.3 of the encoder's
    /// (Garrido et al. 2023, arXiv 2210.02885; Roy and Vetterli 2007).
    pub rankme: f64,
    /// Participation ratio, `(Σλ)² / Σλ²`, centred. 1 to min(N, d); near 1 is one direction (Gao et al. 2017).
    pub participation_ratio: f64,
    /// Stable rank, `‖Z‖_F² / ‖Z‖₂²`, uncentred. Near 1 all vectors share one direction (Rudelson and Vershynin 2007).
    pub stable_rank: f64,
    /// Share of the variance in the first principal component, `λ₁ / Σλ`, centred (PC1 share). Near 1 the cloud is a line.
    pub top_share_centred: f64,
    /// The same without taking the mean off. Above 0.9 the vectors lie in a one-dimensional subspace, the paper's words for collapse.
    pub top_share_uncentred: f64,
    /// Uniformity, `ln mean_{i≠j} exp(-2‖ẑᵢ-ẑⱼ‖²)` of unit vectors. Healthy below -2; 0 is collapse (Wang and Isola 2020,
    /// arXiv 2005.10242).
    pub uniformity: f64,
    /// Median norm `‖z‖`. Healthy inside the norms of the reader's token embeddings.
    pub median_norm: f64,
    /// The largest rank that there could be, `min(N, d)`.
    pub largest_rank: usize,
}

/// All instruments of one set of vectors.
pub fn instruments(vectors: &Vectors) -> Instruments {
    Geometry::of(vectors).instruments()
}

/// What a person needs to know about one instrument.
#[derive(Clone, Copy, Debug)]
pub struct InstrumentInfo {
    /// Name of the field in [`Instruments`].
    pub key: &'static str,
    /// The name a person reads.
    pub name: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Values of healthy vectors, in words.
    pub healthy: &'static str,
    /// Where it comes from.
    pub citation: &'static str,
    /// Its value.
    pub get: fn(&Instruments) -> f64,
}

/// Every instrument, in the order that they are shown.
pub const INSTRUMENTS: &[InstrumentInfo] = &[
    InstrumentInfo {
        key: "mean_cosine",
        name: "mean cosine",
        formula: "mean of cos(zᵢ, zⱼ) over i ≠ j",
        healthy: "at most 0.3 above the encoder's; 1 is collapse",
        citation: "Ethayarajh 2019, arXiv 1909.00512",
        get: |values| values.mean_cosine,
    },
    InstrumentInfo {
        key: "rankme",
        name: "effective rank (RankMe)",
        formula: "exp(-Σ p ln p), p = σ/Σσ + 1e-7, mean not taken off",
        healthy: "at least 0.3 of the encoder's; 1 is collapse",
        citation: "Garrido et al. 2023, arXiv 2210.02885",
        get: |values| values.rankme,
    },
    InstrumentInfo {
        key: "participation_ratio",
        name: "participation ratio",
        formula: "(Σλ)² / Σλ², mean taken off",
        healthy: "well above 1; 1 is a single direction",
        citation: "Gao et al. 2017",
        get: |values| values.participation_ratio,
    },
    InstrumentInfo {
        key: "stable_rank",
        name: "stable rank",
        formula: "‖Z‖_F² / ‖Z‖₂², mean not taken off",
        healthy: "well above 1; 1 is collapse",
        citation: "Rudelson and Vershynin 2007",
        get: |values| values.stable_rank,
    },
    InstrumentInfo {
        key: "top_share_centred",
        name: "first component's share of variance",
        formula: "λ₁ / Σλ, mean taken off",
        healthy: "below 0.9; 1 is a line",
        citation: "principal component analysis",
        get: |values| values.top_share_centred,
    },
    InstrumentInfo {
        key: "top_share_uncentred",
        name: "first direction's share of energy",
        formula: "σ₁² / Σσ², mean not taken off",
        healthy: "below 0.9; 1 is collapse to one direction",
        citation: "LLavaCode, arXiv 2510.19644",
        get: |values| values.top_share_uncentred,
    },
    InstrumentInfo {
        key: "uniformity",
        name: "uniformity",
        formula: "ln mean of exp(-2‖ẑᵢ-ẑⱼ‖²) over i ≠ j, ẑ = z/‖z‖",
        healthy: "below -2; 0 is collapse",
        citation: "Wang and Isola 2020, arXiv 2005.10242",
        get: |values| values.uniformity,
    },
    InstrumentInfo {
        key: "median_norm",
        name: "median norm",
        formula: "median of ‖zᵢ‖",
        healthy: "within the norms of the reader's token embeddings",
        citation: "Liu et al. 2023 (LLaVA), arXiv 2304.08485",
        get: |values| values.median_norm,
    },
];
