//! The matrices that the instruments look at.

use nalgebra::DMatrix;

/// Vectors of one kind, one a row: at least two, all values finite.
#[derive(Clone, Copy, Debug)]
pub struct Vectors<'a> {
    rows: usize,
    width: usize,
    values: Values<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    Single(&'a [f32]),
    Double(&'a [f64]),
}

/// Why values are no matrix that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorsError {
    /// The instruments compare vectors, so there must be two.
    #[error("{rows} vectors of width {width} cannot be compared; give at least 2 vectors of width 1")]
    TooFew {
        /// Rows given.
        rows: usize,
        /// Width given.
        width: usize,
    },
    /// The number of values is not rows times width.
    #[error("{found} values are not {rows} vectors of width {width}")]
    Shape {
        /// Rows given.
        rows: usize,
        /// Width given.
        width: usize,
        /// Values given.
        found: usize,
    },
    /// A value is infinite or not a number, as after a training that diverged.
    #[error("vector {row} holds a value that is not finite; the training diverged, lower the learning rate")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
}

impl<'a> Vectors<'a> {
    /// Checks and wraps `values`, `[rows, width]` row-major.
    pub fn new(rows: usize, width: usize, values: &'a [f32]) -> Result<Self, VectorsError> {
        let not_finite = values.iter().position(|value| !value.is_finite());
        Self::checked(rows, width, Values::Single(values), values.len(), not_finite)
    }

    /// Like [`Vectors::new`], for reference values in double precision.
    pub fn from_f64(rows: usize, width: usize, values: &'a [f64]) -> Result<Self, VectorsError> {
        let not_finite = values.iter().position(|value| !value.is_finite());
        Self::checked(rows, width, Values::Double(values), values.len(), not_finite)
    }

    fn checked(
        rows: usize,
        width: usize,
        values: Values<'a>,
        found: usize,
        not_finite: Option<usize>,
    ) -> Result<Self, VectorsError> {
        if rows < 2 || width == 0 {
            return Err(VectorsError::TooFew { rows, width });
        }
        if rows.checked_mul(width) != Some(found) {
            return Err(VectorsError::Shape { rows, width, found });
        }
        match not_finite {
            Some(at) => Err(VectorsError::NotFinite { row: at / width }),
            None => Ok(Self { rows, width, values }),
        }
    }

    /// Number of vectors.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of each vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The first `rows` of them, or all when there are no more.
    pub(super) fn first(&self, rows: usize) -> Self {
        let rows = rows.min(self.rows);
        let end = rows * self.width;
        let values = match self.values {
            Values::Single(values) => Values::Single(values.get(..end).unwrap_or(values)),
            Values::Double(values) => Values::Double(values.get(..end).unwrap_or(values)),
        };
        Self { rows, values, ..*self }
    }

    /// `[rows, width]` in double precision.
    pub(super) fn matrix(&self) -> DMatrix<f64> {
        match self.values {
            Values::Single(values) => {
                DMatrix::from_row_iterator(self.rows, self.width, values.iter().map(|value| f64::from(*value)))
            }
            Values::Double(values) => DMatrix::from_row_iterator(self.rows, self.width, values.iter().copied()),
        }
    }
}

/// Rows divided by their norms; a zero row stays zero, and so has cosine 0 with everything.
pub(super) fn unit_rows(mut matrix: DMatrix<f64>) -> DMatrix<f64> {
    for mut row in matrix.row_iter_mut() {
        let norm = row.norm();
        if norm > 0.0 {
            row /= norm;
        }
    }
    matrix
}

/// Rows minus the mean row.
pub(super) fn centred_rows(mut matrix: DMatrix<f64>) -> DMatrix<f64> {
    let mean = matrix.row_mean();
    for mut row in matrix.row_iter_mut() {
        row -= &mean;
    }
    matrix
}

/// Inner products of the rows, `[rows, rows]`; symmetric to the last bit, which a matrix product alone is not.
pub(super) fn gram(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let mut products = matrix * matrix.transpose();
    products.fill_lower_triangle_with_upper_triangle();
    products
}
