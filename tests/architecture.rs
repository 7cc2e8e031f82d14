//! Holds the table of `src/lib.rs`: who may import whom, and where candle and egui may be.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::{Path, PathBuf};

/// Modules in the order of the data; each may import those before it.
const ORDER: [&str; 13] = [
    "experiment",
    "corpus",
    "retrieval",
    "models",
    "projector",
    "prompt",
    "collapse",
    "evaluation",
    "training",
    "runs",
    "engine",
    "app",
    "cli",
];

/// The panels read the state and the application shows the panels: the one pair that knows each other.
const PAIRS: [(&str, &str); 2] = [("app", "ui"), ("ui", "app")];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path());
    entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    files(&root)
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            let module = inside
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (inside.components().count() > 1).then_some((module, path, text))
        })
        .collect()
}

/// Every `crate::module` that a text names.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let names = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1));
    names.map(|rest| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    })
}

fn place(module: &str) -> usize {
    let module = if module == "ui" { "app" } else { module };
    ORDER
        .iter()
        .position(|name| *name == module)
        .unwrap_or_else(|| panic!("src/{module} is not in the table"))
}

#[test]
fn modules_import_only_what_stands_before_them() {
    for (module, path, text) in sources() {
        for import in imports(&text) {
            let known = import == module || PAIRS.contains(&(module.as_str(), import));
            assert!(
                known || place(import) < place(&module),
                "{}: {module} may not import {import}",
                path.display()
            );
        }
    }
}

#[test]
fn candle_and_egui_stay_where_they_belong() {
    let without_candle = [
        "experiment",
        "corpus",
        "retrieval",
        "collapse",
        "runs",
        "app",
        "ui",
        "cli",
    ];
    let with_egui = ["app", "ui"];
    for (module, path, text) in sources() {
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        let candle = code.contains("candle_");
        assert!(
            !candle || !without_candle.contains(&module.as_str()),
            "{} uses candle",
            path.display()
        );
        let egui = ["egui::", "egui_plot", "eframe::"]
            .iter()
            .any(|name| code.contains(name));
        assert!(
            !egui || with_egui.contains(&module.as_str()),
            "{} uses egui",
            path.display()
        );
    }
}

#[test]
fn every_colour_is_a_design_token() {
    for (_, path, text) in sources() {
        let theme = path.file_name().is_some_and(|name| name == "theme.rs")
            || path.parent().is_some_and(|p| p.ends_with("theme"));
        let literal = [
            "Color32::from_rgb",
            "Color32::from_rgba",
            "Color32::from_gray",
            "Color32::WHITE",
            "Color32::BLACK",
        ];
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found = literal.iter().find(|name| shipped.contains(**name));
        assert!(
            theme || found.is_none(),
            "{} names a colour with {found:?}: put it into the theme",
            path.display()
        );
    }
}

#[test]
fn a_file_does_one_thing() {
    for (_, path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_readme_says_what_ci_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let ci = std::fs::read_to_string(root.join(".ci/run")).unwrap();
    let commands = ci
        .lines()
        .skip_while(|line| !line.contains("README's test command"))
        .skip(1)
        .map(str::trim);
    let commands: Vec<&str> = commands.filter(|line| !line.is_empty()).collect();
    assert!(!commands.is_empty());
    for command in commands {
        assert!(readme.contains(command), "the README does not say {command:?}");
    }
}
