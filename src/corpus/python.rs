//! Names in Python code: a scanner that knows strings, comments, statements and imports, and nothing more.

/// A word of the code, keywords included; words in strings and comments are not code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// The word.
    pub(crate) text: &'a str,
    /// Byte offset in the file.
    pub(crate) start: usize,
    /// Line, from 1.
    pub(crate) line: usize,
    /// First token of its statement.
    pub(crate) first: bool,
    /// Belongs to an import statement.
    pub(crate) import: bool,
}

/// What the scanner found in a file.
#[derive(Debug, Default)]
pub(crate) struct Scan<'a> {
    /// The names, in the order of the text.
    pub(crate) names: Vec<Name<'a>>,
    /// Lines with a comment, from 1, ascending.
    pub(crate) comment_lines: Vec<usize>,
}

/// Finds the names and comments of a file; broken code yields what could be recognised.
pub(crate) fn scan(text: &str) -> Scan<'_> {
    let bytes = text.as_bytes();
    let mut found = Scan::default();
    let (mut at, mut line, mut depth) = (0, 1, 0_usize);
    let (mut first, mut import) = (true, false);

    while let Some(&byte) = bytes.get(at) {
        let mut end = at + 1;
        match byte {
            b'\n' => {
                line += 1;
                // Inside brackets a statement goes on.
                if depth == 0 {
                    (first, import) = (true, false);
                }
            }
            b' ' | b'\t' | b'\x0c' => {}
            b'\\' => {
                if bytes.get(end) == Some(&b'\n') {
                    line += 1;
                    end += 1;
                }
            }
            b'#' => {
                found.comment_lines.push(line);
                end = at + run(bytes, at, |byte| byte != b'\n');
            }
            b'"' | b'\'' => {
                end = string_end(bytes, at, byte);
                line += bytes.iter().take(end).skip(at).filter(|&&byte| byte == b'\n').count();
                first = false;
            }
            _ if is_word(byte) => {
                end = at + run(bytes, at, is_word);
                if let Some(word) = text.get(at..end) {
                    import |= word == "import" || first && word == "from";
                    found.names.push(Name {
                        text: word,
                        start: at,
                        line,
                        first,
                        import,
                    });
                }
                first = false;
            }
            _ => {
                match byte {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                first = false;
            }
        }
        at = end;
    }
    found
}

/// Identifiers may hold any letter, so every byte of a non-ASCII character counts as one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).take_while(|&&byte| belongs(byte)).count()
}

/// Offset behind the string literal whose opening quote stands at `start`.
fn string_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let closes = |at: usize, count: usize| {
        bytes
            .get(at..at + count)
            .is_some_and(|run| run.iter().all(|&byte| byte == quote))
    };
    let width = if closes(start, 3) { 3 } else { 1 };
    let mut at = start + width;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if closes(at, width) => return at + width,
            // A quote that is not closed on its line is a mistake in the file; the next line is code again.
            b'\n' if width == 1 => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        scan(text).names.iter().map(|name| name.text).collect()
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        assert_eq!(words("alpha('beta', \"it's\") # gamma\ndelta"), ["alpha", "delta"]);
        assert_eq!(words("'''one\n\"two\" 'three'\n''' ; four"), ["four"]);
        assert_eq!(words(r"x = 'a\'b' + tail"), ["x", "tail"]);
        assert_eq!(words("x = '' + tail"), ["x", "tail"]);
        assert_eq!(words("broken = 'open\nnext_line"), ["broken", "next_line"]);
        assert_eq!(words("naïve = \"\"\"never closed"), ["naïve"]);
    }

    #[test]
    fn lines_count_through_strings_and_joined_lines() {
        let found = scan("a = '''\n\n''' # why\nb = 1 + \\\n    c\n");
        let lines: Vec<_> = found.names.iter().map(|name| (name.text, name.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 4), ("1", 4), ("c", 5)]);
        assert_eq!(found.comment_lines, [3]);
    }

    #[test]
    fn an_import_ends_with_its_statement() {
        let text = "from a import (\n    b,\n    c,\n)\nd = e\nif f: import g\nh\nraise i from j\n";
        let imported: Vec<_> = scan(text)
            .names
            .iter()
            .filter(|name| name.import)
            .map(|name| name.text)
            .collect();
        assert_eq!(imported, ["from", "a", "import", "b", "c", "import", "g"]);
    }
}
