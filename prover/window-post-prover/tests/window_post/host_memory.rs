use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::support::{PATIENCE, Prover, Store};

/// More than any host has: a SNARK runs only where none else does.
const ALL: &str = "1000000000000000";

fn start(locks: &Path, bytes: &str) -> Prover {
    let mut command = Prover::command(&["window_post", "--progress", "--memory-per-proof", bytes]);
    Prover::spawn(command.env("WDPOST_LOCK_DIR", locks), "window_post processor ready")
}

/// A task of four partitions, so that there is time to stop its proof.
fn long_task(store: &Store) -> Value {
    store.task(&[0, 1, 2, 3, 4, 5, 6, 7])
}

/// Stops it in its SNARK, past the moment when it holds the library's lock on the parameter file.
fn stop_in_snark(prover: &Prover) {
    while until_phase(prover, "proving") < 1 {}
    signal(prover, libc::SIGSTOP);
}

fn until_phase(prover: &Prover, phase: &str) -> u64 {
    loop {
        let line = prover.next();
        assert!(!line["progress"].is_null(), "no {phase} before {line}");
        if line["progress"]["phase"] == phase {
            return line["progress"]["done"].as_u64().unwrap();
        }
    }
}

fn answer(prover: &Prover) -> usize {
    let start = Instant::now();
    loop {
        let line = prover.next();
        assert!(start.elapsed() < PATIENCE, "it still waits: {line}");
        if line["progress"].is_null() {
            return line["output"]["proofs"].as_array().unwrap().len();
        }
    }
}

fn signal(prover: &Prover, signal: i32) {
    // SAFETY: sends a signal to a child of ours that was not waited for.
    assert_eq!(unsafe { libc::kill(prover.child.id() as i32, signal) }, 0);
}

#[test]
fn a_snark_waits_for_memory_until_the_one_that_holds_it_ends_however_that_is() {
    let (store, locks) = (Store::new(8), tempfile::tempdir().unwrap());
    let (long, short) = (long_task(&store), store.task(&[0, 1]));
    let mut first = start(locks.path(), "1");
    first.send(1, &long);
    stop_in_snark(&first);

    let mut second = start(locks.path(), ALL);
    second.send(1, &long);
    while until_phase(&second, "waiting") < 2 {}
    // There is room for it, but the other one came before.
    let mut third = start(locks.path(), "1");
    third.send(1, &short);
    while until_phase(&third, "waiting") < 2 {}

    first.child.kill().unwrap();
    stop_in_snark(&second);
    while until_phase(&third, "waiting") < 2 {}
    signal(&second, libc::SIGCONT);
    assert_eq!((answer(&second), answer(&third)), (1, 1));
    let left: Vec<_> = fs::read_dir(locks.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["gate"]);
}

#[test]
fn one_that_was_stopped_while_it_waits_is_passed_by() {
    let (store, locks) = (Store::new(8), tempfile::tempdir().unwrap());
    let (long, short) = (long_task(&store), store.task(&[0, 1]));
    let mut provers = [start(locks.path(), ALL), start(locks.path(), ALL), start(locks.path(), ALL)];
    provers[0].send(1, &long);
    stop_in_snark(&provers[0]);
    for prover in &mut provers[1..] {
        prover.send(1, &short);
        until_phase(prover, "waiting");
    }
    signal(&provers[1], libc::SIGSTOP);
    provers[0].child.kill().unwrap();
    assert_eq!(answer(&provers[2]), 1);
}

#[test]
fn where_memory_is_enough_or_does_not_count_nobody_waits() {
    let (store, locks) = (Store::new(8), tempfile::tempdir().unwrap());
    let (long, short) = (long_task(&store), store.task(&[0, 1]));
    let mut first = start(locks.path(), "1");
    first.send(1, &long);
    stop_in_snark(&first);
    let mut second = start(locks.path(), "1");
    let mut third = start(locks.path(), "0");
    for prover in [&mut second, &mut third] {
        prover.send(1, &short);
        assert_eq!(answer(prover), 1);
    }
}

#[test]
fn without_a_place_for_reservations_it_proves_all_the_same() {
    let store = Store::new(1);
    let mut prover = start(Path::new("/proc/nowhere"), ALL);
    prover.send(1, &store.task(&[0]));
    assert_eq!(answer(&prover), 1);
}
