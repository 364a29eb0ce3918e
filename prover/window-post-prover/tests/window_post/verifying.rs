use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{Prover, Store, parameter_file, parameters};

#[test]
fn verifying_needs_only_the_verifying_key_and_writes_nothing() {
    let store = Store::new(2);
    let proof = Prover::start(&["window_post"]).proof(&store.task(&[0, 1]));

    let dir = tempfile::tempdir().unwrap();
    let vk = parameter_file(dir.path(), "2KiB", "vk");
    fs::copy(parameter_file(parameters(), "2KiB", "vk"), &vk).unwrap();
    fs::set_permissions(&vk, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = Prover::command(&["window_post_verify"]);
    command.env("FIL_PROOFS_PARAMETER_CACHE", dir.path());
    let mut verifier = Prover::spawn(&mut command, "window_post_verify processor ready");

    let task = store.verify_task(&[0, 1], &proof);
    assert_eq!(verifier.output(&task), json!({"valid": true, "reason": null}));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

    let wrong = |field: &str, value: Value, reason: &str, verifier: &mut Prover| {
        let mut task = task.clone();
        *task.pointer_mut(field).unwrap() = value;
        let verdict = verifier.output(&task);
        assert_eq!(verdict["valid"], false, "{field}");
        assert!(verdict["reason"].as_str().unwrap().contains(reason), "{field}: {verdict}");
    };
    let text = proof.as_str().unwrap();
    wrong("/task/seed/0", json!(77), "does not verify", &mut verifier);
    wrong("/task/replicas/0/comm_r", task["task"]["replicas"][1]["comm_r"].clone(), "does not verify", &mut verifier);
    wrong("/task/replicas/0/comm_r", vec![0; 32].into(), "", &mut verifier);
    wrong("/task/replicas/0/comm_r", vec![255; 32].into(), "", &mut verifier);
    wrong("/proof", json!("no base64!"), "not base64", &mut verifier);
    wrong("/proof", json!(text[..252]), "192 bytes", &mut verifier);
    wrong("/proof", json!(""), "192 bytes", &mut verifier);
    wrong("/proof", json!(format!("AAAA{}", &text[4..])), "", &mut verifier);

    let mut other_size = task.clone();
    other_size["task"]["proof_type"] = json!("StackedDrgWindow8MiBV1_2");
    let text = verifier.error(&other_size);
    assert!(text.contains(".vk") && text.contains("No such file"), "{text}");
}

#[test]
fn a_malformed_question_is_an_error() {
    let store = Store::new(1);
    let mut verifier = Prover::start(&["window_post_verify"]);
    let mut task = store.verify_task(&[0], &json!(""));
    task["task"]["replicas"] = json!([]);
    assert!(verifier.error(&task).contains("task.task.replicas"));
    task["task"]["replicas"] = json!([{"sector_id": 0}]);
    assert!(verifier.error(&task).contains("task.task.replicas[0]"));
    task["task"] = json!("no task");
    assert!(verifier.error(&task).contains("task.task: "));
    assert!(verifier.error(&json!({"proof": ""})).contains("task: missing field `task`"));
}
