//! Layouts and contexts: positions, what sees what, and both readers on each of them.

use candle_core::Device;
use llavacode::corpus::{Chunk, CompletionSample};
use llavacode::evaluation::{Arm, ArmMaterial};
use llavacode::experiment::{EvaluationSettings, PromptLayout, PromptSettings, Retrieval};
use llavacode::models::reader::{ComposedReader, CpuReader, Feed, Reader, ReaderWeights, Slot};
use llavacode::models::tokenizer::TextTokenizer;
use llavacode::prompt::{Context, PreparedSample, PromptBuilder, Source, continued};
use llavacode::retrieval::Retrieved;
use strum::IntoEnumIterator as _;

use crate::middle::fill_in_the_middle;
use crate::toy::Toy;

struct Bench {
    toy: Toy,
    tokenizer: TextTokenizer,
}

impl Bench {
    fn new() -> Self {
        let toy = Toy::new();
        fill_in_the_middle(&toy.path("reader/tokenizer.json"));
        let tokenizer = TextTokenizer::from_json(&toy.path("reader/tokenizer.json")).unwrap();
        Self { toy, tokenizer }
    }

    fn prompts(&self, layout: PromptLayout, change: impl FnOnce(&mut PromptSettings)) -> PromptBuilder<'_> {
        let mut settings = PromptSettings {
            layout,
            left_tokens: 12,
            right_tokens: 4,
            tail_tokens: 4,
            ..PromptSettings::default()
        };
        change(&mut settings);
        PromptBuilder::new(&self.tokenizer, &settings, &Retrieval::default()).unwrap()
    }

    /// A prompt as text: soft tokens as digits in brackets.
    fn text(&self, slots: &[Slot]) -> String {
        let one = |slot: &Slot| match *slot {
            Slot::Token(id) => self.tokenizer.text(&[id]),
            Slot::Soft(row) => format!("[{row}]"),
        };
        slots.iter().map(one).collect()
    }
}

fn sample() -> CompletionSample {
    CompletionSample {
        id: "r/b.py:2:7".into(),
        repository: "r".into(),
        path: "b.py".into(),
        line: 2,
        left: "import a\nx = f(".into(),
        right: "\ny = 2\nz\n".into(),
        target: "alpha)".into(),
        identifier: Some("alpha".into()),
    }
}

fn retrieved() -> Vec<Retrieved> {
    let one = |(rank, text): (usize, &str)| Retrieved {
        chunk: Chunk {
            repository: "r".into(),
            path: "a.py".into(),
            first_line: rank,
            text: text.into(),
        },
        rank,
        score: 1.0,
        hit: rank == 1,
        name: None,
    };
    [(1, "alpha"), (2, "beta")].map(one).to_vec()
}

fn prepared(prompts: &PromptBuilder<'_>) -> PreparedSample {
    prompts.prepare(&sample(), &retrieved()).unwrap()
}

#[test]
fn every_layout_puts_the_context_where_it_says() {
    use PromptLayout::{BeforeLine, BeforeMiddle, BeforeMiddleCue, BeforePrefix, LateFusion, SoftFirst};
    let code = "ort a\nx = f(";
    let middle = format!("<|fim_prefix|>{code}<|fim_suffix|>\ny =");
    let cue = "\n# Here are some relevant code fragments from other files of the repo:";
    let (soft, text) = ("#[3][4]\n", "beta\n\nalpha\n\n");
    // The prompt without context, with soft tokens, with text; what stands apart in the prompts with soft tokens and without.
    let cases = [
        (
            SoftFirst,
            code.to_owned(),
            format!("{soft}{code}"),
            format!("{text}{code}"),
            None,
            None,
        ),
        (
            LateFusion,
            code.into(),
            format!("{soft}{code}"),
            format!("{text}{code}"),
            Some(4..12),
            Some(0..8),
        ),
        (
            BeforeLine,
            code.into(),
            format!("ort a\n{soft}\nx = f("),
            format!("ort a\n{text}\nx = f("),
            Some(0..5),
            Some(0..5),
        ),
        (
            BeforePrefix,
            format!("{middle}<|fim_middle|>"),
            format!("{soft}{middle}<|fim_middle|>"),
            format!("{text}{middle}<|fim_middle|>"),
            None,
            None,
        ),
        (
            BeforeMiddle,
            format!("{middle}<|fim_middle|>"),
            format!("{middle}{soft}<|fim_middle|>"),
            format!("{middle}\n{text}<|fim_middle|>"),
            Some(0..18),
            Some(0..18),
        ),
        (
            BeforeMiddleCue,
            format!("{middle}<|fim_middle|>"),
            format!("{middle}{cue}{soft}<|fim_middle|>"),
            format!("{middle}{cue}\n{text}<|fim_middle|>"),
            Some(0..18),
            Some(0..18),
        ),
    ];
    assert_eq!(cases.len(), PromptLayout::iter().count());
    let bench = Bench::new();
    for (layout, none, soft, full, apart, apart_alone) in cases {
        let prompts = bench.prompts(layout, |_| {});
        let sample = prepared(&prompts);
        let (alone, compressed) = (prompts.without_context(&sample), prompts.compressed(&sample, 3, 2));
        assert_eq!(bench.text(&alone.slots), none, "{layout}");
        assert_eq!(bench.text(&compressed.slots), soft, "{layout}");
        assert_eq!(bench.text(&prompts.full_text(&sample).slots), full, "{layout}");
        assert_eq!((compressed.apart, alone.apart), (apart, apart_alone), "{layout}");
        // Nothing but the place of the context differs: without it, every context is the prompt without context.
        assert_eq!(prompts.compressed(&sample, 0, 0).slots, alone.slots, "{layout}");
    }
    // As in the paper's code, when nothing is put around the soft tokens.
    let bare = bench.prompts(BeforeMiddle, |settings| {
        (settings.before, settings.after) = (String::new(), String::new())
    });
    let slots = bare.compressed(&prepared(&bare), 0, 2).slots;
    assert_eq!(bench.text(&slots), format!("{middle}[0][1]<|fim_middle|>"));
}

