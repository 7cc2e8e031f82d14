//! A toy reader that can fill in the middle.

use std::path::Path;

use serde_json::{Value, json};

/// Gives a tokenizer the tokens of fill-in-the-middle training, ids 257 to 259, under the names of Qwen2.5-Coder.
pub fn fill_in_the_middle(tokenizer: &Path) {
    let mut json: Value = serde_json::from_slice(&std::fs::read(tokenizer).unwrap()).unwrap();
    for (id, name) in ["prefix", "suffix", "middle"].into_iter().enumerate() {
        let mut token = json["added_tokens"][0].clone();
        token["id"] = json!(257 + id);
        token["content"] = json!(format!("<|fim_{name}|>"));
        json["added_tokens"].as_array_mut().unwrap().push(token);
    }
    std::fs::write(tokenizer, json.to_string()).unwrap();
}
