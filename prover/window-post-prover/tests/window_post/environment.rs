use std::fs;

use crate::support::{Prover, Store};

#[test]
fn settings_of_the_proofs_library_around_it_do_not_matter_and_nothing_is_left() {
    let store = Store::new(2);
    let (cwd, tmp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(cwd.path().join("rust-fil-proofs.config.toml"), "rows_to_discard = 3\n").unwrap();
    let mut command = Prover::command(&["window_post"]);
    command.current_dir(cwd.path()).env("TMPDIR", tmp.path()).env("FIL_PROOFS_ROWS_TO_DISCARD", "abc");
    let mut prover = Prover::spawn(&mut command, "window_post processor ready");
    prover.proof(&store.task(&[0, 1]));
    let here = fs::read_link(format!("/proc/{}/cwd", prover.child.id())).unwrap();
    assert!(here.to_str().unwrap().ends_with(" (deleted)"), "{}", here.display());
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0);
}

#[test]
fn a_relative_parameter_directory_is_meant_from_where_it_was_started() {
    let parent = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(crate::support::parameters(), parent.path().join("relative")).unwrap();
    let mut command = Prover::command(&["window_post"]);
    command.current_dir(parent.path()).env("FIL_PROOFS_PARAMETER_CACHE", "relative");
    Prover::spawn(&mut command, "window_post processor ready");
}
