use serde_json::{Value, json};

use crate::support::{PROOF, Prover, Store, base64_length};

fn valid(store: &Store, sectors: &[usize], proof: &Value) -> bool {
    let mut verifier = Prover::start(&["window_post_verify"]);
    verifier.output(&store.verify_task(sectors, proof))["valid"] == true
}

#[test]
fn a_proof_verifies() {
    let store = Store::new(2);
    let proof = Prover::start(&["window_post"]).proof(&store.task(&[0, 1]));
    assert_eq!(proof.as_str().unwrap().len(), base64_length(192));
    assert!(valid(&store, &[0, 1], &proof));
    assert!(!valid(&store, &[0], &proof));
}

#[test]
fn more_sectors_than_a_partition_holds_make_one_joined_proof_and_repeated_ones_are_merged() {
    let store = Store::new(5);
    let proof = Prover::start(&["window_post"]).proof(&store.task(&[4, 2, 2, 0, 1, 3, 2]));
    assert_eq!(proof.as_str().unwrap().len(), base64_length(3 * 192));
    assert!(valid(&store, &[3, 1, 0, 1, 2, 4], &proof));
}

#[test]
fn the_older_proof_type_is_proven_too_and_is_not_the_newer_one() {
    let store = Store::new(3);
    let mut task = store.task(&[0, 1, 2]);
    task["proof_type"] = json!("StackedDrgWindow2KiBV1");
    let proof = Prover::start(&["window_post"]).proof(&task);

    let mut verifier = Prover::start(&["window_post_verify"]);
    let mut question = store.verify_task(&[0, 1, 2], &proof);
    question["task"]["proof_type"] = json!("StackedDrgWindow2KiBV1");
    assert_eq!(verifier.output(&question), json!({"valid": true, "reason": null}));
    question["task"]["proof_type"] = json!(PROOF);
    assert_eq!(verifier.output(&question)["valid"], false);
}

#[test]
fn a_request_is_read_and_answered_while_another_one_proves() {
    let store = Store::new(5);
    std::fs::remove_file(store.sealed(4)).unwrap();
    let mut prover = Prover::start(&["window_post", "--progress"]);
    prover.send(7, &store.task(&[0, 1, 2, 3]));
    while prover.next()["progress"]["phase"] != "proving" {}
    prover.send(8, &store.task(&[4]));

    let answers: Vec<Value> =
        std::iter::repeat_with(|| prover.next()).filter(|line| line["progress"].is_null()).take(2).collect();
    assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&json!(8), &json!(7)));
    assert_eq!(answers[0]["output"]["faults"], json!([4]));
    assert_eq!(answers[1]["output"]["proofs"].as_array().unwrap().len(), 1);
}

#[test]
fn progress_tells_each_phase_and_its_ends() {
    let store = Store::new(3);
    let mut prover = Prover::start(&["window_post", "--progress"]);
    prover.send(3, &store.task(&[0, 1, 2]));
    let mut steps = Vec::new();
    loop {
        let line = prover.next();
        assert_eq!(line["id"], 3);
        if line["progress"].is_null() {
            assert_eq!(line["output"]["faults"], json!([]));
            break;
        }
        assert!(line.get("output").is_none() && line.get("err_msg").is_none());
        steps.push(line["progress"].clone());
    }
    for (phase, total) in [("reading", 3), ("verifying", 1)] {
        for done in [0, total] {
            let step = json!({"phase": phase, "done": done, "total": total});
            assert!(steps.contains(&step), "{step} in {steps:?}");
        }
    }
    let cpu_seconds: Vec<_> =
        steps.iter().filter(|step| step["phase"] == "proving").map(|step| &step["done"]).collect();
    assert!(cpu_seconds.first() == Some(&&json!(0)) && cpu_seconds.last().unwrap().as_u64() > Some(0), "{steps:?}");
}

#[test]
fn a_rehearsal_does_everything_but_the_snark_and_needs_no_parameters() {
    let store = Store::new(3);
    let mut command = Prover::command(&["window_post", "--rehearse"]);
    command.env("FIL_PROOFS_PARAMETER_CACHE", "/nowhere");
    let mut prover = Prover::spawn(&mut command, "window_post processor ready");
    let output = prover.output(&store.task(&[0, 1, 2]));
    assert_eq!((&output["proofs"], &output["faults"]), (&json!([]), &json!([])));
    assert_eq!((&output["rehearsal"]["sectors"], &output["rehearsal"]["good"]), (&json!(3), &json!(3)));
    assert!(output["rehearsal"]["read_ms"]["p99"].as_f64().unwrap() > 0.0);
    assert!(!std::path::Path::new("/nowhere").exists());
}
