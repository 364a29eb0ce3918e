use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Prover, Store, parameter_file, parameters};

/// A parameter directory with links to the good 2KiB files.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for kind in ["params", "vk"] {
        replace(dir.path(), kind, &parameter_file(parameters(), "2KiB", kind));
    }
    dir
}

fn replace(dir: &Path, kind: &str, with: &Path) {
    let path = parameter_file(dir, "2KiB", kind);
    let _ = fs::remove_file(&path);
    symlink(with, path).unwrap();
}

fn own_copy(dir: &Path, kind: &str) -> std::path::PathBuf {
    let path = parameter_file(dir, "2KiB", kind);
    let content = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn with(dir: &Path, stage: &str, args: &[&str]) -> Command {
    let mut command = Prover::command(&[&[stage], args].concat());
    command.env("FIL_PROOFS_PARAMETER_CACHE", dir);
    command
}

/// The one line on stderr of a child that must refuse to start.
fn refusal(command: &mut Command) -> String {
    let output = command.stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "nothing on stdout: it would be taken for the ready line");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn parameters_that_cannot_be_used_are_refused_at_start() {
    let none = tempfile::tempdir().unwrap();
    let text = refusal(&mut with(none.path(), "window_post", &[]));
    assert!(text.contains("no window PoSt parameters in") && text.contains("params generate"), "{text}");
    let missing_dir = none.path().join("missing");
    refusal(&mut with(&missing_dir, "window_post", &[]));
    assert!(!missing_dir.exists(), "nothing is created");

    let refused = |expected: &str, damage: &dyn Fn(&Path)| {
        let dir = directory();
        damage(dir.path());
        let text = refusal(&mut with(dir.path(), "window_post", &["--sector-size", "2KiB"]));
        assert!(text.contains(expected) && text.contains(dir.path().to_str().unwrap()), "{expected}: {text}");
    };
    for bytes in [0, 1000, 5_000_000, 11_501_400] {
        refused("cut short", &|dir| {
            OpenOptions::new().write(true).open(own_copy(dir, "params")).unwrap().set_len(bytes).unwrap();
        });
    }
    refused("come from different set-ups", &|dir| {
        replace(dir, "params", &parameter_file(&parameters().join("other-seed"), "2KiB", "params"));
    });
    refused("belongs to another circuit", &|dir| {
        for kind in ["params", "vk"] {
            replace(dir, kind, &parameter_file(parameters(), "8MiB", kind));
        }
    });
    refused("No such file", &|dir| fs::remove_file(parameter_file(dir, "2KiB", "vk")).unwrap());
    refused("has 100 bytes instead of 3076", &|dir| {
        OpenOptions::new().write(true).open(own_copy(dir, "vk")).unwrap().set_len(100).unwrap();
    });
}

#[test]
fn damaged_parameters_of_one_size_do_not_stop_the_others() {
    let dir = directory();
    let damaged = parameter_file(dir.path(), "8MiB", "params");
    fs::write(&damaged, [0; 1000]).unwrap();
    Prover::spawn(&mut with(dir.path(), "window_post", &[]), "window_post processor ready");
    fs::remove_file(parameter_file(dir.path(), "2KiB", "params")).unwrap();
    let text = refusal(&mut with(dir.path(), "window_post", &[]));
    assert!(text.contains(damaged.with_extension("").to_str().unwrap()), "{text}");
}

#[test]
fn a_forced_size_is_the_one_that_is_checked() {
    let dir = directory();
    let text = refusal(with(dir.path(), "window_post", &[]).env("FORCE_SECTOR_SIZE", "34359738368"));
    assert!(text.contains("lotus fetch-params 32GiB"), "{text}");
    Prover::spawn(with(dir.path(), "window_post", &[]).env("FORCE_SECTOR_SIZE", "2048"), "window_post processor ready");
    let text = refusal(with(dir.path(), "window_post", &[]).env("FORCE_SECTOR_SIZE", "lots"));
    assert!(text.contains("FORCE_SECTOR_SIZE") && text.contains("lots"), "{text}");
}

#[test]
fn parameters_of_another_size_are_checked_when_they_are_first_needed() {
    let store = Store::new(1);
    let mut prover = Prover::spawn(&mut with(directory().path(), "window_post", &[]), "window_post processor ready");
    let mut task = store.task(&[0]);
    task["proof_type"] = "StackedDrgWindow512MiBV1_2".into();
    let text = prover.error(&task);
    assert!(text.contains("parameter file") && text.contains("params generate --size 512MiB"), "{text}");
}

#[test]
fn an_invalid_proof_is_never_answered() {
    // Another set-up's parameters behind the right verifying key: nothing shows before the proof is verified.
    let dir = directory();
    replace(dir.path(), "params", &parameter_file(&parameters().join("other-seed"), "2KiB", "params"));
    let path = own_copy(dir.path(), "params");
    let vk = fs::read(parameter_file(dir.path(), "2KiB", "vk")).unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&vk, 0).unwrap();

    let store = Store::new(2);
    let mut prover = Prover::spawn(&mut with(dir.path(), "window_post", &[]), "window_post processor ready");
    let text = prover.error(&store.task(&[0, 1]));
    assert!(text.contains("failed its own verification") && text.contains(path.to_str().unwrap()), "{text}");
}
