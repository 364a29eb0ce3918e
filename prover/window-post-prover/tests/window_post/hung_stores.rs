use std::time::Instant;

use crate::support::{PATIENCE, Prover, Store};

fn signal(pid: i32, signal: i32) {
    // SAFETY: sends a signal to a process that this test's child started.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

#[test]
fn a_stuck_reader_costs_time_only_and_is_replaced() {
    let store = Store::new(2);
    let mut prover = Prover::start(&["window_post", "--readers", "1", "--read-timeout", "3"]);
    prover.proof(&store.task(&[0]));
    let [reader] = prover.readers()[..] else { panic!("one reader: {:?}", prover.readers()) };
    signal(reader, libc::SIGSTOP);

    prover.proof(&store.task(&[0, 1]));
    assert!(!prover.readers().contains(&reader), "the stuck reader is gone");
}

#[test]
fn a_reader_that_died_is_replaced_unnoticed() {
    let store = Store::new(2);
    let mut prover = Prover::start(&["window_post", "--readers", "1"]);
    prover.proof(&store.task(&[0]));
    signal(prover.readers()[0], libc::SIGKILL);
    prover.proof(&store.task(&[0, 1]));
}

#[test]
fn readers_end_with_their_parent() {
    let store = Store::new(2);
    let mut prover = Prover::start(&["window_post"]);
    prover.proof(&store.task(&[0, 1]));
    let readers = prover.readers();
    assert!(!readers.is_empty());
    prover.child.kill().unwrap();
    prover.child.wait().unwrap();
    let start = Instant::now();
    for reader in readers {
        let status = || std::fs::read_to_string(format!("/proc/{reader}/status")).unwrap_or_default();
        while !status().is_empty() && !status().contains("State:\tZ") {
            assert!(start.elapsed() < PATIENCE, "reader {reader} lives on");
            std::thread::yield_now();
        }
    }
}
