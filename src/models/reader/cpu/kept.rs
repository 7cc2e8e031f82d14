//! Contexts that stand apart: their keys and values are computed once and kept, in memory and on disk.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use half::f16;
use half::slice::HalfFloatSliceExt;
use half::vec::HalfBitsVecExt;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};

use super::elementwise::Rotation;
use super::layer::Sizes;

/// Bytes of contexts held in memory; the least recently used go first.
const MEMORY: usize = 256 << 20;

/// Bytes of contexts held on disk, checked when a folder is opened; the oldest go first.
const DISK: u64 = 6 << 30;

/// Continued contexts held in memory.
const CONTINUED: usize = 8;

/// Keys and values of tokens that stand at the positions from 0 on and see each other alone.
pub struct KeptContext {
    tokens: usize,
    row: usize,
    kv_heads: usize,
    head_dim: usize,
    theta: f64,
    values: Values,
}

/// `[layers, tokens, keys | values]`.
enum Values {
    Full(Vec<f32>),
    Half(Vec<f16>),
}

impl KeptContext {
    /// Positions that it takes.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    fn bytes(&self) -> usize {
        match &self.values {
            Values::Full(values) => values.len() * 4,
            Values::Half(values) => values.len() * 2,
        }
    }
}

/// A kept context at a position of a prompt.
pub struct PlacedContext {
    context: Arc<KeptContext>,
    /// By the distance from where it was computed: rotary positions add up.
    rotation: Option<Rotation>,
}

impl PlacedContext {
    /// With its first token at `position`.
    pub fn new(context: Arc<KeptContext>, position: usize) -> Self {
        let positions = std::iter::repeat_n(position, context.tokens);
        let rotation = (position > 0).then(|| Rotation::new(positions, context.head_dim, context.theta));
        Self { context, rotation }
    }

    /// Positions that it takes.
    pub fn tokens(&self) -> usize {
        self.context.tokens
    }

    /// Writes the rows `[keys | values]` of a layer.
    pub fn rows(&self, layer: usize, rows: &mut [f32]) {
        let context = &self.context;
        let of_layer = layer * context.tokens * context.row..(layer + 1) * context.tokens * context.row;
        match &context.values {
            Values::Full(values) => rows.copy_from_slice(&values[of_layer]),
            Values::Half(values) => values[of_layer].convert_to_f32_slice(rows),
        }
        if let Some(rotation) = &self.rotation {
            rotation.apply(rows, context.row, context.kv_heads, false);
        }
    }
}

/// The contexts that a reader keeps, by their tokens.
pub struct ContextStore {
    sizes: Sizes,
    layers: usize,
    theta: f64,
    folder: Option<PathBuf>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    contexts: HashMap<Vec<u32>, (Arc<KeptContext>, u64)>,
    /// The last contexts that were continued from another one, newest last: what a person types.
    continued: Vec<(Vec<u32>, Arc<KeptContext>)>,
    bytes: usize,
    uses: u64,
}

impl ContextStore {
    /// A store in memory alone, exact to the last bit.
    pub fn new(sizes: Sizes, layers: usize, theta: f64) -> Self {
        Self {
            sizes,
            layers,
            theta,
            folder: None,
            memory: Mutex::default(),
        }
    }

    /// Keeps contexts in a folder from here on. All are rounded to f16, so that a value does not depend on where it came from.
    pub fn keep_in(&mut self, folder: &Path) {
        prune(folder);
        self.folder = Some(folder.to_owned());
        self.memory = Mutex::default();
    }

