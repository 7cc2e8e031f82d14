//! A syntax tree in a line, as UniXcoder was trained with (arXiv 2203.03850, section 3.1, and its preprocessing code): the tokens
//! of the code, with every inner node's type before and behind what it spans.

use tree_sitter::{Node, Parser};

use crate::models::ModelError;

/// A part of a tree in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A token of the vocabulary: `AST#type#Left` before the parts of a node, `AST#type#Right` behind them.
    Bracket(String),
    /// A piece of the code.
    Leaf(&'a str),
}

/// The tree of Python code in a line. Code that does not parse, as most chunks that begin inside a block, yields the nodes that
/// could be recognised.
///
/// Strings and comments are leaves, and a node with one child has no brackets, both as in the training of UniXcoder. That one
/// took comments out of the code, since it read them apart; here they stay, for a chunk may be nothing else.
pub fn linearised(code: &str) -> Result<Vec<Part<'_>>, ModelError> {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .map_err(|error| ModelError::Syntax(error.to_string()))?;
    let tree = parser
        .parse(code, None)
        .ok_or_else(|| ModelError::Syntax("the parser gave no tree".into()))?;
    let mut parts = Vec::new();
    let mut cursor = tree.walk();
    // Down to the leaves and back without recursion: generated code can be nested deeper than a stack is.
    'down: loop {
        let node = cursor.node();
        if is_leaf(&node) {
            let text = code.get(node.byte_range()).unwrap_or_default();
            // What the parser put in itself has no text.
            parts.extend((!text.trim().is_empty()).then_some(Part::Leaf(text)));
        } else {
            parts.extend(bracket(&node, "Left"));
            if cursor.goto_first_child() {
                continue;
            }
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                break 'down;
            }
            parts.extend(bracket(&cursor.node(), "Right"));
        }
    }
    Ok(parts)
}

fn is_leaf(node: &Node<'_>) -> bool {
    node.child_count() == 0 || node.kind() == "string" || node.kind().contains("comment")
}

fn bracket(node: &Node<'_>, side: &str) -> Option<Part<'static>> {
    let kind = node.kind().replace('#', "");
    (node.child_count() != 1).then(|| Part::Bracket(format!("AST#{kind}#{side}")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn line(code: &str) -> String {
        let parts = linearised(code).unwrap().into_iter().map(|part| match part {
            Part::Bracket(token) => token.replace("AST#", "").replace("#Left", "<").replace("#Right", ">"),
            Part::Leaf(text) => text.to_owned(),
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn inner_nodes_frame_their_tokens_unless_they_have_one_child() {
        assert_eq!(
            line("def add(a, b):\n    return a + b\n"),
            "function_definition< def add parameters< ( a , b ) parameters> : \
             return_statement< return binary_operator< a + b binary_operator> return_statement> function_definition>"
        );
        assert_eq!(
            linearised("x").unwrap(),
            [Part::Leaf("x")],
            "module, expression_statement and identifier are one token"
        );
    }

    #[test]
    fn strings_and_comments_stay_whole() {
        assert_eq!(
            line("name = \"a b {c}\"  # why not\n"),
            "module< assignment< name = \"a b {c}\" assignment> # why not module>"
        );
    }

    #[test]
    fn every_token_of_broken_code_is_kept_and_brackets_are_balanced() {
        for code in [
            "        return self.total)\n\n    def rest(self",
            "\"\"\"never closed",
            "",
            "\n \n",
            "class é(ñ): 数 = '日'",
        ] {
            let parts = linearised(code).unwrap();
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            let leaves: String = parts
                .iter()
                .map(|part| if let Part::Leaf(text) = part { text } else { "" })
                .collect();
            let kept = without_space(&leaves);
            assert!(
                without_space(code) == kept || code.contains("\"\"\""),
                "{code:?} gave {parts:?}"
            );
            let mut open: Vec<&str> = Vec::new();
            for part in &parts {
                let Part::Bracket(token) = part else { continue };
                match token.strip_suffix("#Left") {
                    Some(kind) => open.push(kind),
                    None => assert_eq!(open.pop(), token.strip_suffix("#Right")),
                }
            }
            assert!(open.is_empty(), "{code:?} leaves {open:?} open");
        }
    }

    #[test]
    fn deep_nesting_needs_no_deep_stack() {
        let code = format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000));
        assert!(linearised(&code).unwrap().len() > 20_000);
    }
}
