//! Runs the real program.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};

fn tools(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_prover-tools")).args(args).output().unwrap()
}

fn good(args: &[&str]) -> String {
    let output = tools(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(args: &[&str]) -> String {
    let output = tools(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn fake(out: &Path, size: &str, more: &[&str]) -> String {
    good(&[&["sectors", "fake", "--miner", "1000", "--size", size, "--out", out.to_str().unwrap()], more].concat())
}

#[test]
fn parameters_are_the_same_bytes_everywhere_and_are_not_made_twice() {
    let dir = tempfile::tempdir().unwrap();
    let dir_text = dir.path().to_str().unwrap();
    assert!(good(&["params", "generate", "--size", "2KiB", "--dir", dir_text]).contains("made"));
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 3, "no temporary directory is left: {names:?}");
    let vk = names.iter().find(|name| name.extension().is_some_and(|kind| kind == "vk")).unwrap();
    // The first bytes of the verifying key of seed 7: they change with the seed and with nothing else.
    let head: Vec<u8> = fs::read(vk).unwrap()[..8].to_vec();
    assert_eq!(head, VK_HEAD);
    assert!(good(&["params", "generate", "--size", "2KiB", "--dir", dir_text]).contains("there already"));
    assert!(good(&["params", "check", "--size", "2KiB", "--dir", dir_text]).contains("belong together"));

    let winning = refused(&["params", "check", "--size", "2KiB", "--winning", "--dir", dir_text]);
    assert!(winning.contains("params generate --size 2KiB --winning"), "{winning}");

    fs::write(vk, [0; 3076]).unwrap();
    assert!(refused(&["params", "check", "--size", "2KiB", "--dir", dir_text]).contains("different set-ups"));
    assert!(refused(&["params", "generate", "--size", "2KiB", "--dir", dir_text]).contains("remove both files first"));
    let params = vk.with_extension("params");
    fs::remove_file(params).unwrap();
    assert!(refused(&["params", "generate", "--size", "2KiB", "--dir", dir_text]).contains("of another set-up"));
}

const VK_HEAD: [u8; 8] = [0x0a, 0x56, 0x91, 0x61, 0xca, 0x58, 0x49, 0x46];

#[test]
fn official_parameters_are_not_made_and_not_taken_from_anywhere_else() {
    for size in ["32GiB", "64GiB"] {
        assert!(refused(&["params", "generate", "--size", size]).contains("lotus fetch-params"));
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "v28-proof-of-spacetime-fallback-merkletree-poseidon_hasher-8-8-0-0377ded656c6f524f1618760bffe4e0a1c51d5a70c4509eedae8a27555733edc.vk";
    // The right length with other content: only the published digest tells.
    fs::write(dir.path().join(name), vec![0; 868 + 96 * (2349 * 11 + 1)]).unwrap();
    let text = refused(&["params", "check", "--size", "32GiB", "--dir", dir.path().to_str().unwrap()]);
    assert!(text.contains("digest is not the published one"), "{text}");
}

#[test]
fn fake_sectors_are_reproducible_and_kept() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = fake(one.path(), "2KiB", &["--count", "3"]);
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(fake(two.path(), "2KiB", &["--count", "3", "--no-links"]), lines);
    assert_ne!(fake(tempfile::tempdir().unwrap().path(), "2KiB", &["--count", "3", "--seed", "1"]), lines);

    let sealed = |store: &Path, n| fs::metadata(store.join(format!("sealed/s-t01000-{n}"))).unwrap();
    assert_eq!((sealed(one.path(), 0).nlink(), sealed(two.path(), 0).nlink()), (3, 1));

    fs::remove_file(two.path().join("sealed/s-t01000-1")).unwrap();
    let more = fake(two.path(), "2KiB", &["--count", "2", "--first", "1"]);
    assert_eq!(more, lines.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>());
    assert_eq!(sealed(two.path(), 1).len(), 2048);
}

#[test]
fn a_sector_of_someone_else_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    fake(dir.path(), "2KiB", &["--count", "1"]);
    let out = dir.path().to_str().unwrap();
    let common = ["sectors", "fake", "--miner", "1000", "--count", "1", "--out", out, "--size"];
    assert!(refused(&[&common[..], &["8MiB"]].concat()).contains("is not a file of 8388608 bytes"));
    assert!(refused(&[&common[..], &["2KiB", "--seed", "5"]].concat()).contains("is of another sector"));
}

#[test]
fn sectors_of_every_size_have_the_layout_of_a_persist_store() {
    for (size, bytes, trees) in
        [("8MiB", 8u64 << 20, 1), ("512MiB", 512 << 20, 1), ("32GiB", 32 << 30, 8), ("64GiB", 64 << 30, 16)]
    {
        let dir = tempfile::tempdir().unwrap();
        fake(dir.path(), size, &["--count", "1", "--first", "42"]);
        assert_eq!(fs::metadata(dir.path().join("sealed/s-t01000-42")).unwrap().len(), bytes);
        // The trees, p_aux and t_aux.
        assert_eq!(fs::read_dir(dir.path().join("cache/s-t01000-42")).unwrap().count(), trees + 2);
    }
}
