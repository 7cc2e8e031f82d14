//! `llavacode fetch` as a person runs it: against a hub on this machine, pip in many moods, and the wheels of the real store.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use llavacode::models::catalogue::{Source, Store, Wheel, entry};
use tempfile::TempDir;

#[path = "fetch/hub.rs"]
mod hub;
#[cfg(unix)]
#[path = "fetch/packages.rs"]
mod packages;
#[cfg(unix)]
#[path = "common/signal.rs"]
mod signal;

/// A store of its own for each test.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> Store {
        Store::open(Some(self.path())).unwrap()
    }

    /// `llavacode fetch` into this store, seeing no Hugging Face cache but an empty one.
    fn fetch(&self, ids: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llavacode"));
        command.arg("fetch").args(ids);
        command.env("LLAVACODE_CACHE", self.path());
        command.env("HF_HUB_CACHE", self.path().join("hub"));
        command.env_remove("HF_TOKEN");
        command
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The pinned wheels of a catalogue entry.
fn wheels(id: &str) -> Vec<Wheel> {
    match &entry(id).unwrap().source {
        Source::Wheel(model) => vec![model.wheel.clone()],
        Source::Wheels(packages) => packages.iter().map(|package| package.wheel.clone()).collect(),
        Source::Hub(_) => Vec::new(),
    }
}

#[test]
fn unknown_id_is_wrong_usage() {
    let output = Sandbox::new().fetch(&["no-such-model"]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(error(&output).contains("smollm2-135m-instruct"), "{}", error(&output));
}

#[test]
fn list_shows_the_catalogue_and_downloads_nothing() {
    let sandbox = Sandbox::new();
    let output = sandbox.fetch(&["--list"]).output().unwrap();
    assert_eq!(code(&output), 0);
    let text = String::from_utf8(output.stdout).unwrap();
    for words in ["python-packages", "Apache-2.0", "missing", "~3.10 GB"] {
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

#[test]
fn model_of_the_hugging_face_cache_is_used_where_it_lies() {
    let sandbox = Sandbox::new();
    let snapshot = sandbox
        .path()
        .join("hub/models--Qwen--Qwen2.5-Coder-0.5B/snapshots/abc");
    fs::create_dir_all(&snapshot).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::write(snapshot.join(file), file).unwrap();
    }
    let output = sandbox.fetch(&["qwen2.5-coder-0.5b"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", error(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains(snapshot.to_str().unwrap()));
}
