//! Values of arguments that are one of a few names.

use std::fmt::Display;
use std::str::FromStr;

use strum::IntoEnumIterator;

/// Parses a name, or says which there are.
pub fn parse_name<T: FromStr + Display + IntoEnumIterator>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_unknown| {
        let names: Vec<_> = T::iter().map(|name| name.to_string()).collect();
        format!("choose one of {}", names.join(", "))
    })
}
