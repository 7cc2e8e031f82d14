//! Definitions: the names that a file of a repository gives to the others.

use super::python::{Name, scan};
use super::{Repository, SourceFile};

/// Shorter names say too little about where they come from.
const MIN_NAME: usize = 5;

/// A function, method, class or module constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name, at least five characters.
    pub name: String,
    /// Path of the file that defines it.
    pub path: String,
    /// Line of the name, from 1.
    pub line: usize,
}

/// All definitions of a repository, in file order. Names like `__init__` belong to the language and are left out.
pub fn definitions(repository: &Repository) -> Vec<Definition> {
    repository.files.iter().flat_map(definitions_of).collect()
}

fn definitions_of(file: &SourceFile) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut keyword = false;
    for name in scan(&file.text).names {
        let defines = keyword || is_constant(&file.text, name);
        if defines && name.text.chars().count() >= MIN_NAME && !is_special(name.text) {
            found.push(Definition {
                name: name.text.to_owned(),
                path: file.path.clone(),
                line: name.line,
            });
        }
        keyword = matches!(name.text, "def" | "class");
    }
    found
}

/// `NAME = …` or `NAME: type = …` at the left edge of the file.
fn is_constant(text: &str, name: Name<'_>) -> bool {
    let (before, rest) = text.split_at(name.start);
    let behind = rest.trim_start_matches(name.text).trim_start();
    name.first
        && (before.is_empty() || before.ends_with('\n'))
        && name.text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.text.contains(|c: char| c.is_ascii_uppercase())
        && !name.text.contains(|c: char| c.is_ascii_lowercase())
        && (behind.starts_with(':') || behind.starts_with('=') && !behind.starts_with("=="))
}

fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_functions_methods_classes_and_constants() {
        let text = "\
'''def in_docstring(): pass'''
LIMIT_A = 3
LIMIT_B: int = 4
LIMIT_C == 5
Limited = 6
async def fetch_all(): pass
class Window(Base):
    INNER_LIMIT = 7
    def __init__(self): pass
    def resize(self): pass
    def cut(self): pass
";
        let repository = Repository {
            name: "demo".into(),
            files: vec![SourceFile {
                path: "a.py".into(),
                text: text.into(),
            }],
        };
        let found: Vec<_> = definitions(&repository)
            .into_iter()
            .map(|found| (found.name, found.line))
            .collect();
        let expected = [
            ("LIMIT_A", 2),
            ("LIMIT_B", 3),
            ("fetch_all", 6),
            ("Window", 7),
            ("resize", 10),
        ];
        assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
    }
}
