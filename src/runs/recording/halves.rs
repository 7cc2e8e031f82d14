//! Tensors in half precision, as a recording has them.
//!
//! A tensor has all its low bytes before all its high ones: signs and exponents are alike, and pack better among themselves.

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::torn;
use crate::runs::{NamedTensor, RunError};

/// Whether half precision holds every value.
pub(super) fn hold(values: &[f32]) -> bool {
    values.iter().all(|value| f16::from_f32(*value).is_finite())
}

/// What is left of values.
pub(super) fn halved(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| f16::from_f32(*value).to_f32()).collect()
}

/// Tensors as a file; its order is by name.
pub(super) fn write(tensors: &[NamedTensor]) -> Result<Vec<u8>, RunError> {
    let halved = tensors.iter().map(|(name, shape, values)| {
        let bytes = values.iter().map(|value| f16::from_f32(*value).to_le_bytes());
        let (low, high): (Vec<u8>, Vec<u8>) = bytes.map(|[low, high]| (low, high)).unzip();
        let shape: Vec<usize> = std::iter::once(2).chain(shape.iter().copied()).collect();
        (name.as_str(), shape, [low, high].concat())
    });
    let halved: Vec<(&str, Vec<usize>, Vec<u8>)> = halved.collect();
    let views = halved.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::U8, shape.clone(), bytes);
        view.map(|view| (*name, view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(torn)?;
    safetensors::serialize(views, None).map_err(torn)
}

/// What [`write`] wrote, in single precision.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<NamedTensor>, RunError> {
    let file = SafeTensors::deserialize(bytes).map_err(torn)?;
    let tensor = |(name, view): (String, TensorView<'_>)| match view.shape() {
        [2, shape @ ..] if view.dtype() == Dtype::U8 => {
            let (low, high) = view.data().split_at(view.data().len() / 2);
            let values = low.iter().zip(high);
            let values = values.map(|(low, high)| f16::from_le_bytes([*low, *high]).to_f32());
            Ok((name, shape.to_vec(), values.collect()))
        }
        _ => Err(torn(format!("tensor {name:?} is not in halves"))),
    };
    file.tensors().into_iter().map(tensor).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;

    #[test]
    fn values_come_back_as_half_precision_has_them() {
        let values: Vec<f32> = (0..600).map(|at| (at as f32 - 300.0) / 7.0).collect();
        let read = read(&write(&[("a".into(), vec![20, 30], values.clone())]).unwrap()).unwrap();
        assert_eq!(read, [("a".to_owned(), vec![20, 30], halved(&values))]);
        assert_ne!(values, halved(&values));
        assert!(hold(&values) && !hold(&[1e9]) && !hold(&[f32::NAN]));
    }
}
