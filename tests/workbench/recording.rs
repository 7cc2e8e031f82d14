//! Recordings: what is packed is unpacked, with the same numbers, and what is torn is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use llavacode::collapse::{Geometry, ProbeSummary, instruments};
use llavacode::corpus::Split;
use llavacode::runs::{Packed, Probes, Recordings, Run, RunWriter, list, pack};

use super::demo_run::write;
use super::harness::picture_folder;

/// Two runs, one that collapses and one that does not.
pub fn two_runs(runs: &Path) -> [PathBuf; 2] {
    [write(runs, "collapse", false), write(runs, "aligned", true)]
}

/// The archive of runs.
pub fn packed(runs: &[PathBuf], samples: Option<usize>) -> (Vec<u8>, Vec<Packed>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recorded.zip");
    let packed = pack(runs, samples, &path).unwrap();
    (fs::read(path).unwrap(), packed)
}

/// Half precision keeps 11 bits.
fn assert_halved(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= expected.abs() / 2048.0 + 1e-7,
            "{found} for {expected}"
        );
    }
}

#[test]
fn a_recording_has_the_numbers_of_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let originals = two_runs(folder.path());
    let (archive, packed) = packed(&originals, Some(10));
    let expected = BTreeMap::from([(Split::Validation, [10, 24])]);
    for run in &packed {
        assert_eq!((run.probes, &run.samples, run.projector), ([15, 29], &expected, false));
        assert!(
            (1e-9..1e-4).contains(&run.change.mean_cosine) && run.change.effective_rank < 1e-3,
            "{:?}",
            run.change
        );
    }
    let recordings = Recordings::unpack(&archive).unwrap();
    assert_eq!(
        list(recordings.folder())
            .iter()
            .filter(|run| run.error.is_none())
            .count(),
        2
    );
    for original in &originals {
        let unpacked = recordings.folder().join(original.file_name().unwrap());
        let (original, unpacked) = (Run::open(original).unwrap(), Run::open(&unpacked).unwrap());
        assert!(unpacked.warnings.is_empty(), "{:?}", unpacked.warnings);
        assert_eq!(unpacked.experiment, original.experiment);
        assert_eq!(unpacked.scalars, original.scalars);
        assert_eq!(unpacked.events, original.events);
        assert_eq!(unpacked.status(), original.status());
        assert!(original.manifest.recording().is_none());
        let said = unpacked.manifest.recording().unwrap();
        assert!(
            said.contains("15 of 29 probes") && said.contains("the first 10 of 24"),
            "{said}"
        );
        assert_eq!(
            unpacked.evaluations[..],
            original.evaluations[original.evaluations.len() - 1..]
        );

        let step = unpacked.evaluations[0].step;
        let found = unpacked.completions(step, Split::Validation).unwrap();
        let all = original.completions(step, Split::Validation).unwrap();
        assert_eq!(found[..], all[..found.len()]);
        assert_eq!((found.len(), unpacked.samples().len()), (40, 10));
        assert_eq!(unpacked.samples()[..], original.samples()[..10]);
        assert_eq!(unpacked.probe_chunks().unwrap(), original.probe_chunks().unwrap());
        let tokens = |run: &Run| Probes::of(&run.folder).tokens().unwrap().unwrap();
        assert_eq!(tokens(&unpacked), tokens(&original));
        probes_are_those_of(&unpacked, &original);
    }
    let folder = recordings.folder().to_owned();
    drop(recordings);
    assert!(!folder.exists(), "what was unpacked stays behind");
}

/// Every probe is there within half precision, and its numbers are those of the vectors in single precision.
fn probes_are_those_of(unpacked: &Run, original: &Run) {
    let numbers = Probes::of(&unpacked.folder).numbers();
    assert_eq!(numbers.keys().copied().collect::<Vec<_>>(), unpacked.probe_steps);
    assert_eq!(unpacked.probe_steps.first(), original.probe_steps.first());
    assert_eq!(unpacked.probe_steps.last(), original.probe_steps.last());
    for step in &unpacked.probe_steps {
        let (halved, whole) = (unpacked.probe(*step).unwrap(), original.probe(*step).unwrap());
        assert_eq!(
            (halved.rows, halved.token_norm_quantiles),
            (whole.rows, whole.token_norm_quantiles)
        );
        assert_halved(&halved.encoder, &whole.encoder);
        assert_halved(&halved.projected, &whole.projected);
        let geometry = |vectors| Geometry::of(&vectors);
        let expected = ProbeSummary::of(
            &geometry(whole.encoder_vectors().unwrap()),
            &geometry(whole.projected_vectors().unwrap()),
        );
        assert_eq!(numbers[step].summary, expected);
        let again = instruments(&halved.projected_vectors().unwrap());
        assert!((again.mean_cosine - expected.instruments.mean_cosine).abs() < 1e-4);
        assert!((again.rankme / expected.instruments.rankme - 1.0).abs() < 1e-3);
    }
}

#[test]
fn a_small_projector_is_kept_without_what_only_training_needs() {
    let folder = tempfile::tempdir().unwrap();
    let [run, _] = two_runs(folder.path());
    let mut writer = RunWriter::open(&run).unwrap();
    let values: Vec<f32> = (0..12).map(|at| at as f32 / 7.0).collect();
    let tensor = |name: &str| (name.to_owned(), vec![3, 4], values.clone());
    let names = [
        "first.linears.0.weight",
        "linears.0.weight",
        "memory",
        "second.linears.0.weight",
    ];
    writer
        .checkpoint(84, names.map(tensor).into(), BTreeMap::new(), "")
        .unwrap();
    drop(writer);
    let (archive, packed) = packed(&[run], None);
    assert!(packed[0].projector);
    let recordings = Recordings::unpack(&archive).unwrap();
    let unpacked = Run::open(&list(recordings.folder())[0].folder).unwrap();
    let checkpoint = unpacked.newest_checkpoint().0.unwrap();
    let [(name, shape, halved)] = &checkpoint.tensors[..] else {
        panic!("{:?}", checkpoint.tensors)
    };
    assert_eq!(
        (checkpoint.step, name.as_str(), &shape[..]),
        (84, "linears.0.weight", &[3, 4][..])
    );
    assert_halved(halved, &values);
}

#[test]
fn a_torn_archive_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, _) = packed(&two_runs(folder.path()), None);
    let mut flipped = archive.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    for torn in [&archive[..middle], &flipped, b"no archive"] {
        let error = Recordings::unpack(torn).unwrap_err().to_string();
        assert!(
            error.contains("cannot be unpacked") && error.contains("get the program anew"),
            "{error}"
        );
    }
    let error = pack(&[folder.path().to_owned()], None, &folder.path().join("a.zip")).unwrap_err();
    assert!(error.to_string().contains("is not a run"), "{error}");
    assert!(!folder.path().join("a.zip").exists());
}

#[test]
fn runs_that_share_files_share_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let runs = two_runs(folder.path());
    let [one, other] = [&runs[..1], &runs[1..]].map(|runs| packed(runs, None).0.len());
    let both = packed(&runs, None).0;
    // Tokens, chunks and the encoder's vectors are the same.
    assert!(
        both.len() + 100_000 < one + other,
        "{one} and {other} bytes are {} together",
        both.len()
    );
    if let Some(folder) = picture_folder() {
        fs::write(folder.join("recorded.zip"), both).unwrap();
    }
}