#[test]
fn the_line_of_a_cursor_at_its_beginning_is_the_one_to_come() {
    let bench = Bench::new();
    let prompts = bench.prompts(PromptLayout::BeforeLine, |_| {});
    let at_line_start = CompletionSample {
        left: "import a\nx = 1".into(),
        target: "\n\n    y = 2".into(),
        ..sample()
    };
    let prepared = prompts.prepare(&at_line_start, &retrieved()).unwrap();
    let prompt = prompts.compressed(&prepared, 0, 2);
    assert_eq!(bench.text(&prompt.slots), "port a\nx = 1\n#[0][1]\n");
    // The same code is kept with a context and without.
    assert_eq!(prompt.apart, prompts.without_context(&prepared).apart);
    let nothing = CompletionSample {
        left: String::new(),
        ..at_line_start
    };
    let prepared = prompts.prepare(&nothing, &retrieved()).unwrap();
    assert_eq!(bench.text(&prompts.compressed(&prepared, 0, 2).slots), "#[0][1]\n");
}

#[test]
fn no_layout_shows_what_is_to_be_completed() {
    let bench = Bench::new();
    for layout in PromptLayout::iter() {
        let prompts = bench.prompts(layout, |settings| {
            (settings.target_lines, settings.right_tokens) = (2, 100)
        });
        let sample = prepared(&prompts);
        // The training target is `alpha)` and the line behind it.
        let right = bench.tokenizer.text(&sample.right);
        assert_eq!(
            right,
            if layout.fills_in_the_middle() { "\nz\n" } else { "" },
            "{layout}"
        );
        let shown = bench.text(&prompts.without_context(&sample).slots);
        assert!(
            !shown.contains("alpha") && !shown.contains("y = 2"),
            "{layout}: {shown}"
        );
    }
}

#[test]
fn a_reader_that_cannot_fill_in_the_middle_is_refused_with_the_reason() {
    let toy = Toy::new();
    let tokenizer = TextTokenizer::from_json(&toy.path("reader/tokenizer.json")).unwrap();
    for layout in PromptLayout::iter() {
        let settings = PromptSettings {
            layout,
            ..PromptSettings::default()
        };
        let refused = PromptBuilder::new(&tokenizer, &settings, &Retrieval::default()).err();
        let text = refused.map(|error| error.to_string()).unwrap_or_default();
        for part in [
            "prompt.layout",
            &layout.to_string(),
            "no fill-in-the-middle tokens",
            "choose",
        ] {
            assert_eq!(text.contains(part), layout.fills_in_the_middle(), "{layout}: {text}");
        }
    }
}

/// Every kind of context, with rows of a matrix of five soft tokens.
fn contexts<'a>(ids: &'a [u32]) -> Vec<Context<'a>> {
    vec![
        Context::Nothing,
        Context::FullText,
        Context::Soft(1..5),
        Context::Control(0..3),
        Context::Tokens(ids),
        Context::Identifiers(ids),
        Context::Definition(ids),
        Context::Expanded { texts: 1, soft: 1..5 },
    ]
}

