use serde_json::{Value, json};

use crate::support::{Prover, Store, base64_length, parameters};

const WINNING: &str = "StackedDrgWinning2KiBV1";

fn winning_task(store: &Store, sectors: &[usize]) -> Value {
    let mut task = store.task(sectors);
    task["proof_type"] = json!(WINNING);
    task
}

#[test]
fn a_winning_proof_verifies_and_stands_for_its_sector_and_seed_only() {
    let store = Store::new(2);
    let task = winning_task(&store, &[1]);
    let output = Prover::start(&["winning_post", "--warmup"]).output(&task);
    let proof = output["proofs"][0].as_str().unwrap();
    assert_eq!(output, json!({"proofs": [proof]}), "the one field that other parents know");
    assert_eq!(proof.len(), base64_length(192));

    let mut verifier = Prover::start(&["window_post_verify"]);
    let mut verdict = |task: &Value| verifier.output(&json!({"proof": proof, "task": task}));
    assert_eq!(verdict(&task), json!({"valid": true, "reason": null}));
    for (field, value) in [
        ("/seed/0", json!(77)),
        ("/replicas/0/comm_r", store.comm_rs[0].clone()),
        ("/replicas/0/sector_id", json!(0)),
        ("/proof_type", json!("StackedDrgWindow2KiBV1_2")),
    ] {
        let mut other = task.clone();
        *other.pointer_mut(field).unwrap() = value;
        assert_eq!(verdict(&other)["valid"], false, "{field}");
    }
    let mut two = task.clone();
    two["replicas"] = json!([store.replica(0), store.replica(1)]);
    assert_eq!(verdict(&two)["valid"], false);
}

#[test]
fn what_cannot_be_proven_is_told_at_once() {
    let store = Store::new(2);
    let mut prover = Prover::start(&["winning_post"]);
    assert!(prover.error(&store.task(&[0])).contains("is not a winning PoSt proof type"));
    assert!(prover.error(&winning_task(&store, &[0, 1])).contains("made of one sector, these are 2"));
    assert!(prover.error(&winning_task(&store, &[])).contains("no sector"));
    let mut wrong = winning_task(&store, &[0]);
    wrong["replicas"][0]["comm_r"] = store.comm_rs[1].clone();
    assert!(prover.error(&wrong).contains("sector 0 is bad: comm_r of the task"));
    std::fs::remove_file(store.cache(0).join("p_aux")).unwrap();
    assert!(prover.error(&winning_task(&store, &[0])).contains("sector 0 is "));
    assert!(
        Prover::start(&["window_post"]).error(&winning_task(&store, &[1])).contains("not a window PoSt proof type")
    );
}

#[test]
fn without_its_parameters_it_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    for name in std::fs::read_dir(parameters()).unwrap().map(|entry| entry.unwrap().path()) {
        if name.to_str().unwrap().contains("0170db1f") {
            std::fs::copy(&name, dir.path().join(name.file_name().unwrap())).unwrap();
        }
    }
    let mut command = Prover::command(&["winning_post"]);
    command.env("FIL_PROOFS_PARAMETER_CACHE", dir.path()).stderr(std::process::Stdio::piped());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("no winning PoSt parameters"), "{text}");
}
