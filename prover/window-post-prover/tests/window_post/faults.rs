use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Prover, Store};

const TREE: &str = "sc-02-data-tree-r-last.dat";
const DAMAGED: usize = 1;

fn flip(path: &Path, offset: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
}

fn cut(path: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

/// Each way to damage sector 1, and a word of the reason it must be given.
type Damage = (&'static str, fn(&Store), &'static str);

/// Said of what is missing or of another size: that was not so where the task was made.
const SEEN_ELSEWHERE: [&str; 3] = ["No such file", "instead of", "is not a regular file"];

const DAMAGES: &[Damage] = &[
    ("one byte of the sealed file", |store| flip(&store.sealed(DAMAGED), 1000), "is invalid"),
    (
        "a node above the field modulus",
        |store| fs::write(store.sealed(DAMAGED), [0xff; 2048]).unwrap(),
        "from_repr failure",
    ),
    ("sealed file cut short", |store| cut(&store.sealed(DAMAGED), 2016), "has 2016 bytes instead of 2048"),
    ("sealed file too long", |store| cut(&store.sealed(DAMAGED), 2080), "has 2080 bytes instead of 2048"),
    ("sealed file missing", |store| fs::remove_file(store.sealed(DAMAGED)).unwrap(), "No such file"),
    (
        "sealed file a directory",
        |store| {
            fs::remove_file(store.sealed(DAMAGED)).unwrap();
            fs::create_dir(store.sealed(DAMAGED)).unwrap();
        },
        "is not a regular file",
    ),
    ("tree cut short", |store| cut(&store.cache(DAMAGED).join(TREE), 0), "has 0 bytes instead of 32"),
    ("tree missing", |store| fs::remove_file(store.cache(DAMAGED).join(TREE)).unwrap(), "No such file"),
    ("one byte of the tree", |store| flip(&store.cache(DAMAGED).join(TREE), 3), "is invalid"),
    ("p_aux missing", |store| fs::remove_file(store.cache(DAMAGED).join("p_aux")).unwrap(), "No such file"),
    ("p_aux cut short", |store| cut(&store.cache(DAMAGED).join("p_aux"), 40), "has 40 bytes instead of 64"),
    ("comm_c in p_aux", |store| flip(&store.cache(DAMAGED).join("p_aux"), 5), "comm_r"),
    ("comm_r_last in p_aux", |store| flip(&store.cache(DAMAGED).join("p_aux"), 40), "comm_r"),
    (
        "p_aux above the field modulus",
        |store| fs::write(store.cache(DAMAGED).join("p_aux"), [0xff; 64]).unwrap(),
        "field",
    ),
    ("cache directory missing", |store| fs::remove_dir_all(store.cache(DAMAGED)).unwrap(), "No such file"),
];

#[test]
fn every_damage_costs_its_own_sector_only_and_nothing_is_created() {
    let mut prover = Prover::start(&["window_post"]);
    for (name, damage, reason) in DAMAGES {
        let store = Store::new(3);
        damage(&store);
        let before = store.listing();
        let output = prover.output(&store.task(&[0, 1, 2]));
        assert_eq!((&output["faults"], &output["proofs"]), (&json!([DAMAGED]), &json!([])), "{name}: {output}");
        let detail = &output["details"][0];
        let class = if SEEN_ELSEWHERE.iter().any(|text| reason.contains(text)) { "unknown" } else { "bad" };
        assert_eq!((&detail["sector_id"], &detail["class"]), (&json!(DAMAGED), &json!(class)), "{name}: {detail}");
        assert!(detail["reason"].as_str().unwrap().contains(reason), "{name}: {detail}");
        assert_eq!(store.listing(), before, "{name}");
    }
    // The process is none the worse for it.
    prover.proof(&Store::new(2).task(&[0, 1]));
}

#[test]
fn the_others_are_proven_without_the_damaged_sector() {
    let store = Store::new(3);
    fs::write(store.sealed(DAMAGED), [0xff; 2048]).unwrap();
    let proof = Prover::start(&["window_post"]).proof(&store.task(&[0, 2]));
    let verdict = Prover::start(&["window_post_verify"]).output(&store.verify_task(&[0, 2], &proof));
    assert_eq!(verdict["valid"], true);
}

#[test]
fn swapped_comm_rs_cost_the_two_sectors() {
    let mut store = Store::new(3);
    store.comm_rs.swap(0, 2);
    let output = Prover::start(&["window_post"]).output(&store.task(&[0, 1, 2]));
    assert_eq!(output["faults"], json!([0, 2]));
    let classes: Vec<&Value> = output["details"].as_array().unwrap().iter().map(|detail| &detail["class"]).collect();
    assert_eq!(classes, ["bad", "bad"]);
}

#[test]
fn sectors_of_a_store_that_is_not_there_are_unknown() {
    let (there, gone, unmounted) = (Store::new(1), Store::new(1), Store::new(1));
    fs::remove_dir_all(gone.root()).unwrap();
    fs::remove_dir_all(unmounted.root()).unwrap();
    fs::create_dir(unmounted.root()).unwrap();
    let mut task = there.task(&[0]);
    for (id, store) in [(11, &gone), (12, &unmounted)] {
        let mut replica = store.replica(0);
        replica["sector_id"] = json!(id);
        task["replicas"].as_array_mut().unwrap().push(replica);
    }
    let output = Prover::start(&["window_post"]).output(&task);
    assert_eq!(output["faults"], json!([11, 12]));
    for detail in output["details"].as_array().unwrap() {
        assert_eq!(detail["class"], "unknown", "{detail}");
        assert!(detail["reason"].as_str().unwrap().starts_with("the store is not there"), "{detail}");
    }
}

#[test]
fn only_stores_that_were_named_are_read() {
    let (store, other) = (Store::new(2), Store::new(2));
    let root = store.root();
    let mut prover = Prover::start(&["window_post", "--store", "/nowhere", "--store", root.to_str().unwrap()]);
    assert!(prover.error(&other.task(&[0])).contains("sector 0 is in no store that is read here"));
    let mut mixed = store.task(&[0, 1]);
    mixed["replicas"][1]["cache_dir"] = json!(other.cache(1));
    assert!(prover.error(&mixed).contains("sector 1 is in no store"));
    mixed["replicas"][1]["cache_dir"] = json!(root.join("../store/cache/s-t01000-1"));
    assert!(prover.error(&mixed).contains("sector 1 is in no store"));
    prover.proof(&store.task(&[0, 1]));
}

#[test]
fn no_link_is_followed_out_of_a_store_that_was_named() {
    let (store, other) = (Store::new(3), Store::new(1));
    let linked = |from: &Path, to: &Path| {
        if from.is_dir() {
            fs::remove_dir_all(from).unwrap()
        } else {
            fs::remove_file(from).unwrap()
        }
        std::os::unix::fs::symlink(to, from).unwrap();
    };
    linked(&store.sealed(0), &other.sealed(0));
    linked(&store.cache(1), &other.cache(0));
    // The store itself may be a link, and links within it lead nowhere else.
    fs::rename(store.sealed(2), store.root().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(store.root().join("elsewhere"), store.sealed(2)).unwrap();
    let mut prover = Prover::start(&["window_post", "--store", store.root().to_str().unwrap()]);
    let output = prover.output(&store.task(&[0, 1, 2]));
    assert_eq!(output["faults"], json!([0, 1]));
    for detail in output["details"].as_array().unwrap() {
        assert_eq!(detail["class"], "unknown", "{detail}");
        assert!(detail["reason"].as_str().unwrap().contains("a link leads out of"), "{detail}");
    }
    assert_eq!(Prover::start(&["window_post"]).output(&store.task(&[2]))["faults"], json!([]));
}
