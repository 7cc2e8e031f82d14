//! Chunks: the unit that is retrieved, encoded and compressed.

use serde::{Deserialize, Serialize};

use super::{Repository, SourceFile};

/// Consecutive lines of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Name of the repository.
    pub repository: String,
    /// Path inside the repository.
    pub path: String,
    /// First line, from 1.
    pub first_line: usize,
    /// The lines, joined by `\n`, blank ones at the end taken off.
    pub text: String,
}

/// Where a chunk lies; its text follows from it, but for what a token budget clipped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChunkPlace {
    /// Name of the repository.
    pub repository: String,
    /// Path inside the repository.
    pub path: String,
    /// First line, from 1.
    pub first_line: usize,
}

impl Chunk {
    /// Where it lies.
    pub fn place(&self) -> ChunkPlace {
        ChunkPlace {
            repository: self.repository.clone(),
            path: self.path.clone(),
            first_line: self.first_line,
        }
    }

    /// Whether it lies there.
    pub fn is_at(&self, place: &ChunkPlace) -> bool {
        (&self.repository, &self.path, self.first_line) == (&place.repository, &place.path, place.first_line)
    }
}

/// Cuts every file into windows of `lines` lines that do not overlap, in file order; blank windows are left out.
pub fn chunks(repository: &Repository, lines: usize) -> Vec<Chunk> {
    let size = lines.max(1);
    repository
        .files
        .iter()
        .flat_map(|file| chunks_of(&repository.name, file, size))
        .collect()
}

fn chunks_of(repository: &str, file: &SourceFile, size: usize) -> Vec<Chunk> {
    let lines: Vec<&str> = file.text.lines().collect();
    lines
        .chunks(size)
        .enumerate()
        .map(|(index, window)| Chunk {
            repository: repository.to_owned(),
            path: file.path.clone(),
            first_line: index * size + 1,
            text: window.join("\n").trim_end().to_owned(),
        })
        .filter(|chunk| !chunk.text.is_empty())
        .collect()
}
