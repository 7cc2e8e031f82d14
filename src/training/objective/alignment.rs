//! Alignment: the projected vectors of a batch keep the geometry that their encoder vectors have (method.md A4.3).

use std::collections::HashMap;

use candle_core::{D, Result, Tensor};

/// Keeps roots differentiable at zero: far below the square of any number that matters, far above the smallest f32.
const TINY: f64 = 1e-24;

/// Names of the memory's tensors in a checkpoint.
const STATE: [&str; 2] = ["memory.encoder", "memory.projected"];

/// How far the cosines among projected vectors are from those among their encoder vectors, from which every form of the loss
/// is made. Differentiable in the projected vectors of the batch alone.
pub struct CosineDifference {
    /// `[rows, rows + earlier]`, its diagonal zero.
    difference: Tensor,
}

impl CosineDifference {
    /// Of a batch of encoder vectors `[rows, encoder width]` and their projected vectors `[rows, reader width]`, each compared
    /// with the batch and with the vectors in `memory`.
    pub fn new(encoder: &Tensor, projected: &Tensor, memory: &AlignmentMemory) -> Result<Self> {
        let encoder = encoder.detach();
        let difference = match &memory.vectors {
            None => (cosines(projected, projected)? - cosines(&encoder, &encoder)?)?,
            Some([earlier, earlier_projected]) => {
                let all = Tensor::cat(&[&encoder, earlier], 0)?;
                let all_projected = Tensor::cat(&[projected, earlier_projected], 0)?;
                (cosines(projected, &all_projected)? - cosines(&encoder, &all)?)?
            }
        };
        Ok(Self { difference })
    }

    /// Paper, equation 3: Frobenius norm over root two. A scalar; where all cosines are equal its gradient is zero.
    pub fn frobenius(&self) -> Result<Tensor> {
        (self.difference.sqr()?.sum_all()? + TINY)?.sqrt()? / std::f64::consts::SQRT_2
    }

    /// Mean square over pairs of distinct vectors; 0 when there is one vector. A scalar.
    pub fn mean_square(&self) -> Result<Tensor> {
        let (rows, columns) = self.difference.dims2()?;
        let (dtype, device) = (self.difference.dtype(), self.difference.device());
        let mut diagonal = Tensor::eye(rows, dtype, device)?;
        if columns > rows {
            diagonal = diagonal.pad_with_zeros(1, 0, columns - rows)?;
        }
        let distinct = self.difference.mul(&(1.0 - diagonal)?)?;
        distinct.sqr()?.sum_all()? / (rows * columns).saturating_sub(rows).max(1) as f64
    }

    /// Mean square over all pairs, a vector with itself included: the form in the authors' code. A scalar.
    pub fn mean_square_all(&self) -> Result<Tensor> {
        self.difference.sqr()?.mean_all()
    }

    /// Whether there is a pair of distinct vectors to compare.
    pub fn has_pairs(&self) -> bool {
        self.difference.elem_count() > 1
    }
}

/// Cosines of the rows of `a` with those of `b`: `[rows of a, rows of b]`. A row of zeros has cosine 0 to every row.
fn cosines(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    unit(a)?.matmul(&unit(b)?.t()?)
}

fn unit(rows: &Tensor) -> Result<Tensor> {
    let length = (rows.sqr()?.sum_keepdim(D::Minus1)? + TINY)?.sqrt()?;
    rows.broadcast_div(&length)
}

/// The newest vectors of earlier batches, which stand beside a batch in its alignment loss as fixed rows.
#[derive(Default)]
pub struct AlignmentMemory {
    /// Encoder vectors and projected vectors, oldest first.
    vectors: Option<[Tensor; 2]>,
}

impl AlignmentMemory {
    /// Takes in a batch, `[rows, encoder width]` and `[rows, reader width]`, and keeps the newest `capacity` vectors.
    pub fn push(&mut self, encoder: &Tensor, projected: &Tensor, capacity: usize) -> Result<()> {
        if capacity == 0 {
            self.vectors = None;
            return Ok(());
        }
        let newest = |earlier: Option<&Tensor>, batch: &Tensor| {
            let batch = batch.detach();
            let all = match earlier {
                Some(earlier) => Tensor::cat(&[earlier, &batch], 0)?,
                None => batch,
            };
            let rows = all.dim(0)?;
            all.narrow(0, rows.saturating_sub(capacity), rows.min(capacity))?
                .contiguous()
        };
        let earlier = self.vectors.as_ref();
        self.vectors = Some([
            newest(earlier.map(|both| &both[0]), encoder)?,
            newest(earlier.map(|both| &both[1]), projected)?,
        ]);
        Ok(())
    }