fn readers(bench: &Bench) -> (CpuReader, ComposedReader) {
    let weights = || ReaderWeights::load(&bench.toy.path("reader")).unwrap();
    (
        CpuReader::new(weights()).unwrap(),
        ComposedReader::new(weights(), &Device::Cpu).unwrap(),
    )
}

fn soft(hidden: usize) -> Vec<f32> {
    (0..5 * hidden).map(|i| (i as f32 * 0.37).sin() * 0.3).collect()
}

#[test]
fn both_readers_agree_on_every_layout_and_context() {
    let bench = Bench::new();
    let (ours, composed) = readers(&bench);
    let soft = soft(ours.config().hidden);
    for layout in PromptLayout::iter() {
        let prompts = bench.prompts(layout, |_| {});
        let sample = prepared(&prompts);
        for context in contexts(&[65, 66, 67]) {
            let batch = [continued(&prompts.prompt(&sample, &context), &[&sample.target])];
            let [a, b] =
                [&ours as &dyn Reader, &composed].map(|reader| reader.loss_and_gradient(&batch, &soft).unwrap());
            assert!(
                (a.loss - b.loss).abs() < 1e-5 * b.loss,
                "{layout}, {context:?}: {} and {}",
                a.loss,
                b.loss
            );
            let scale = b.gradient.iter().fold(1e-6f32, |scale, g| scale.max(g.abs()));
            let pairs = a.gradient.iter().zip(&b.gradient);
            let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(
                difference < 1e-4 * scale,
                "{layout}, {context:?}: {difference} at {scale}"
            );
        }
    }
}

#[test]
fn the_inspector_says_what_sees_the_soft_tokens() {
    let bench = Bench::new();
    let (reader, _) = readers(&bench);
    let hidden = reader.config().hidden;
    for layout in PromptLayout::iter() {
        let prompts = bench.prompts(layout, |_| {});
        let sample = prepared(&prompts);
        let context = Context::Soft(1..5);
        let (entries, prompt) = (prompts.inspect(&sample, &context), prompts.prompt(&sample, &context));
        assert_eq!(entries.len(), prompt.slots.len() + sample.target.len());
        // Another first soft token changes exactly the outputs of the positions that see it.
        let outputs = |change: f32| {
            let mut soft = soft(hidden);
            soft[hidden..2 * hidden].iter_mut().for_each(|value| *value += change);
            let count = prompt.slots.len() - prompt.apart.as_ref().map_or(0, |apart| apart.end);
            let feed = Feed {
                member: 0,
                slots: &prompt.slots,
                apart: prompt.apart.clone(),
                outputs: count,
            };
            reader.session(1).feed(&[feed], &soft).unwrap().remove(0).hidden
        };
        let (one, other) = (outputs(0.0), outputs(0.5));
        let first = prompt.slots.len() - one.len() / hidden;
        for (at, (one, other)) in one.chunks(hidden).zip(other.chunks(hidden)).enumerate() {
            let entry = &entries[first + at];
            assert_eq!(one != other, entry.sees_soft, "{layout}, {entry:?}");
        }
        // What stands apart sees only what stands apart.
        assert!(
            entries[prompt.apart.unwrap_or(0..0)]
                .iter()
                .all(|entry| !entry.sees_soft),
            "{layout}"
        );
        let target = &entries[prompt.slots.len()..];
        assert!(
            target
                .iter()
                .all(|entry| entry.sees_soft && entry.source == Source::Target)
        );
        // Two soft tokens for each of two chunks.
        let soft = entries.iter().filter_map(|entry| match entry.source {
            Source::SoftToken { chunk } => chunk,
            _ => None,
        });
        let chunks: Vec<usize> = soft.collect();
        assert_eq!(chunks, [1, 1, 2, 2]);
    }
}

#[test]
fn an_entry_reads_as_json() {
    let bench = Bench::new();
    let prompts = bench.prompts(PromptLayout::SoftFirst, |_| {});
    let entries = prompts.inspect(&prepared(&prompts), &Context::Soft(0..2));
    let json = serde_json::to_value(&entries[1]).unwrap();
    let expected = serde_json::json!(
        {"position": 1, "id": null, "text": "", "source": "soft_token", "chunk": 1, "sees_soft": true});
    assert_eq!(json, expected);
    let again: llavacode::prompt::PromptEntry = serde_json::from_value(json).unwrap();
    assert_eq!(again, entries[1]);
    assert_eq!(entries[0].text, "#");
}

