//! How the chunks of every file are clipped to their budget of tokens, kept on disk by the content of the files: tokenising a
//! repository takes longer than reading it.
//!
//! The vectors themselves lie in the caches of vectors, by text.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::corpus::{Chunk, SourceFile};
use crate::engine::{EngineError, IndexCounts};
use crate::models::ModelError;
use crate::models::digest::hexadecimal;
use crate::prompt::PromptBuilder;

/// Changes when the file means something else.
const FORMAT: u32 = 1;

/// Files that are cut between two looks at whether to go on.
const BLOCK: usize = 64;

/// A file of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileWindows {
    /// Of its text.
    sha256: String,
    /// Bytes of each chunk that are kept; 0 for a blank window, and where what is kept is no beginning of the chunk.
    kept: Vec<u32>,
}

/// The files of a repository under one way of cutting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Windows {
    format: u32,
    /// Everything that decides the numbers besides the files: lines, tokens, tokenizer.
    cutting: String,
    lines: usize,
    files: BTreeMap<String, FileWindows>,
}

impl Windows {
    /// What was kept at `place`; nothing when there is no such file, when it is torn, or when it was cut in another way.
    pub fn load(place: &Path, cutting: &str) -> Option<Self> {
        let content = std::fs::read_to_string(place).ok()?;
        let (sum, json) = content.split_once('\n')?;
        if hexadecimal(Sha256::new_with_prefix(json)) != sum {
            return None;
        }
        let windows: Self = serde_json::from_str(json).ok()?;
        (windows.format == FORMAT && windows.cutting == cutting).then_some(windows)
    }

    /// Writes them, so that a reader finds the old file or the new one.
    pub fn save(&self, place: &Path) -> Result<(), ModelError> {
        let folder = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(ModelError::write(folder))?;
        let json = serde_json::to_string(self).map_err(|error| ModelError::write(place)(error.into()))?;
        let content = format!("{}\n{json}", hexadecimal(Sha256::new_with_prefix(&json)));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(ModelError::write(folder))?;
        std::fs::write(file.path(), content).map_err(ModelError::write(file.path()))?;
        file.as_file().sync_all().map_err(ModelError::write(file.path()))?;
        let kept = file.persist(place);
        kept.map_err(|error| ModelError::write(place)(error.error))?;
        Ok(())
    }

    /// The windows of these files: those of a content that `known` has are taken from there, the others are cut. The counts tell
    /// what has changed since.
    pub fn cut(
        files: &[SourceFile],
        (cutting, lines): (&str, usize),
        known: Option<&Self>,
        prompts: &PromptBuilder<'_>,
        counts: &mut IndexCounts,
        goes_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Self, EngineError> {
        let before = known.map(|known| &known.files);
        let hash = |file: &SourceFile| hexadecimal(Sha256::new_with_prefix(&file.text));
        let sums: Vec<String> = files.par_iter().map(hash).collect();
        let by_content: HashMap<&str, &FileWindows> = before
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|windows| (windows.sha256.as_str(), windows))
            .collect();
        let mut all = BTreeMap::new();
        let mut new = Vec::new();
        for (file, sha256) in files.iter().zip(sums) {
            match before.and_then(|before| before.get(&file.path)) {
                Some(old) if old.sha256 == sha256 => counts.unchanged += 1,
                Some(_) => counts.changed += 1,
                None => counts.added += 1,
            }
            match by_content.get(sha256.as_str()) {
                Some(windows) => {
                    all.insert(file.path.clone(), (*windows).clone());
                }
                None => new.push((file, sha256)),
            }
        }
        counts.deleted = before.map_or(0, |before| {
            let gone = |path: &&String| files.binary_search_by(|file| file.path.as_str().cmp(path)).is_err();
            before.keys().filter(gone).count()
        });
        for (index, block) in new.chunks(BLOCK).enumerate() {
            if !goes_on(index * BLOCK, new.len()) {
                return Err(EngineError::Cancelled);
            }
            let cut = |(file, sha256): &(&SourceFile, String)| -> Result<(String, FileWindows), ModelError> {
                let sha256 = sha256.clone();
                let kept = kept_of(&file.text, lines, prompts)?;
                Ok((file.path.clone(), FileWindows { sha256, kept }))
            };
            let cut: Vec<(String, FileWindows)> = block.par_iter().map(cut).collect::<Result<_, _>>()?;
            all.extend(cut);
        }
        Ok(Self {
            format: FORMAT,
            cutting: cutting.to_owned(),
            lines,
            files: all,
        })
    }

    /// The text of a chunk, clipped to its budget.
    pub fn clipped(&self, chunk: &Chunk, prompts: &PromptBuilder<'_>) -> Result<String, ModelError> {
        let window = chunk.first_line.saturating_sub(1) / self.lines.max(1);
        let windows = self.files.get(&chunk.path);
        let kept = windows.and_then(|windows| windows.kept.get(window)).copied();
        match chunk.text.get(..kept.unwrap_or_default() as usize) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Ok(prompts.clip(&chunk.text)?.1.unwrap_or_else(|| chunk.text.clone())),
        }
    }
}

/// Bytes of each window of a text that are kept, see [`FileWindows::kept`].
fn kept_of(text: &str, lines: usize, prompts: &PromptBuilder<'_>) -> Result<Vec<u32>, ModelError> {
    let all: Vec<&str> = text.lines().collect();
    let kept = all.chunks(lines.max(1)).map(|window| {
        let chunk = window.join("\n");
        let chunk = chunk.trim_end();
        Ok(match prompts.clip(chunk)?.1 {
            None => chunk.len(),
            Some(clipped) if chunk.starts_with(&clipped) => clipped.len(),
            Some(_) => 0,
        } as u32)
    });
    kept.collect()
}
