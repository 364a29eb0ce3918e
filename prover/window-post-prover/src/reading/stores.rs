use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Mutex;

/// Readers given up in one store, still in the kernel's hands, before the store is left alone.
const STUCK_AT_MOST: usize = 4;

/// A store as readers see it: the roots of a sector's sealed file and of its cache directory.
pub type Store = (PathBuf, PathBuf);

/// The readers that were given up. A killed process in an uninterruptible wait stays until its call returns, so the
/// ones of a store that hangs are counted and not waited for; when the store is back they end and are forgotten.
#[derive(Default)]
pub struct StuckReaders {
    by_store: Mutex<HashMap<Store, Vec<Child>>>,
}

impl StuckReaders {
    pub fn give_up(&self, store: &Store, mut reader: Child) {
        // Cannot fail in a way that matters: either it is gone already or it is killed.
        let _ = reader.kill();
        let mut by_store = self.by_store.lock().expect("no holder of this lock can panic");
        by_store.entry(store.clone()).or_default().push(reader);
    }

    /// Whether a store holds so many readers that no more are risked on it.
    pub fn too_many(&self, store: &Store) -> bool {
        let mut by_store = self.by_store.lock().expect("no holder of this lock can panic");
        let Some(readers) = by_store.get_mut(store) else { return false };
        readers.retain_mut(|reader| matches!(reader.try_wait(), Ok(None)));
        readers.len() >= STUCK_AT_MOST
    }
}