    /// What it holds by name, for a checkpoint; nothing when it is empty.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let named = |both: &[Tensor; 2]| STATE.map(str::to_owned).into_iter().zip(both.clone()).collect();
        self.vectors.as_ref().map(named).unwrap_or_default()
    }

    /// Takes back what [`Self::state`] gave; it is empty afterwards when the tensors are not there.
    pub fn load_state(&mut self, tensors: &HashMap<String, Tensor>) {
        let [encoder, projected] = STATE.map(|name| tensors.get(name).cloned());
        self.vectors = encoder.zip(projected).map(|(encoder, projected)| [encoder, projected]);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use candle_core::{Device, Tensor, Var};

    use super::*;

    type Form = fn(&CosineDifference) -> Result<Tensor>;
    const FORMS: [Form; 3] = [
        CosineDifference::frobenius,
        CosineDifference::mean_square,
        CosineDifference::mean_square_all,
    ];

    fn rows(offset: usize, rows: usize, width: usize) -> Tensor {
        let values: Vec<f64> = (0..rows * width)
            .map(|i| ((i * 7 + offset * 13) as f64 * 0.61).sin())
            .collect();
        Tensor::from_vec(values, (rows, width), &Device::Cpu).unwrap()
    }

    fn memory(rows_of: usize) -> AlignmentMemory {
        let mut memory = AlignmentMemory::default();
        memory.push(&rows(5, rows_of, 5), &rows(6, rows_of, 3), 64).unwrap();
        memory
    }

    fn loss(form: Form, encoder: &Tensor, projected: &Tensor, memory: &AlignmentMemory) -> Tensor {
        form(&CosineDifference::new(encoder, projected, memory).unwrap()).unwrap()
    }

    fn value(loss: &Tensor) -> f64 {
        loss.to_scalar().unwrap()
    }

    #[test]
    fn gradients_equal_finite_differences_with_and_without_memory() {
        let encoder = rows(1, 4, 5);
        let start = rows(2, 4, 3).flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let at = |values: Vec<f64>| Tensor::from_vec(values, (4, 3), &Device::Cpu).unwrap();
        for memory in [AlignmentMemory::default(), memory(6)] {
            for form in FORMS {
                let projected = Var::from_tensor(&at(start.clone())).unwrap();
                let gradients = loss(form, &encoder, &projected, &memory).backward().unwrap();
                let gradient = gradients.get(&projected).unwrap().flatten_all().unwrap();
                let gradient = gradient.to_vec1::<f64>().unwrap();
                for (i, analytic) in gradient.iter().enumerate() {
                    let at_change = |change: f64| {
                        let mut values = start.clone();
                        values[i] += change;
                        value(&loss(form, &encoder, &at(values), &memory))
                    };
                    let numeric = (at_change(1e-5) - at_change(-1e-5)) / 2e-5;
                    assert!((analytic - numeric).abs() < 1e-7, "{analytic} against {numeric}");
                }
            }
        }
    }

    #[test]
    fn equal_geometry_has_no_loss_and_a_finite_gradient() {
        let encoder = rows(3, 4, 5).to_dtype(candle_core::DType::F32).unwrap();
        for form in FORMS {
            let projected = Var::from_tensor(&encoder).unwrap();
            let loss = loss(form, &encoder, &projected, &AlignmentMemory::default());
            assert!(loss.to_scalar::<f32>().unwrap() < 1e-6);
            let gradient = loss.backward().unwrap().get(&projected).unwrap().sqr().unwrap();
            assert!(gradient.sum_all().unwrap().to_scalar::<f32>().unwrap().is_finite());
        }
    }

    #[test]
    fn a_row_of_zeros_has_a_finite_gradient() {
        let encoder = rows(3, 2, 5);
        let projected = Var::from_tensor(&rows(4, 2, 5).affine(0.0, 0.0).unwrap()).unwrap();
        for form in FORMS {
            let loss = loss(form, &encoder, &projected, &AlignmentMemory::default());
            let gradients = loss.backward().unwrap();
            let gradient = gradients.get(&projected).unwrap().sqr().unwrap().sum_all().unwrap();
            assert!(gradient.to_scalar::<f64>().unwrap().is_finite());
        }
    }

    #[test]
    fn one_row_has_no_pairs() {
        let (encoder, projected) = (rows(1, 1, 5), rows(2, 1, 3));
        let alone = AlignmentMemory::default();
        assert_eq!(
            value(&loss(CosineDifference::mean_square, &encoder, &projected, &alone)),
            0.0
        );
        assert!(value(&loss(CosineDifference::mean_square, &encoder, &projected, &memory(3))) > 0.0);
    }

    #[test]
    fn memory_adds_the_pairs_of_the_batch_with_it_and_no_others() {
        let (encoder, projected) = (rows(1, 4, 5), rows(2, 4, 3));
        let memory = memory(6);
        let [earlier, earlier_projected] = memory.vectors.as_ref().unwrap();
        let all = Tensor::cat(&[&encoder, earlier], 0).unwrap();
        let all_projected = Tensor::cat(&[&projected, earlier_projected], 0).unwrap();
        let sum = |encoder: &Tensor, projected: &Tensor| {
            let all = loss(
                CosineDifference::mean_square_all,
                encoder,
                projected,
                &AlignmentMemory::default(),
            );
            value(&all) * encoder.dim(0).unwrap().pow(2) as f64
        };
        // Pairs among all, less those among the earlier, hold every pair of batch and memory twice.
        let batch = sum(&encoder, &projected);
        let both = sum(&all, &all_projected) - sum(earlier, earlier_projected) - batch;
        let expected = (batch + both / 2.0) / (4.0 * 3.0 + 4.0 * 6.0);
        let found = value(&loss(CosineDifference::mean_square, &encoder, &projected, &memory));
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn the_newest_vectors_are_kept_and_survive_a_checkpoint() {
        let mut memory = AlignmentMemory::default();
        for batch in 0..4 {
            memory.push(&rows(batch, 3, 5), &rows(batch, 3, 2), 5).unwrap();
        }
        let state: HashMap<_, _> = memory.state().into_iter().collect();
        let expected = Tensor::cat(&[rows(2, 3, 5).narrow(0, 1, 2).unwrap(), rows(3, 3, 5)], 0).unwrap();
        let numbers = |tensor: &Tensor| tensor.to_vec2::<f64>().unwrap();
        assert_eq!(numbers(&state["memory.encoder"]), numbers(&expected));
        let mut again = AlignmentMemory::default();
        again.load_state(&state);
        assert_eq!(numbers(&again.state()[1].1), numbers(&memory.state()[1].1));
        memory.push(&rows(4, 3, 5), &rows(4, 3, 2), 0).unwrap();
        assert!(memory.state().is_empty());
    }
}
