//! Expressions as chains of names: as much of an expression as says what it holds.

use tree_sitter::Node;

use super::facts::{Expression, Segment};

/// `a or (b if c else d)`: deeper alternatives are not looked at.
const ALTERNATIVES: usize = 4;

/// The text of a node.
pub(super) fn text<'t>(node: Node<'_>, source: &'t str) -> &'t str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// A chain of names, attributes and calls; none for anything else.
pub(super) fn chain(node: Node<'_>, source: &str) -> Option<Expression> {
    let mut segments = Vec::new();
    let (mut node, mut called) = (node, false);
    loop {
        match node.kind() {
            "identifier" => {
                let name = text(node, source).to_owned();
                segments.push(Segment { name, called });
                segments.reverse();
                return Some(segments);
            }
            "attribute" => {
                let name = text(node.child_by_field_name("attribute")?, source).to_owned();
                segments.push(Segment { name, called });
                called = false;
                node = node.child_by_field_name("object")?;
            }
            "call" if !called => {
                called = true;
                node = node.child_by_field_name("function")?;
            }
            "await" | "parenthesized_expression" => node = node.named_child(0)?,
            _ => return None,
        }
    }
}

/// What an expression may hold: the chain that it is, or those of its alternatives.
pub(super) fn values(node: Node<'_>, source: &str) -> Vec<Expression> {
    let mut found = Vec::new();
    let mut open = vec![(node, 0)];
    while let Some((node, depth)) = open.pop() {
        match node.kind() {
            "boolean_operator" | "conditional_expression" | "parenthesized_expression" if depth < ALTERNATIVES => {
                let mut cursor = node.walk();
                let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
                open.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
            }
            _ => found.extend(chain(node, source)),
        }
    }
    found
}

/// The classes that a type annotation names, as instances: `Optional["a.B"]` gives `Optional()` and `a.B()`.
pub(super) fn annotation(text: &str) -> Vec<Expression> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
        .map(|dotted| dotted.trim_matches('.'))
        .filter(|dotted| !dotted.is_empty())
        .map(|dotted| {
            let mut segments: Expression = dotted
                .split('.')
                .map(|name| Segment {
                    name: name.to_owned(),
                    called: false,
                })
                .collect();
            if let Some(last) = segments.last_mut() {
                last.called = true;
            }
            segments
        })
        .collect()
}

/// The chain that ends right before the dot at the end of `left`; none where it hangs on something else.
pub(super) fn chain_before_dot(left: &str) -> Option<Expression> {
    let mut segments = Vec::new();
    let mut rest = left;
    while let Some(before) = rest.strip_suffix('.') {
        let mut before = before.trim_end();
        let called = before.ends_with(')');
        if called {
            before = before.get(..opening(before)?)?;
        }
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| c.is_alphanumeric() || *c == '_')
            .last()?
            .0;
        let (outside, name) = before.split_at(start);
        segments.push(Segment {
            name: name.to_owned(),
            called,
        });
        rest = outside;
    }
    segments.reverse();
    (!segments.is_empty()).then_some(segments)
}

/// Offset of the bracket that the closing one at the end of `text` belongs to.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
