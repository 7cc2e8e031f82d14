//! Ways to lay vectors out for the eye: an order for heat maps, a plane for scatter plots.

use nalgebra::{DMatrix, SymmetricEigen};

use super::cosine::cosines;
use super::vectors::{Vectors, centred_rows};

/// An order of the rows that puts similar ones side by side: the leaves of average-linkage clustering by cosine.
///
/// Deterministic: of equally similar pairs, the one with the lower rows is merged first.
pub fn cluster_order(vectors: &Vectors) -> Vec<usize> {
    let mut similarity = cosines(vectors);
    let mut clusters: Vec<Vec<usize>> = (0..vectors.rows()).map(|row| vec![row]).collect();
    let mut alive: Vec<usize> = (0..vectors.rows()).collect();
    // Nearest-neighbour chain: follow the nearest neighbour until two clusters are each other's; it finds the same tree as the
    // greedy search in quadratic time.
    let mut chain: Vec<usize> = Vec::new();
    while alive.len() > 1 {
        let Some(&tip) = chain.last().or(alive.first()) else {
            break;
        };
        if chain.is_empty() {
            chain.push(tip);
        }
        let before = chain.len().checked_sub(2).and_then(|at| chain.get(at)).copied();
        let Some(near) = nearest_cluster(&similarity, &alive, tip, before) else {
            break;
        };
        if before != Some(near) {
            chain.push(near);
            continue;
        }
        chain.truncate(chain.len() - 2);
        let (keep, gone) = (tip.min(near), tip.max(near));
        merge(&mut similarity, &mut clusters, &alive, keep, gone);
        alive.retain(|cluster| *cluster != gone);
    }
    alive
        .first()
        .map(|root| std::mem::take(&mut clusters[*root]))
        .unwrap_or_default()
}

/// The cluster most similar to `tip`; at equal similarity `preferred`, so that a chain always ends.
fn nearest_cluster(similarity: &DMatrix<f64>, alive: &[usize], tip: usize, preferred: Option<usize>) -> Option<usize> {
    let mut best: Option<usize> = preferred;
    for &other in alive.iter().filter(|other| **other != tip) {
        if best.is_none_or(|best| similarity[(tip, other)] > similarity[(tip, best)]) {
            best = Some(other);
        }
    }
    best
}

fn merge(similarity: &mut DMatrix<f64>, clusters: &mut [Vec<usize>], alive: &[usize], keep: usize, gone: usize) {
    let (kept, added) = (clusters[keep].len() as f64, clusters[gone].len() as f64);
    for &other in alive {
        let average = (kept * similarity[(keep, other)] + added * similarity[(gone, other)]) / (kept + added);
        similarity[(keep, other)] = average;
        similarity[(other, keep)] = average;
    }
    let moved = std::mem::take(&mut clusters[gone]);
    clusters[keep].extend(moved);
}

/// The vectors in the plane of their first two principal components, one point a row; zeros where there is no second one.
///
/// Signs are fixed by making the point farthest from the origin positive on each axis.
pub fn pca_2d(vectors: &Vectors) -> Vec<[f64; 2]> {
    let matrix = centred_rows(vectors.matrix());
    let wide = matrix.nrows() <= matrix.ncols();
    let eigen = SymmetricEigen::new(if wide {
        &matrix * matrix.transpose()
    } else {
        matrix.tr_mul(&matrix)
    });
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|left, right| eigen.eigenvalues[*right].total_cmp(&eigen.eigenvalues[*left]));
    let mut points = vec![[0.0; 2]; vectors.rows()];
    for (axis, component) in order.into_iter().take(2).enumerate() {
        let direction = eigen.eigenvectors.column(component);
        let coordinates = if wide {
            direction * eigen.eigenvalues[component].max(0.0).sqrt()
        } else {
            &matrix * direction
        };
        let sign = coordinates[coordinates.iamax()].signum();
        for (point, coordinate) in points.iter_mut().zip(coordinates.iter()) {
            point[axis] = sign * coordinate;
        }
    }
    points
}
