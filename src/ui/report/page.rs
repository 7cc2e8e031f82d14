//! The HTML of a report: everything that is put in is escaped here.

/// Text in which HTML sees neither tags nor attributes' ends.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not allowed in HTML; code may hold them.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The head of a column: what it is called, and what it means.
pub struct Head {
    /// The name.
    pub name: String,
    /// Shown under the pointer; may be empty.
    pub meaning: String,
}

impl Head {
    /// A head that explains itself.
    pub fn plain(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            meaning: String::new(),
        }
    }

    /// A head with its meaning.
    pub fn new(name: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            meaning: meaning.into(),
        }
    }
}

/// A page that is being written.
#[derive(Default)]
pub struct Page {
    body: String,
    sections: Vec<String>,
}

impl Page {
    /// Writes a section; one without content is left out.
    pub fn section(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        if inner.body.is_empty() {
            return;
        }
        let id = name.to_lowercase().replace(' ', "-");
        let heading = format!("<section id=\"{id}\">\n<h2>{}</h2>\n", escaped(name));
        self.body.push_str(&(heading + &inner.body + "</section>\n"));
        self.sections.push(format!("<a href=\"#{id}\">{}</a>", escaped(name)));
    }

    /// Writes HTML as it is.
    pub fn raw(&mut self, html: &str) {
        self.body.push_str(html);
        self.body.push('\n');
    }

    /// Writes a heading below that of the section.
    pub fn heading(&mut self, text: &str) {
        self.raw(&format!("<h3>{}</h3>", escaped(text)));
    }

    /// Writes a paragraph.
    pub fn text(&mut self, text: &str) {
        self.raw(&format!("<p>{}</p>", escaped(text)));
    }

    /// Writes a paragraph that says how something was made.
    pub fn note(&mut self, text: &str) {
        self.raw(&format!("<p class=\"note\">{}</p>", escaped(text)));
    }

    /// Writes what stands folded up until a reader asks for it.
    pub fn folded(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.raw(&format!("<details><summary>{}</summary>", escaped(name)));
        write(self);
        self.raw("</details>");
    }

    /// Writes a table of numbers: every column but the first is set to the right.
    pub fn numbers(&mut self, heads: &[Head], rows: &[Vec<String>]) {
        self.table("numbers", heads, rows);
    }

    /// Writes a table of words.
    pub fn words(&mut self, heads: &[Head], rows: &[Vec<String>]) {
        self.table("words", heads, rows);
    }

    fn table(&mut self, class: &str, heads: &[Head], rows: &[Vec<String>]) {
        self.raw(&format!("<div class=\"wide\"><table class=\"{class}\"><thead><tr>"));
        for head in heads {
            let title = match head.meaning.as_str() {
                "" => String::new(),
                meaning => format!(" title=\"{}\"", escaped(meaning)),
            };
            self.raw(&format!("<th scope=\"col\"{title}>{}</th>", escaped(&head.name)));
        }
        self.raw("</tr></thead><tbody>");
        for row in rows {
            let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
            self.raw(&format!("<tr>{cells}</tr>"));
        }
        self.raw("</tbody></table></div>");
    }

    /// The whole document.
    pub fn finish(self, title: &str, css: &str) -> String {
        let title = escaped(title);
        let links = self.sections.join("\n");
        let body = self.body;
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} - LLavaCode report</title>\n<style>\n{css}</style>\n</head>\n\
             <body>\n<header><h1>{title}</h1>\n<nav>{links}</nav></header>\n<main>\n{body}</main>\n</body>\n</html>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_put_in_becomes_a_tag() {
        let mut page = Page::default();
        page.section("a", |page| {
            page.text("</p><script>alert(1)</script> & \u{0}");
            page.numbers(&[Head::new("x\" onload=\"y", "\"><b>")], &[vec!["<td>".into()]]);
        });
        let html = page.finish("<title>", "");
        for forbidden in ["<script", "<b>", "onload=\"", "<td><", "\u{0}", "<title><"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; \u{fffd}"));
    }

    #[test]
    fn a_section_without_content_is_left_out() {
        let mut page = Page::default();
        page.section("Blind review", |_| {});
        assert!(!page.finish("t", "").contains("Blind review"));
    }
}
