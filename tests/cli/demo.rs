//! Recordings from the outside: packing, and a demo on a machine that has nothing.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use llavacode::runs::{Recordings, Run, list};

use super::Shell;

#[test]
fn a_run_is_recorded_and_unpacked() {
    let shell = Shell::new();
    let run = shell.train(&shell.experiment("recorded", |_| {}));
    let out = shell.toy.path("recorded.zip").display().to_string();
    let table = shell.succeed(&["record", &run, "--out", &out, "--samples", "2"]);
    assert!(
        table.contains("4 of 4") && table.contains("2 of 3 validation") && table.contains("yes"),
        "{table}"
    );
    let recordings = Recordings::unpack(&std::fs::read(&out).unwrap()).unwrap();
    let unpacked = Run::open(&list(recordings.folder())[0].folder).unwrap();
    assert_eq!(unpacked.scalars, Run::open(run.as_ref()).unwrap().scalars);
    // Its projector completes, as that of the run does.
    let repository = shell.toy.repository().display().to_string();
    let unpacked = unpacked.folder.display().to_string();
    let arguments = [
        "complete",
        "--run",
        &unpacked,
        "--repository",
        &repository,
        "--file",
        "package/main.py",
        "--line",
        "12",
    ];
    assert!(shell.succeed(&arguments).contains("compressed"));
    shell.refuse(&["record", &repository, "--out", &out], "is not a run");
}

#[test]
fn a_demo_without_a_temporary_folder_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_llavacode"))
        .arg("--demo")
        .env("TMPDIR", "/dev/null/nowhere")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("set TMPDIR") && errors.contains("/dev/null/nowhere"),
        "{errors}"
    );
}

/// A display of its own, ended when dropped; none where there is no Xvfb.
struct Display {
    server: Child,
    number: String,
}

impl Display {
    fn start() -> Option<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        let number = format!(":{}", number.trim());
        Some(Self { server, number })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

#[test]
fn a_demo_opens_without_home_models_or_network() {
    let Some(display) = Display::start() else {
        eprintln!("no Xvfb here: the real window was not opened");
        return;
    };
    // No process can make a folder in a file, whoever runs it.
    for home in [Some("/dev/null/home"), Some("/nonexistent"), None] {
        let (temporary, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_llavacode"));
        command.args(["--demo", "--first-picture"]).current_dir(here.path());
        for variable in [
            "HOME",
            "LLAVACODE_CACHE",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "XDG_RUNTIME_DIR",
            "WAYLAND_DISPLAY",
        ] {
            command.env_remove(variable);
        }
        command.env("DISPLAY", &display.number).env("TMPDIR", temporary.path());
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "HOME {home:?}: {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
        for folder in [&temporary, &here] {
            assert_eq!(
                std::fs::read_dir(folder.path()).unwrap().count(),
                0,
                "something was left behind"
            );
        }
        assert!(!std::path::Path::new("/nonexistent").exists(), "the home was made");
    }
}
