//! Encoders load as they were published: shards, half precision, names with prefixes, older places of settings; and a folder that
//! is not whole says what it lacks.

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use llavacode::experiment::Pooling;
use llavacode::models::encoder::Encoder;
use serde_json::{Map, Value, json};

use crate::encoders::{Folder, Reference, distance, settings};
use crate::tensors;

type Tensors = HashMap<String, Tensor>;

/// The folder's tensors, changed and written anew.
fn rewrite(folder: &Folder, change: impl Fn((String, Tensor)) -> (String, Tensor)) {
    let changed: Tensors = tensors(&folder.file("model.safetensors"))
        .into_iter()
        .map(change)
        .collect();
    candle_core::safetensors::save(&changed, folder.file("model.safetensors")).unwrap();
}

/// Cuts the folder's weights into two shards with an index, the second of which is called by its name here.
fn shard(folder: &Folder) -> &'static str {
    let mut names: Vec<(String, Tensor)> = tensors(&folder.file("model.safetensors")).into_iter().collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let half = names.len() / 2;
    let (mut map, mut shards): (Map<String, Value>, [Tensors; 2]) = (Map::new(), Default::default());
    for (index, (name, tensor)) in names.into_iter().enumerate() {
        let file = usize::from(index >= half);
        map.insert(name.clone(), json!(files[file]));
        shards[file].insert(name, tensor);
    }
    for (shard, file) in shards.iter().zip(files) {
        candle_core::safetensors::save(shard, folder.file(file)).unwrap();
    }
    folder.write(
        "model.safetensors.index.json",
        &json!({"metadata": {}, "weight_map": map}),
    );
    std::fs::remove_file(folder.file("model.safetensors")).unwrap();
    files[1]
}

#[test]
fn shards_of_bf16_are_read_as_they_are() {
    for fixture in ["bert_encoder", "roberta_encoder", "qwen3_encoder"] {
        let reference = Reference::of(fixture);
        let vectors = |folder: &Folder| folder.encoder().encode_ids(&reference.ids).unwrap();
        let (halved, rounded) = (Folder::new(fixture), Folder::new(fixture));
        let bf16 = |tensor: &Tensor| tensor.to_dtype(DType::BF16).unwrap();
        rewrite(&halved, |(name, tensor)| (name, bf16(&tensor)));
        shard(&halved);
        rewrite(&rounded, |(name, tensor)| {
            (name, bf16(&tensor).to_dtype(DType::F32).unwrap())
        });
        let found = vectors(&halved);
        assert_eq!(found, vectors(&rounded), "{fixture}: rounded once, and computed in f32");
        let away = distance(&found, &reference.vectors);
        println!("{fixture}: bf16 weights move a vector by {away:.1e}");
        // Eight bits of weights, over two layers, on numbers of a vector of length one.
        assert!(away > 0.0 && away < 2e-2, "{fixture}: {away}");
        assert_ne!(halved.encoder().fingerprint(), rounded.encoder().fingerprint());
    }
}

#[test]
fn names_may_have_a_prefix_and_norms_their_oldest_names() {
    let prefixes = [
        ("bert_encoder", "bert."),
        ("roberta_encoder", "roberta."),
        ("roberta_encoder", "model.encoder."),
        ("qwen3_encoder", "model."),
    ];
    for (fixture, prefix) in prefixes {
        let folder = Folder::new(fixture);
        let reference = Reference::of(fixture);
        rewrite(&folder, |(name, tensor)| {
            let name = name
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta");
            (format!("{prefix}{name}"), tensor)
        });
        let away = distance(
            &folder.encoder().encode_ids(&reference.ids).unwrap(),
            &reference.vectors,
        );
        assert!(away < 1e-4, "{prefix}: {away}");
    }
}

