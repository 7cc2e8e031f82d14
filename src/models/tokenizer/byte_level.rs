//! A tokenizer from the two files that RoBERTa models were published with: `vocab.json` and `merges.txt`.

use std::path::Path;

use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, Tokenizer};

use crate::models::ModelError;

/// Frame of a text, and its other special tokens.
const SPECIAL: [&str; 5] = ["<s>", "</s>", "<pad>", "<unk>", "<mask>"];

/// Reads both files of a folder: byte-level BPE, `<s>` before and `</s>` behind a text.
pub(super) fn read(folder: &Path) -> Result<Tokenizer, ModelError> {
    let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
    for path in [&vocab, &merges] {
        std::fs::metadata(path).map_err(ModelError::read(path))?;
    }
    let model = BPE::from_file(&vocab.to_string_lossy(), &merges.to_string_lossy())
        .build()
        .map_err(ModelError::broken(&vocab))?;
    let mut tokenizer = Tokenizer::new(model);
    let [begin, end] = ["<s>", "</s>"].map(|name| Some((name.to_owned(), tokenizer.token_to_id(name)?)));
    let (Some(begin), Some(end)) = (begin, end) else {
        return Err(ModelError::Unsupported {
            path: vocab,
            message: "without a tokenizer.json only RoBERTa's vocabulary is read, which has <s> and </s>; \
                      write that file with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
                .into(),
        });
    };
    let known = SPECIAL.into_iter().filter(|name| tokenizer.token_to_id(name).is_some());
    let known: Vec<AddedToken> = known.map(|name| AddedToken::from(name, true)).collect();
    tokenizer
        .add_special_tokens(known)
        .map_err(ModelError::broken(&vocab))?;
    tokenizer
        .with_pre_tokenizer(Some(ByteLevel::new(false, true, true)))
        .with_decoder(Some(ByteLevel::default()))
        .with_post_processor(Some(RobertaProcessing::new(end, begin).add_prefix_space(false)));
    Ok(tokenizer)
}