    /// The context of these tokens, if it is kept.
    pub fn get(&self, tokens: &[u32]) -> Option<Arc<KeptContext>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.uses += 1;
        let now = memory.uses;
        if let Some((context, used)) = memory.contexts.get_mut(tokens) {
            *used = now;
            return Some(Arc::clone(context));
        }
        let bytes = std::fs::read(self.file(tokens)?).ok()?;
        let file = SafeTensors::deserialize(&bytes).ok()?;
        let view = file.tensor("rows").ok()?;
        let expected = [self.layers, tokens.len(), 2 * self.sizes.key_width()];
        if view.shape() != expected || view.dtype() != Dtype::F16 {
            return None;
        }
        let bits: Vec<u16> = view
            .data()
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let context = self.context(tokens, Values::Half(bits.reinterpret_into()));
        memory.hold(tokens, &context);
        Some(context)
    }

    /// The kept context that begins most like `tokens`, and how many tokens it shares with them.
    pub fn beginning(&self, tokens: &[u32]) -> Option<(Arc<KeptContext>, usize)> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = memory.contexts.iter().map(|(tokens, (context, _))| (tokens, context));
        let continued = memory.continued.iter().map(|(tokens, context)| (tokens, context));
        let shared = |other: &[u32]| tokens.iter().zip(other).take_while(|(a, b)| a == b).count();
        let best = kept.chain(continued).map(|(other, context)| (context, shared(other)));
        let (context, shared) = best.max_by_key(|(_, shared)| *shared)?;
        (shared > 0).then(|| (Arc::clone(context), shared))
    }

    /// Keeps a context that was continued from another one, in memory alone: it is right up to rounding, and so serves only a
    /// person who types.
    pub fn put_continued(&self, tokens: &[u32], rows: Vec<f32>) -> Arc<KeptContext> {
        let context = self.context(tokens, Values::Full(rows));
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.continued.len() >= CONTINUED {
            memory.continued.remove(0);
        }
        memory.continued.push((tokens.to_vec(), Arc::clone(&context)));
        context
    }

    /// Keeps what was computed for tokens: rows `[keys | values]` of every layer, one layer after the other.
    pub fn put(&self, tokens: &[u32], rows: Vec<f32>) -> Arc<KeptContext> {
        let Some(file) = self.file(tokens) else {
            let context = self.context(tokens, Values::Full(rows));
            self.hold(tokens, &context);
            return context;
        };
        let mut half = vec![f16::ZERO; rows.len()];
        half.convert_from_f32_slice(&rows);
        // A context that cannot be written is computed again when it is needed again: nothing is lost.
        write(&file, &half, [self.layers, tokens.len(), 2 * self.sizes.key_width()]).ok();
        let context = self.context(tokens, Values::Half(half));
        self.hold(tokens, &context);
        context
    }

    fn hold(&self, tokens: &[u32], context: &Arc<KeptContext>) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.hold(tokens, context);
    }

    fn context(&self, tokens: &[u32], values: Values) -> Arc<KeptContext> {
        Arc::new(KeptContext {
            tokens: tokens.len(),
            row: 2 * self.sizes.key_width(),
            kv_heads: self.sizes.shape.kv_heads,
            head_dim: self.sizes.shape.width,
            theta: self.theta,
            values,
        })
    }

    fn file(&self, tokens: &[u32]) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let mut hash = Sha256::new();
        for token in tokens {
            hash.update(token.to_le_bytes());
        }
        let name: String = hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(folder.join(name).with_extension("safetensors"))
    }
}

impl Memory {
    fn hold(&mut self, tokens: &[u32], context: &Arc<KeptContext>) {
        self.uses += 1;
        let held = (Arc::clone(context), self.uses);
        self.bytes += context.bytes();
        if let Some((before, _)) = self.contexts.insert(tokens.to_vec(), held) {
            self.bytes -= before.bytes();
        }
        while self.bytes > MEMORY && self.contexts.len() > 1 {
            let oldest = self.contexts.iter().min_by_key(|(_, (_, used))| *used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some((gone, _)) = self.contexts.remove(&key) {
                self.bytes -= gone.bytes();
            }
        }
    }
}

/// Writes rows to a temporary name first: a reader never sees half a file.
fn write(file: &Path, rows: &[f16], shape: [usize; 3]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F16, shape.to_vec(), &bytes).map_err(std::io::Error::other)?;
    let whole = safetensors::serialize([("rows", view)], None).map_err(std::io::Error::other)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&whole)?;
    temporary.persist(file)?;
    Ok(())
}

/// Removes the oldest files of a folder until the rest fit into [`DISK`].
fn prune(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let facts = entry.metadata().ok()?;
            Some((facts.modified().ok()?, facts.len(), entry.path()))
        })
        .collect();
    files.sort();
    let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
    for (_, length, path) in files {
        if bytes <= DISK {
            break;
        }
        if std::fs::remove_file(path).is_ok() {
            bytes -= length;
        }
    }
}
