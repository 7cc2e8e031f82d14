//! Quantiles, for every module that summarises numbers.

/// Quantile of ascending values, linear between neighbours; 0 for no values.
pub fn quantile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    match (ascending.get(low), ascending.get(high)) {
        (Some(low_value), Some(high_value)) => low_value + (high_value - low_value) * place.fract(),
        _ => 0.0,
    }
}
