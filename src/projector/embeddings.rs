//! Where the reader's token embeddings lie: a frozen reader answers best to soft tokens that lie there too (science.md 4).

/// Statistics of the reader's token embeddings.
#[derive(Clone, Debug)]
pub struct TokenEmbeddings {
    /// Their mean, `[reader width]`.
    pub mean: Vec<f32>,
    /// Their mean distance to it.
    pub deviation: f32,
    /// Their mean norm.
    pub mean_norm: f32,
    /// 5%, 50% and 95% quantile of their norms.
    pub norm_quantiles: [f32; 3],
}

impl TokenEmbeddings {
    /// Of an embedding table `[vocabulary, width]`, row-major.
    pub fn of(table: &[f32], width: usize) -> Self {
        let rows = (table.len() / width).max(1);
        let mut sums = vec![0f64; width];
        for row in table.chunks_exact(width) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / rows as f64) as f32).collect();
        let norm =
            |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        let mut norms = Vec::with_capacity(rows);
        let mut deviation = 0.0;
        for row in table.chunks_exact(width) {
            norms.push(norm(&mut row.iter().copied()) as f32);
            deviation += norm(&mut row.iter().zip(&mean).map(|(value, mean)| value - mean));
        }
        let mean_norm = norms.iter().copied().map(f64::from).sum::<f64>() / rows as f64;
        norms.sort_by(f32::total_cmp);
        let quantile = |share: f64| {
            norms
                .get(((norms.len().max(1) - 1) as f64 * share) as usize)
                .copied()
                .unwrap_or(0.0)
        };
        Self {
            mean,
            deviation: (deviation / rows as f64) as f32,
            mean_norm: mean_norm as f32,
            norm_quantiles: [quantile(0.05), quantile(0.5), quantile(0.95)],
        }
    }
}
