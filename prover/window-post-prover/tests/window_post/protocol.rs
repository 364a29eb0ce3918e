use serde_json::{Value, json};

use crate::support::{Prover, Store, seed};

#[test]
fn the_end_of_input_ends_it_at_once_also_while_it_proves() {
    let store = Store::new(2);
    let mut prover = Prover::start(&["window_post", "--progress"]);
    prover.send(1, &store.task(&[0, 1]));
    while prover.next()["progress"]["phase"] != "proving" {}
    assert!(prover.close_input().success());
}

#[test]
fn lines_that_are_no_requests_are_skipped_broken_ones_are_answered_and_carriage_returns_are_fine() {
    let mut prover = Prover::start(&["window_post"]);
    for line in ["", "no json", "[]", r#"{"task":{}}"#, r#"{"id":-1,"task":{}}"#] {
        prover.send_line(line);
    }
    prover.send_line(r#"{"id":3,"task":{"miner_id":100%,}}"#);
    let answer = prover.next();
    assert_eq!(answer["id"], 3);
    assert!(answer["err_msg"].as_str().unwrap().contains("cannot be read"), "{answer}");
    prover.send_line("{\"id\":18446744073709551615,\"task\":{}}\r");
    let answer = prover.next();
    assert_eq!(answer["id"], json!(u64::MAX));
    assert!(answer["err_msg"].is_string() && answer["output"].is_null());
}

#[test]
fn a_malformed_task_is_an_error_that_names_the_field() {
    let store = Store::new(1);
    let mut prover = Prover::start(&["window_post"]);
    let good = store.task(&[0]);
    let mut other = good["replicas"][0].clone();
    other["comm_r"] = json!(seed());
    let other_comm_r = json!([good["replicas"][0], other]);
    let cases: [(&str, Value, &str); 9] = [
        ("/replicas", json!(null), "task.replicas"),
        ("/replicas", json!([]), "task.replicas"),
        ("/replicas", other_comm_r, "twice"),
        ("/replicas/0/comm_r", json!([1, 2]), "task.replicas[0].comm_r"),
        ("/replicas/0/sector_id", json!("x"), "task.replicas[0].sector_id"),
        ("/replicas/0/sealed_file", json!("relative"), "absolute"),
        ("/seed", json!([0, 256]), "task.seed"),
        ("/miner_id", json!(-5), "task.miner_id"),
        ("/proof_type", json!("100%dStackedDrgWindow"), "task.proof_type"),
    ];
    for (field, value, expected) in cases {
        let mut task = good.clone();
        *task.pointer_mut(field).unwrap() = value;
        let text = prover.error(&task);
        assert!(text.contains(expected) && !text.contains('%'), "{field}: {text}");
    }
    for field in ["miner_id", "proof_type", "seed"] {
        let mut task = good.clone();
        task.as_object_mut().unwrap().remove(field);
        assert!(prover.error(&task).contains(field));
    }
}
