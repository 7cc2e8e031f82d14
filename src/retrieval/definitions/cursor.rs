//! What the text before a cursor tells about the name that comes next.

use std::collections::{BTreeSet, HashMap};

use super::expressions::chain_before_dot;
use super::facts::{Expression, FileFacts};
use super::habits::{Context, context, is_attribute};
use super::reading::read_file;
use crate::corpus::CompletionSample;
use crate::corpus::python::{Name, scan};

/// Words this far before the cursor say what the code there is about.
const NEAR: usize = 60;

/// What kind of thing the syntax before a cursor asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A class: an annotation, a base, the second argument of `isinstance`.
    Type,
    /// An exception.
    Error,
    /// A function that decorates.
    Decorator,
    /// Anything.
    Value,
}

/// The text before a cursor, read.
pub(super) struct Cursor<'a> {
    /// The whole statements before the cursor as facts.
    pub(super) facts: FileFacts,
    /// The cursor stands behind a dot.
    pub(super) attribute: bool,
    /// What the dot hangs on, where that is a chain of names.
    pub(super) receiver: Option<Expression>,
    /// Last words and signs.
    pub(super) context: Context,
    /// Index of the class around the cursor.
    pub(super) class: Option<usize>,
    /// Index of the function around the cursor.
    pub(super) function: Option<usize>,
    /// What kind of thing fits.
    pub(super) slot: Slot,
    /// How often each name was used outside of imports.
    pub(super) used: HashMap<&'a str, f64>,
    /// Names that have followed the same words before: after one, and after two.
    pub(super) followed: HashMap<&'a str, (f64, f64)>,
    /// Parts of the words near the cursor, in small letters, each with its nearness from 0 to 1.
    pub(super) near: HashMap<String, f64>,
}

impl<'a> Cursor<'a> {
    /// Reads what stands left of a sample's cursor.
    pub(super) fn read(sample: &'a CompletionSample) -> Self {
        let left = sample.left.as_str();
        let names = scan(left).names;
        // The statement that the cursor stands in is unfinished, and would keep the parser from the blocks around it.
        let unfinished = names.iter().rposition(|name| name.first);
        let start = unfinished
            .and_then(|index| names.get(index))
            .map_or(0, |name| name.start);
        let line = left.rfind('\n').map_or(0, |at| at + 1);
        let decorates = left.get(line..).is_some_and(|line| line.trim_start().starts_with('@'));
        let (whole, statement) = left.split_at(if decorates { start.max(line) } else { start });
        let facts = read_file(&sample.path, whole);
        let (class, function) = around(left, &names, &facts);
        let at_cursor = context(left, &names, names.len(), left.len());
        let mut read = Self {
            attribute: is_attribute(left, left.len()),
            receiver: chain_before_dot(left),
            context: at_cursor,
            class,
            function,
            slot: slot(statement),
            used: HashMap::new(),
            followed: HashMap::new(),
            near: HashMap::new(),
            facts,
        };
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.import) {
            *read.used.entry(name.text).or_default() += 1.0;
            let before = context(left, &names, index, name.start);
            if before.short == at_cursor.short {
                let followed = read.followed.entry(name.text).or_default();
                followed.0 += 1.0;
                followed.1 += f64::from(u8::from(before.long == at_cursor.long));
            }
        }
        for (ago, name) in names.iter().rev().filter(|name| !name.import).take(NEAR).enumerate() {
            let nearness = 1.0 - ago as f64 / NEAR as f64;
            for part in parts(name.text) {
                let near = read.near.entry(part).or_default();
                *near = near.max(nearness);
            }
        }
        read
    }
}

/// The class and the function around the end of a text, by the indentation of its statements.
fn around(text: &str, names: &[Name<'_>], facts: &FileFacts) -> (Option<usize>, Option<usize>) {
    let (mut class, mut function) = (None, None);
    let mut edge = usize::MAX;
    for (index, name) in names.iter().enumerate().rev().filter(|(_, name)| name.first) {
        let before = text.get(..name.start).unwrap_or_default();
        let column = name.start - before.rfind('\n').map_or(0, |at| at + 1);
        if column >= edge {
            continue;
        }
        // The first one is the unfinished statement itself.
        if edge != usize::MAX {
            let word = if name.text == "async" { index + 1 } else { index };
            let line = names.get(word + 1).map(|name| name.line);
            match names.get(word).map(|name| name.text) {
                Some("def") if function.is_none() && class.is_none() => {
                    function = facts.functions.iter().rposition(|one| Some(one.line) == line);
                }
                Some("class") if class.is_none() => {
                    class = facts.classes.iter().rposition(|one| Some(one.line) == line);
                }
                _ => {}
            }
        }
        edge = column;
        if edge == 0 {
            break;
        }
    }
    (class, function)
}

/// What the unfinished statement asks for next.
fn slot(statement: &str) -> Slot {
    let first = statement
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .find(|word| !word.is_empty());
    let end = statement.trim_end();
    let is_def = matches!(first, Some("def" | "async"));
    let after_name = first
        .and_then(|first| end.strip_prefix(first))
        .is_some_and(|rest| rest.trim_start().starts_with(':'));
    let annotates = match end.contains('=') {
        false => (is_def || after_name) && end.ends_with([':', '|', '[', ',']),
        true => is_def && end.ends_with([':', '|', '[']),
    };
    let names_class = first == Some("class") || end.ends_with("->") || in_call(end, &["isinstance", "issubclass"]);
    if end.starts_with('@') {
        Slot::Decorator
    } else if matches!(first, Some("raise" | "except")) {
        Slot::Error
    } else if names_class || annotates {
        Slot::Type
    } else {
        Slot::Value
    }
}

/// The text ends behind the first argument of a call of one of these, in a tuple there or not.
fn in_call(text: &str, functions: &[&str]) -> bool {
    let calls = |before: &str| functions.iter().any(|name| before.ends_with(name));
    let Some((before, inside)) = unclosed(text).map(|open| text.split_at(open)) else {
        return false;
    };
    let call = unclosed(before).and_then(|open| before.get(..open));
    calls(before) && inside.contains(',') || before.trim_end().ends_with(',') && call.is_some_and(calls)
}

/// Offset of the last bracket that is not closed.
fn unclosed(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth == 0 => return Some(at),
            b'(' | b'[' | b'{' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The parts of a name in small letters: `readHTTP_line2` gives `read`, `http` and `line2`.
pub(super) fn parts(name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut part = String::new();
    let mut small = false;
    for c in name.chars() {
        if c == '_' || c.is_uppercase() && small {
            found.insert(std::mem::take(&mut part));
        }
        if c != '_' {
            part.extend(c.to_lowercase());
        }
        small = c.is_lowercase();
    }
    found.insert(part);
    found.retain(|part| part.len() > 1);
    found
}
