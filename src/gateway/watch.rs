//! Watching files that may be replaced, made or removed at any time: their folders are watched, since a file that is
//! replaced takes its watch with it.

mod way;

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Files go on changing for no longer than this before they are read: a program that never stops writing is not
/// waited for.
const RESTLESS_MAX: Duration = Duration::from_secs(1);

/// The files that count, by every name that a change of them may be told under.
type Files = Arc<Mutex<HashSet<PathBuf>>>;

/// What tells a folder from another that has taken its name: its device and its number there.
type Identity = (u64, u64);

/// Watches some files. Where the system has no way to, it tells of nothing, and says so once.
#[derive(Debug)]
pub struct FileWatch {
    watcher: Option<RecommendedWatcher>,
    changed: Arc<Notify>,
    files: Files,
    /// The folders that are watched.
    folders: HashMap<PathBuf, Identity>,
}

impl FileWatch {
    /// Watches `files`; none of them need exist. They count as changed at first: whoever has read them did so before
    /// they were watched.
    #[must_use]
    pub fn of(files: &[PathBuf]) -> Self {
        let (changed, counted) = (Arc::new(Notify::new()), Files::default());
        let watcher = notify::recommended_watcher({
            let (changed, counted) = (Arc::clone(&changed), Arc::clone(&counted));
            move |event: notify::Result<Event>| {
                // However many changes nobody has looked at yet, they are one.
                if event.is_ok_and(|event| concerns(&counted.lock(), &event)) {
                    changed.notify_one();
                }
            }
        });
        let mut watch = Self {
            watcher: watcher.map_err(|error| say(&error)).ok(),
            changed,
            files: counted,
            folders: HashMap::new(),
        };
        watch.follow(files);
        watch
    }

    /// Watches `files` from now on, and nothing else. Where that takes watching another folder than before, they count
    /// as changed: what changed in it until now was not seen.
    pub fn follow(&mut self, files: &[PathBuf]) {
        let ways: Vec<_> = files.iter().map(|file| way::to(file)).collect();
        let folders: HashSet<&PathBuf> = ways.iter().flat_map(|way| &way.folders).collect();
        *self.files.lock() = ways.iter().flat_map(|way| way.names.iter().cloned()).collect();
        let Some(watcher) = &mut self.watcher else { return };
        for folder in self.folders.keys().filter(|folder| !folders.contains(folder)) {
            // It is gone, or was never watched.
            let _gone = watcher.unwatch(folder);
        }
        let mut kept = HashMap::new();
        for folder in folders {
            // One that has gone meanwhile is found out at the next change.
            let Some(identity) = identity(folder) else {
                continue;
            };
            if self.folders.get(folder) == Some(&identity) {
                kept.insert(folder.clone(), identity);
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    kept.insert(folder.clone(), identity);
                    self.changed.notify_one();
                }
                Err(error) => say(&error),
            }
        }
        self.folders = kept;
    }

    /// The next change of one of the files, or of a folder on the way to one.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until nothing has changed for `time`.
    pub async fn still_for(&self, time: Duration) {
        let still = async { while tokio::time::timeout(time, self.changed()).await.is_ok() {} };
        // Restless or not, it is time to look.
        let _restless = tokio::time::timeout(RESTLESS_MAX, still).await;
    }
}

/// Whether an event changes one of the files, or a folder on the way to one. Reading is no change.
fn concerns(files: &HashSet<PathBuf>, event: &Event) -> bool {
    let on_the_way = |path: &PathBuf| files.iter().any(|file| file.starts_with(path));
    !event.kind.is_access() && (event.need_rescan() || event.paths.iter().any(on_the_way))
}

fn say(error: &notify::Error) {
    tracing::warn!(target: "coderclaw", error = %error, "files are not watched: send SIGHUP after a change");
}