#[test]
fn controls_have_the_size_of_what_they_stand_for() {
    let bench = Bench::new();
    let prompts = bench.prompts(PromptLayout::SoftFirst, |_| {});
    let named = |id: &str, repository: &str| {
        let sample = CompletionSample {
            id: id.into(),
            repository: repository.into(),
            ..sample()
        };
        prompts.prepare(&sample, &retrieved()).unwrap()
    };
    let samples = vec![named("1", "a"), named("2", "a"), named("3", "b")];
    let hidden = 4;
    let soft: Vec<Vec<f32>> = (0..3)
        .map(|sample| (0..2 * hidden).map(|i| ((sample * 8 + i) as f32 * 0.9).sin()).collect())
        .collect();
    let settings = EvaluationSettings::default();
    let mut material = ArmMaterial::new(samples.clone(), soft.clone(), hidden, &settings, 7);
    material.constant = (0..3 * hidden).map(|i| i as f32).collect();
    let vectors = |arm| material.input(arm, 0, &prompts).unwrap().soft().to_vec();
    assert_eq!(vectors(Arm::Compressed), soft[0]);
    assert_eq!(
        vectors(Arm::ShuffledContext),
        soft[2],
        "sample 2 is of the same repository"
    );
    assert_eq!(vectors(Arm::ZeroVector), [0.0; 8]);
    assert_eq!(vectors(Arm::SoftPrompt), material.constant[..8]);
    let mean = vectors(Arm::MeanVector);
    let expected = soft.iter().map(|soft| soft[1] + soft[hidden + 1]).sum::<f32>() / 6.0;
    assert!((mean[1] - expected).abs() < 1e-6 && mean[..hidden] == mean[hidden..]);
    let norm = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
    let noise = vectors(Arm::NoiseVector);
    for (row, of) in noise.chunks(hidden).zip(soft[0].chunks(hidden)) {
        assert!((norm(row) - norm(of)).abs() < 1e-5);
    }
    // The same whatever is completed beside it, another one for another seed or sample.
    let alone = |seed| {
        let material = ArmMaterial::new(samples[..1].to_vec(), soft[..1].to_vec(), hidden, &settings, seed);
        let input = material.input(Arm::NoiseVector, 0, &prompts).unwrap();
        input.soft().to_vec()
    };
    assert_eq!(alone(7), noise);
    assert_ne!(alone(8), noise);
    let slots = |arm| {
        let input = material.input(arm, 0, &prompts).unwrap();
        let rows = input.soft().len() / hidden;
        bench.text(&prompts.prompt(&samples[0], &input.context(0..rows)).slots)
    };
    let code = "ort a\nx = f(";
    assert_eq!(slots(Arm::NoContext), code);
    assert_eq!(slots(Arm::SelectiveExpansion), format!("#[1]\nalpha\n\n{code}"));
    assert_eq!(slots(Arm::Identifiers), format!("# see: alpha, beta\n{code}"));
    assert_eq!(slots(Arm::DefinitionText), code, "no definition is known");
    // "#", two tokens, a line break.
    let random = material.input(Arm::RandomTokens, 0, &prompts).unwrap();
    assert_eq!(prompts.prompt(&samples[0], &random.context(0..0)).slots.len(), 4 + 12);
    assert!(prompts.is_in_window(&samples[0], "f") && !prompts.is_in_window(&samples[0], "alpha"));
}

#[test]
fn names_are_listed_in_their_order_and_a_chunk_that_defines_two_stands_once() {
    let bench = Bench::new();
    let prompts = bench.prompts(PromptLayout::SoftFirst, |_| {});
    let mut named = retrieved();
    named.push(named[0].clone());
    for (one, name) in named.iter_mut().zip(["gamma", "f", "alpha"]) {
        one.name = Some(name.to_owned());
    }
    let sample = prompts.prepare(&sample(), &named).unwrap();
    let text = |context: &Context<'_>| bench.text(&prompts.prompt(&sample, context).slots);
    assert!(text(&Context::FullText).starts_with("beta\n\nalpha\n\nort"));
    let ids = prompts.identifiers(&sample, 100).unwrap();
    assert_eq!(bench.tokenizer.text(&ids), "# see: gamma, f, alpha\n");
    // Every name has its soft token, the repeated chunk too.
    assert!(text(&Context::Soft(3..6)).starts_with("#[3][4][5]\n"));
}
