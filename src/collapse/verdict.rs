//! Collapsed or not, in one sentence (thresholds of method.md F4).

use super::Instruments;

/// A mean cosine this much above the encoder's is collapse.
const COSINE_RISE: f64 = 0.3;
/// An effective rank below this share of the encoder's is collapse.
const RANK_SHARE: f64 = 0.3;
/// More than this share of the energy in one direction is collapse.
const TOP_SHARE: f64 = 0.9;

/// Whether projected vectors have collapsed, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Any of the three signs is there.
    pub collapsed: bool,
    /// The signs that are there, or that none is, with their values.
    pub reason: String,
    /// Keys of the instruments that are past their limit.
    pub over: Vec<&'static str>,
}

/// Judges projected vectors against the encoder vectors of the same chunks.
pub fn verdict(encoder: &Instruments, projected: &Instruments) -> Verdict {
    let rise = projected.mean_cosine - encoder.mean_cosine;
    let share = projected.rankme / encoder.rankme;
    let top = projected.top_share_uncentred;
    let signs = [
        (
            "mean_cosine",
            rise > COSINE_RISE,
            format!("mean cosine is {rise:.2} above the encoder's (limit {COSINE_RISE})"),
        ),
        (
            "rankme",
            share < RANK_SHARE,
            format!("effective rank is {share:.2} of the encoder's (limit {RANK_SHARE})"),
        ),
        (
            "top_share_uncentred",
            top > TOP_SHARE,
            format!("one direction holds {top:.2} of the energy (limit {TOP_SHARE})"),
        ),
    ];
    let (over, signs): (Vec<&'static str>, Vec<String>) = signs
        .into_iter()
        .filter(|(_, past, _)| *past)
        .map(|(key, _, sign)| (key, sign))
        .unzip();
    let collapsed = !signs.is_empty();
    let reason = if collapsed {
        signs.join("; ")
    } else {
        format!(
            "mean cosine {rise:+.2} against the encoder, effective rank {share:.2} of the encoder's, {top:.2} of the energy in one direction"
        )
    };
    Verdict {
        collapsed,
        reason,
        over,
    }
}

/// Where an instrument passes from healthy to collapsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Key of the instrument.
    pub key: &'static str,
    /// Its value at the limit.
    pub value: f64,
    /// What it is made of.
    pub words: String,
}

/// The limits that [`verdict`] judges by, beside an encoder with these instruments.
pub fn limits(encoder: &Instruments) -> [Limit; 3] {
    [
        Limit {
            key: "mean_cosine",
            value: encoder.mean_cosine + COSINE_RISE,
            words: format!("the encoder's plus {COSINE_RISE}"),
        },
        Limit {
            key: "rankme",
            value: encoder.rankme * RANK_SHARE,
            words: format!("{RANK_SHARE} of the encoder's"),
        },
        Limit {
            key: "top_share_uncentred",
            value: TOP_SHARE,
            words: format!("{TOP_SHARE} of the energy"),
        },
    ]
}

/// The sentence on top of the Collapse station.
///
/// "Step 412: projected mean cosine 0.23, encoder 0.41. Effective rank 61 of 100. Not collapsed.", where 100 is the
/// largest rank that there could be.
pub fn headline(step: usize, encoder: &Instruments, projected: &Instruments) -> String {
    let outcome = if verdict(encoder, projected).collapsed {
        "Collapsed"
    } else {
        "Not collapsed"
    };
    format!(
        "Step {step}: projected mean cosine {:.2}, encoder {:.2}. Effective rank {:.0} of {}. {outcome}.",
        projected.mean_cosine, encoder.mean_cosine, projected.rankme, projected.largest_rank,
    )
}