fn identity(folder: &Path) -> Option<Identity> {
    let meta = folder.metadata().ok()?;
    Some((meta.dev(), meta.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No change takes longer to be seen.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// How long nothing may change for all to be known.
    const STILL: Duration = Duration::from_millis(20);

    async fn sees(watch: &FileWatch) -> bool {
        tokio::time::timeout(PATIENCE, watch.changed()).await.is_ok()
    }

    /// A watch of `file` whose changes so far are known.
    async fn watch_of(file: &Path) -> FileWatch {
        let watch = FileWatch::of(&[file.to_owned()]);
        watch.still_for(STILL).await;
        watch
    }

    #[tokio::test]
    async fn a_file_that_is_made_replaced_or_removed_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.json");
        let watch = watch_of(&file).await;
        std::fs::write(&file, "1").unwrap();
        assert!(sees(&watch).await, "made");
        watch.still_for(STILL).await;
        crate::files::replace(&file, b"2", crate::files::OWNER_ONLY).unwrap();
        assert!(sees(&watch).await, "replaced");
        watch.still_for(STILL).await;
        std::fs::remove_file(&file).unwrap();
        assert!(sees(&watch).await, "removed");
    }

    #[tokio::test]
    async fn a_file_below_a_folder_that_is_yet_to_be_made_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("a/b/f.json")];
        let mut watch = watch_of(&files[0]).await;
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        assert!(sees(&watch).await, "the folder");
        watch.still_for(STILL).await;
        watch.follow(&files);
        std::fs::write(&files[0], "1").unwrap();
        assert!(sees(&watch).await, "the file");
    }

    #[tokio::test]
    async fn what_changed_before_its_folder_was_watched_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/f.json");
        let mut watch = watch_of(&file).await;
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(&file, "1").unwrap();
        assert!(sees(&watch).await, "the folder");
        watch.still_for(STILL).await;
        watch.follow(std::slice::from_ref(&file));
        assert!(sees(&watch).await, "what may have been written in it meanwhile");
        watch.still_for(STILL).await;
        watch.follow(std::slice::from_ref(&file));
        let seen = tokio::time::timeout(STILL, watch.changed()).await;
        assert!(seen.is_err(), "nothing is new any more");
    }

    #[tokio::test]
    async fn the_file_that_a_link_leads_to_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let dotfiles = tempfile::tempdir().unwrap();
        let (file, real) = (folder.path().join("f.json"), dotfiles.path().join("real.json"));
        std::fs::write(&real, "1").unwrap();
        std::os::unix::fs::symlink(&real, &file).unwrap();
        let watch = watch_of(&file).await;
        std::fs::write(&real, "2").unwrap();
        assert!(sees(&watch).await, "written in place");
        watch.still_for(STILL).await;
        std::fs::remove_file(&file).unwrap();
        assert!(sees(&watch).await, "the link removed");
    }

    #[tokio::test]
    async fn a_folder_that_is_a_link_and_leads_elsewhere_is_seen() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&two).unwrap();
        let state = home.path().join("state");
        std::os::unix::fs::symlink("one", &state).unwrap();
        let file = state.join("f.json");
        let mut watch = watch_of(&file).await;
        let next = home.path().join("next");
        std::os::unix::fs::symlink("two", &next).unwrap();
        std::fs::rename(&next, &state).unwrap();
        assert!(sees(&watch).await, "another folder");
        watch.still_for(STILL).await;
        watch.follow(std::slice::from_ref(&file));
        watch.still_for(STILL).await;
        std::fs::write(two.join("f.json"), "1").unwrap();
        assert!(sees(&watch).await, "the file in it");
    }

    #[tokio::test]
    async fn a_folder_that_another_has_replaced_is_watched() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let file = state.join("f.json");
        let mut watch = watch_of(&file).await;
        std::fs::rename(&state, home.path().join("old")).unwrap();
        std::fs::create_dir(&state).unwrap();
        watch.still_for(STILL).await;
        watch.follow(std::slice::from_ref(&file));
        watch.still_for(STILL).await;
        std::fs::write(&file, "1").unwrap();
        assert!(sees(&watch).await, "the file in the new folder");
    }

    #[test]
    fn other_files_and_mere_reading_are_nobodys_business() {
        use notify::EventKind;
        use notify::event::{AccessKind, CreateKind};

        let files = HashSet::from([PathBuf::from("/s/a/f.json")]);
        let event = |kind, path: &str| Event::new(kind).add_path(PathBuf::from(path));
        let made = EventKind::Create(CreateKind::Any);
        assert!(concerns(&files, &event(made, "/s/a/f.json")));
        assert!(concerns(&files, &event(made, "/s/a")));
        assert!(!concerns(&files, &event(made, "/s/a/f.json.next")));
        assert!(!concerns(
            &files,
            &event(EventKind::Access(AccessKind::Any), "/s/a/f.json")
        ));
    }
}
