//! Fields of CSV files.

/// A field as RFC 4180 has it: in quotation marks where it would be read as something else.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
