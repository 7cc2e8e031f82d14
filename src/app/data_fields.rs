//! Fields of what is read, found, encoded and projected.

use super::fields::{Group, Kind, field};

/// Data.
pub(super) const DATA: Group = Group {
    name: "Data",
    fields: &[
        field(
            "data.corpus",
            "code",
            "",
            Kind::Path,
            "Catalogue id of a corpus, or a folder whose sub-folders are repositories",
        ),
        field(
            "data.train_samples",
            "training samples",
            "at most",
            Kind::Whole,
            "Fewer are used when the code yields fewer",
        ),
        field(
            "data.samples_per_repository",
            "from one repository",
            "at most",
            Kind::Whole,
            "So that no large package dominates",
        ),
        field(
            "data.vary_context",
            "vary the context",
            "",
            Kind::Switch,
            "A step shows each sample between one and all of its chunks",
        ),
        field(
            "data.spelled_names",
            "names to spell",
            "at most",
            Kind::Whole,
            "Names of the training repositories that soft tokens learn to spell; 0 takes those of the samples' chunks",
        ),
        field(
            "data.seed",
            "seed of the draw",
            "",
            Kind::Whole,
            "Splits a folder's repositories and draws samples; the run's own seed leaves both as they are",
        ),
        field(
            "data.only_hits",
            "only hits",
            "",
            Kind::Switch,
            "Train only on samples whose name occurs in a retrieved chunk: the whole gain of retrieval sits there",
        ),
    ],
};

/// Retrieval.
pub(super) const RETRIEVAL: Group = Group {
    name: "Retrieval",
    fields: &[
        field(
            "retrieval.retriever",
            "retriever",
            "",
            Kind::Choice(&["jaccard", "bm25", "dense", "hybrid", "definitions"]),
            "By common words, by BM25, by the encoder's vectors, by where the names in reach are defined, or a fusion of rankings",
        ),
        field(
            "retrieval.unit",
            "unit",
            "",
            Kind::Choice(&["chunk", "name"]),
            "What is ranked and compressed: chunks, or the names that may come next, which only definitions ranks",
        ),
        field(
            "retrieval.k",
            "chunks",
            "a sample",
            Kind::Whole,
            "Each becomes one soft token or several, as the projector says",
        ),
        field(
            "retrieval.least_score",
            "least score",
            "",
            Kind::Number,
            "What the retriever scores lower is left out; -1 leaves nothing out",
        ),
        field(
            "retrieval.chunk_lines",
            "chunk length",
            "lines",
            Kind::Whole,
            "Lines in a chunk; windows do not overlap",
        ),
        field(
            "retrieval.chunk_tokens",
            "chunk limit",
            "tokens",
            Kind::Whole,
            "A chunk is clipped to this many reader tokens, for the encoder and for full RAG alike",
        ),
        field(
            "retrieval.query_lines",
            "query",
            "lines",
            Kind::Whole,
            "Lines before the cursor that form the query",
        ),
    ],
};

/// Encoder.
pub(super) const ENCODER: Group = Group {
    name: "Encoder",
    fields: &[
        field(
            "encoder.model",
            "model",
            "",
            Kind::Path,
            "Catalogue id, a folder with config.json, tokenizer and weights, or \"reader\": the reader itself, with no second model",
        ),
        field(
            "encoder.max_tokens",
            "chunk limit",
            "tokens",
            Kind::Whole,
            "Chunks are cut to this many encoder tokens",
        ),
        field(
            "encoder.pooling",
            "pooling",
            "",
            Kind::Choice(&[
                "auto",
                "mean",
                "first_token",
                "last_token",
                "last_code_token",
                "rare_identifiers",
                "spelling",
            ]),
            "How a chunk's tokens become one vector; auto is what the model was made for, the last two need the reader as model",
        ),
        field(
            "encoder.input",
            "input",
            "",
            Kind::Choice(&["code", "syntax_tree"]),
            "What is read of a chunk; only UniXcoder reads syntax trees",
        ),
    ],
};

/// Projector.
pub(super) const PROJECTOR: Group = Group {
    name: "Projector",
    fields: &[
        field(
            "projector.depth",
            "depth",
            "layers",
            Kind::Whole,
            "2 or 3 linear layers; the inner width follows the reader",
        ),
        field(
            "projector.tokens_per_chunk",
            "soft tokens",
            "a chunk",
            Kind::Whole,
            "They follow each other in the prompt; alignment and probes look at all of a chunk's together",
        ),
        field(
            "projector.output_scale",
            "output scale",
            "",
            Kind::Choice(&["off", "fixed", "learned"]),
            "Give every soft token the mean norm of the reader's token embeddings, or that norm times a trained number",
        ),
        field(
            "projector.skip",
            "skip layer",
            "",
            Kind::Switch,
            "A linear layer past the others, which begins as a copy of the vector's last numbers",
        ),
        field(
            "projector.start_from",
            "start from",
            "run",
            Kind::Path,
            "A run's folder whose newest checkpoint is where training begins; empty begins untrained",
        ),
        field(
            "projector.match_embeddings",
            "match embeddings",
            "",
            Kind::Switch,
            "Give its outputs the mean and spread of the reader's token embeddings before the first step",
        ),
    ],
};
