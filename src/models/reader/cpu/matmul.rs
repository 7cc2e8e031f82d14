//! Matrix products on slices with strides, in place: the one door to the `gemm` crate.

use gemm::Parallelism;

/// Columns, in units of gemm's six, up to which a product on one thread reads its left matrix where it lies. Packing it pays
/// off only past a few hundred: a training step of 206-row products is 4% faster than with gemm's own limit of 48.
const UNPACKED_COLUMNS: usize = 40;

/// Sets up gemm for the products of a reader.
pub fn prepare() {
    gemm::set_lhs_packing_threshold_single_thread(UNPACKED_COLUMNS);
}

/// A matrix inside a slice: element `(row, column)` stands at `row * row_stride + column * column_stride`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// Rows one after the other, `stride` apart.
    pub fn rows(values: &'a [f32], stride: usize) -> Self {
        Self {
            values,
            row_stride: stride,
            column_stride: 1,
        }
    }

    /// The transpose of the same matrix, without a copy.
    pub fn transposed(self) -> Self {
        Self {
            values: self.values,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// Elements that a `rows x columns` matrix reaches over.
    fn extent(&self, rows: usize, columns: usize) -> usize {
        if rows == 0 || columns == 0 {
            return 0;
        }
        (rows - 1) * self.row_stride + (columns - 1) * self.column_stride + 1
    }
}

/// How many threads one product may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// This one: the caller already works in parallel.
    One,
    /// All of the pool.
    All,
}

/// What becomes of the values that the destination holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Add,
}

/// `out[m, n] (+)= scale * left[m, k] * right[k, n]`; rows of `out` are `out_stride` apart.
///
/// # Panics
/// When a slice is shorter than the sizes say: a mistake in the reader, never in its input.
#[expect(
    clippy::too_many_arguments,
    reason = "the arguments of a matrix product are what they are"
)]
#[expect(
    unsafe_code,
    reason = "gemm takes raw pointers; every one is checked against its slice first"
)]
pub fn matmul(
    out: &mut [f32],
    out_stride: usize,
    into: Into,
    (m, n, k): (usize, usize, usize),
    left: View<'_>,
    right: View<'_>,
    scale: f32,
    threads: Threads,
) {
    if m == 0 || n == 0 {
        return;
    }
    let reach = (m - 1) * out_stride + n;
    assert!(n <= out_stride || m == 1, "rows of the product would overlap");
    assert!(
        reach <= out.len(),
        "the product of {m}x{n} does not fit into {} values",
        out.len()
    );
    assert!(
        left.extent(m, k) <= left.values.len(),
        "the left matrix is shorter than {m}x{k}"
    );
    assert!(
        right.extent(k, n) <= right.values.len(),
        "the right matrix is shorter than {k}x{n}"
    );
    let parallelism = match threads {
        Threads::One => Parallelism::None,
        Threads::All => Parallelism::Rayon(0),
    };
    // SAFETY: the assertions above keep every element that gemm touches inside its slice, `out` is borrowed mutably and
    // so overlaps neither input, and rows of `out` do not overlap each other.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            into == Into::Add,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}
