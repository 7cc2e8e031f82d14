//! The frozen encoder: which model, what it reads of a chunk, and how the states of a chunk's tokens become one vector.

use serde::{Deserialize, Serialize};

/// How the hidden states of a chunk's tokens become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Pooling {
    /// As the model's own files say (`1_Pooling/config.json`), else as its kind is used: the last token of a decoder that was
    /// trained to encode, the mean of every other.
    #[default]
    Auto,
    /// The mean of all tokens, special ones included.
    Mean,
    /// The first token, which is `[CLS]` in the BERT family.
    FirstToken,
    /// The last token; an encoder of the decoder family gets its end token behind the text for this.
    LastToken,
    /// The last token of the code, with no end token behind it: as the paper's code pooled Qwen3-Embedding.
    LastCodeToken,
    /// No hidden state at all: the mean of the reader's token embeddings of the chunk's rarest identifiers.
    RareIdentifiers,
    /// No hidden state either: the reader's token embeddings of the text's first tokens in their order, and their mean. For names,
    /// see `retrieval.unit`.
    Spelling,
}

/// What the encoder reads of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EncoderInput {
    /// Its text.
    #[default]
    Code,
    /// Its syntax tree, laid out in a line as UniXcoder was trained with.
    SyntaxTree,
}

/// The frozen encoder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderSettings {
    /// Catalogue id, a folder with `config.json`, a tokenizer and weights, `organisation/name` in the Hugging Face cache, or
    /// `reader`: the reader itself, so that no second model is loaded.
    pub model: String,
    /// Chunks are truncated to this many encoder tokens.
    pub max_tokens: usize,
    /// How the tokens become one vector.
    pub pooling: Pooling,
    /// What is read of a chunk.
    pub input: EncoderInput,
}

impl Default for EncoderSettings {
    fn default() -> Self {
        Self {
            model: "all-minilm-l6-v2".into(),
            max_tokens: 256,
            pooling: Pooling::Auto,
            input: EncoderInput::Code,
        }
    }
}

impl EncoderSettings {
    /// Whether the reader itself encodes.
    pub fn is_reader(&self) -> bool {
        self.model == "reader"
    }

    /// Calls `check` with whether a field is in range, its name, value and range.
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &'static str, String, &'static str)) {
        check(
            !self.model.trim().is_empty(),
            "encoder.model",
            format!("{:?}", self.model),
            "a catalogue id, a folder, or \"reader\"",
        );
        check(
            (8..=8192).contains(&self.max_tokens),
            "encoder.max_tokens",
            self.max_tokens.to_string(),
            "8 to 8192",
        );
        let pooling_fits = match self.pooling {
            Pooling::RareIdentifiers | Pooling::Spelling => self.is_reader(),
            Pooling::FirstToken => !self.is_reader(),
            _ => true,
        };
        check(
            pooling_fits,
            "encoder.pooling",
            self.pooling.to_string(),
            if self.is_reader() {
                "\"mean\", \"last_token\", \"rare_identifiers\" or \"spelling\" when the reader encodes: its first token sees no other"
            } else {
                "another one for this model, or encoder.model \"reader\": this one looks names up in the reader's embeddings"
            },
        );
        check(
            self.input == EncoderInput::Code || !self.is_reader(),
            "encoder.input",
            self.input.to_string(),
            "\"code\" when the reader encodes: it never read syntax trees (UniXcoder did)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn what_the_reader_cannot_do_is_refused_by_field_value_and_reason() {
        let mut experiment = Experiment {
            name: "a".into(),
            ..Experiment::default()
        };
        experiment.encoder.pooling = Pooling::RareIdentifiers;
        let text = experiment.validate().map_err(|error| error.to_string()).err();
        let text = text.unwrap_or_default();
        assert!(text.starts_with("encoder.pooling is rare_identifiers"), "{text}");
        assert!(text.contains("encoder.model \"reader\""), "{text}");
        experiment.encoder.model = "reader".into();
        assert_eq!(experiment.validate(), Ok(()));
        for (pooling, input, field) in [
            (Pooling::FirstToken, EncoderInput::Code, "encoder.pooling"),
            (Pooling::Mean, EncoderInput::SyntaxTree, "encoder.input"),
        ] {
            experiment.encoder.pooling = pooling;
            experiment.encoder.input = input;
            assert_eq!(experiment.validate().map_err(|error| error.field), Err(field));
        }
    }

    #[test]
    fn an_older_experiment_means_what_it_meant() {
        let old = Experiment::from_toml("[encoder]\nmodel = \"mine\"\nmax_tokens = 64\n", "test");
        let settings = old.map(|old| old.encoder).unwrap_or_default();
        let expected = EncoderSettings {
            model: "mine".into(),
            max_tokens: 64,
            ..EncoderSettings::default()
        };
        assert_eq!(settings, expected);
    }
}
