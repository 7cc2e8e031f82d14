//! How far people who judged the same questions agree, beyond what chance gives.

use std::collections::BTreeMap;

/// Cohen's kappa of two judges, one pair of answers a question: `κ = (p_o − p_e) / (1 − p_e)`, p_o the share of equal answers and
/// `p_e = Σ_c p₁(c) p₂(c)` what it would be by chance (Cohen 1960, Educational and Psychological Measurement 20, 37–46).
///
/// 1 is full agreement, 0 is chance. None without questions, or when both judges always gave one and the same answer.
pub fn cohen_kappa<T: Ord>(answers: &[(T, T)]) -> Option<f64> {
    let total = answers.len() as f64;
    let mut counts: BTreeMap<&T, (f64, f64)> = BTreeMap::new();
    for (one, other) in answers {
        counts.entry(one).or_default().0 += 1.0;
        counts.entry(other).or_default().1 += 1.0;
    }
    let equal = answers.iter().filter(|(one, other)| one == other).count() as f64 / total;
    let by_chance: f64 = counts.values().map(|(one, other)| one / total * (other / total)).sum();
    (total > 0.0 && by_chance < 1.0).then(|| (equal - by_chance) / (1.0 - by_chance))
}

/// Krippendorff's alpha of any number of judges for answers without an order, each question with the answers that it got:
/// `α = 1 − D_o / D_e`, the disagreement seen over the one that answers drawn at random would have. Questions with a single answer do
/// not count (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).
///
/// 1 is full agreement, 0 is chance. None when no question has two answers, or all answers are the same.
pub fn krippendorff_alpha<T: Ord>(questions: &[Vec<T>]) -> Option<f64> {
    let mut totals: BTreeMap<&T, f64> = BTreeMap::new();
    let mut seen = 0.0;
    for answers in questions.iter().filter(|answers| answers.len() > 1) {
        let count = answers.len() as f64;
        let mut counts: BTreeMap<&T, f64> = BTreeMap::new();
        for answer in answers {
            *counts.entry(answer).or_default() += 1.0;
            *totals.entry(answer).or_default() += 1.0;
        }
        // Ordered pairs of unequal answers.
        let equal: f64 = counts.values().map(|count| count * count).sum();
        seen += (count * count - equal) / (count - 1.0);
    }
    let total: f64 = totals.values().sum();
    let expected = total * total - totals.values().map(|count| count * count).sum::<f64>();
    (expected > 0.0).then(|| 1.0 - (total - 1.0) * seen / expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of two judges, from how often each pair of answers was given.
    fn table(counts: &[(char, char, usize)]) -> Vec<(char, char)> {
        let pairs = counts
            .iter()
            .map(|(one, other, n)| std::iter::repeat_n((*one, *other), *n));
        pairs.flatten().collect()
    }

    #[test]
    fn kappa_takes_off_what_chance_gives() {
        // p_o = 0.7 and p_e = 0.5 · 0.6 + 0.5 · 0.4 = 0.5.
        let answers = table(&[('y', 'y', 20), ('y', 'n', 5), ('n', 'y', 10), ('n', 'n', 15)]);
        assert!((cohen_kappa(&answers).unwrap_or_default() - 0.4).abs() < 1e-12);
        let independent = table(&[('y', 'y', 1), ('y', 'n', 1), ('n', 'y', 1), ('n', 'n', 1)]);
        assert_eq!(cohen_kappa(&independent), Some(0.0));
        assert_eq!(cohen_kappa(&table(&[('a', 'a', 3), ('b', 'b', 2)])), Some(1.0));
        assert_eq!(cohen_kappa(&table(&[('a', 'a', 3)])), None);
        assert_eq!(cohen_kappa::<char>(&[]), None);
    }

    #[test]
    fn alpha_counts_missing_answers_as_missing() {
        // Krippendorff's own example of three judges and fifteen questions: nominal alpha 0.691.
        let judges = ["*****34121133*3", "1*213343*******", "**21344*21133*4"];
        let questions: Vec<Vec<char>> = (0..15)
            .map(|at| {
                judges
                    .iter()
                    .filter_map(|judge| judge.chars().nth(at))
                    .filter(|c| *c != '*')
                    .collect()
            })
            .collect();
        let alpha = krippendorff_alpha(&questions).unwrap_or_default();
        assert!((alpha - 0.691).abs() < 5e-4, "{alpha}");
        assert_eq!(krippendorff_alpha(&[vec!['a'], vec!['b']]), None);
        assert_eq!(krippendorff_alpha(&[vec!['a', 'a'], vec!['b', 'b']]), Some(1.0));
    }
}