#[test]
fn rope_theta_is_found_in_each_of_its_places() {
    let reference = Reference::of("qwen3_encoder");
    let vectors = |change: fn(&mut Map<String, Value>, Value)| {
        let folder = Folder::new("qwen3_encoder");
        folder.configure(|config| {
            let rope = config.remove("rope_parameters").unwrap();
            change(config, rope["rope_theta"].clone());
        });
        folder.encoder().encode_ids(&reference.ids).unwrap()
    };
    let top = vectors(|config, theta| {
        config.insert("rope_theta".into(), theta);
        config.insert("rope_scaling".into(), Value::Null);
    });
    let scaling = vectors(|config, theta| {
        config.insert("rope_parameters".into(), Value::Null);
        config.insert(
            "rope_scaling".into(),
            json!({"rope_type": "default", "rope_theta": theta}),
        );
    });
    let other = vectors(|config, _| drop(config.insert("rope_theta".into(), json!(10.0))));
    for found in [top, scaling] {
        assert!(distance(&found, &reference.vectors) < 1e-4);
    }
    assert!(distance(&other, &reference.vectors) > 1e-3);
}

#[test]
fn a_model_is_pooled_as_its_files_say_unless_the_experiment_says_otherwise() {
    let folder = Folder::new("roberta_encoder");
    let texts = ["def f", "x = 1"];
    let encode = |pooling| folder.load(&settings(pooling)).unwrap().encode(&texts).unwrap();
    let [mean, first] = [Pooling::Mean, Pooling::FirstToken].map(encode);
    assert_eq!(encode(Pooling::Auto), mean);
    for (declared, expected) in [
        (
            json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}),
            &first,
        ),
        (
            json!({"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}),
            &mean,
        ),
        (json!({"pooling_mode": "cls"}), &first),
    ] {
        folder.write("1_Pooling/config.json", &declared);
        assert_eq!(&encode(Pooling::Auto), expected, "{declared}");
        assert_eq!(encode(Pooling::Mean), mean, "{declared}");
    }
    for declared in [
        json!({"pooling_mode_max_tokens": true}),
        json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}),
        json!({}),
    ] {
        folder.write("1_Pooling/config.json", &declared);
        let text = folder.load(&settings(Pooling::Auto)).err().unwrap().to_string();
        assert!(text.contains("set encoder.pooling"), "{text}");
        assert_eq!(encode(Pooling::Mean), mean, "{declared}");
    }
}

/// What the program says of a folder that was made unusable.
fn complaint(fixture: &'static str, spoil: impl FnOnce(&Folder)) -> String {
    let folder = Folder::new(fixture);
    spoil(&folder);
    folder.load(&settings(Pooling::Auto)).err().unwrap().to_string()
}

#[test]
fn a_folder_that_is_not_whole_says_what_it_lacks() {
    let remove = |name: &'static str| move |folder: &Folder| std::fs::remove_file(folder.file(name)).unwrap();
    let cases = [
        (complaint("roberta_encoder", remove("model.safetensors")), "no weights"),
        (complaint("roberta_encoder", remove("merges.txt")), "merges.txt"),
        (complaint("bert_encoder", remove("tokenizer.json")), "tokenizer.json"),
        (complaint("bert_encoder", remove("config.json")), "config.json"),
        (
            complaint("qwen3_encoder", |folder| {
                std::fs::remove_file(folder.file(shard(folder))).unwrap()
            }),
            "model-00002-of-00002.safetensors, which is not there",
        ),
        (
            complaint("roberta_encoder", |folder| {
                std::fs::rename(folder.file("model.safetensors"), folder.file("pytorch_model.bin")).unwrap();
            }),
            "not a readable PyTorch file",
        ),
        (
            complaint("roberta_encoder", |folder| {
                folder.configure(|config| drop(config.insert("num_hidden_layers".into(), json!(3))));
            }),
            "encoder.layer.2",
        ),
        (
            complaint("bert_encoder", |folder| {
                folder.configure(|config| drop(config.insert("model_type".into(), json!("t5"))));
            }),
            "model_type is t5, and encoders are of the types bert, roberta",
        ),
        (
            complaint("roberta_encoder", |folder| {
                let more: Vec<String> = (0..40).map(|number| format!("more-{number}")).collect();
                folder.write_roberta_tokenizer(&more.iter().map(String::as_str).collect::<Vec<_>>());
            }),
            "the model only 300",
        ),
        (
            complaint("roberta_encoder", |folder| {
                folder.write(
                    "vocab.json",
                    &json!({"a": 0, "b": 1, "d": 2, "e": 3, "de": 4, "f": 5, "def": 6}),
                )
            }),
            "save_pretrained",
        ),
    ];
    for (text, part) in cases {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}
