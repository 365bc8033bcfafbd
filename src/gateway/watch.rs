//! Watching files that may be replaced, made or removed at any time: their folders are watched, since a file that is
//! replaced takes its watch with it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Files go on changing for no longer than this before they are read: a program that never stops writing is not
/// waited for.
const RESTLESS_MAX: Duration = Duration::from_secs(1);

/// The files that count, by their real names.
type Files = Arc<Mutex<HashSet<PathBuf>>>;

/// Watches some files. Where the system has no way to, it tells of nothing, and says so once.
#[derive(Debug)]
pub struct FileWatch {
    watcher: Option<RecommendedWatcher>,
    changed: Arc<Notify>,
    files: Files,
    folders: HashSet<PathBuf>,
}

impl FileWatch {
    /// Watches `files`; none of them need exist.
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
            folders: HashSet::new(),
        };
        watch.follow(files);
        watch
    }

    /// Watches `files` from now on, and nothing else.
    pub fn follow(&mut self, files: &[PathBuf]) {
        let files: HashSet<PathBuf> = files.iter().map(|file| real(file)).collect();
        let folders: HashSet<PathBuf> = files.iter().filter_map(|file| nearest_folder(file)).collect();
        *self.files.lock() = files;
        let Some(watcher) = &mut self.watcher else { return };
        for folder in self.folders.difference(&folders) {
            // It is gone, or was never watched.
            let _gone = watcher.unwatch(folder);
        }
        let mut kept = HashSet::new();
        for folder in folders {
            if self.folders.contains(&folder) {
                kept.insert(folder);
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(kept.insert(folder)),
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

/// A path by the real name of its folder, as events have it.
fn real(file: &Path) -> PathBuf {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let real = file.parent().and_then(|folder| folder.canonicalize().ok());
    match (real, file.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => file,
    }
}

/// The folder that a file is in, or will be made below.
fn nearest_folder(file: &Path) -> Option<PathBuf> {
    let mut above = file.ancestors().skip(1);
    above.find(|folder| folder.is_dir()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No change takes longer to be seen.
    const PATIENCE: Duration = Duration::from_secs(10);

    async fn sees(watch: &FileWatch) -> bool {
        tokio::time::timeout(PATIENCE, watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_file_that_is_made_replaced_or_removed_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.json");
        let watch = FileWatch::of(std::slice::from_ref(&file));
        std::fs::write(&file, "1").unwrap();
        assert!(sees(&watch).await, "made");
        watch.still_for(Duration::from_millis(20)).await;
        crate::files::replace(&file, b"2", crate::files::OWNER_ONLY).unwrap();
        assert!(sees(&watch).await, "replaced");
        watch.still_for(Duration::from_millis(20)).await;
        std::fs::remove_file(&file).unwrap();
        assert!(sees(&watch).await, "removed");
    }

    #[tokio::test]
    async fn a_file_below_a_folder_that_is_yet_to_be_made_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let files = [folder.path().join("a/b/f.json")];
        let mut watch = FileWatch::of(&files);
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        assert!(sees(&watch).await, "the folder");
        watch.still_for(Duration::from_millis(20)).await;
        watch.follow(&files);
        std::fs::write(&files[0], "1").unwrap();
        assert!(sees(&watch).await, "the file");
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
