//! The way to a file: through folders and links, each of which may change where it ends.

use std::collections::VecDeque;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// More links than this lead in a circle.
const LINKS_MAX: usize = 40;

/// What tells of a change of a file.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The file by its real name, and by each name that leads through a link: whoever changes the link changes the file.
    pub(super) names: Vec<PathBuf>,
    /// The folders to watch, by their real names; each is there.
    pub(super) folders: Vec<PathBuf>,
}

/// The way to `file`, as far as it is there.
pub(super) fn to(file: &Path) -> Way {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut rest: VecDeque<PathBuf> = parts(&file).collect();
    let (mut way, mut folder, mut links) = (Way::default(), PathBuf::from("/"), 0);
    while let Some(part) = rest.pop_front() {
        if part == Path::new("..") {
            folder.pop();
            continue;
        }
        let here = folder.join(part);
        let name = rest.iter().fold(here.clone(), |name, part| name.join(part));
        match fs::read_link(&here) {
            Ok(target) if links < LINKS_MAX => {
                links += 1;
                way.names.push(name);
                way.folders.push(folder.clone());
                for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
                if target.is_absolute() {
                    folder = PathBuf::from("/");
                }
            }
            _ if here.is_dir() && !rest.is_empty() => folder = here,
            _ => {
                way.names.push(name);
                break;
            }
        }
    }
    way.folders.push(folder);
    way
}

/// The parts of a path below the root.
fn parts(path: &Path) -> impl Iterator<Item = PathBuf> {
    let below = path
        .components()
        .filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
    below.map(|part| PathBuf::from(part.as_os_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder by its real name.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        (folder, real)
    }

    #[test]
    fn a_file_is_watched_in_the_nearest_folder_that_is_there() {
        let (_kept, at) = folder();
        let way = to(&at.join("a/b/f.json"));
        assert_eq!(way.names, [at.join("a/b/f.json")]);
        assert_eq!(way.folders, std::slice::from_ref(&at));
        fs::create_dir_all(at.join("a/b")).unwrap();
        assert_eq!(to(&at.join("a/b/f.json")).folders, [at.join("a/b")]);
    }

    #[test]
    fn every_link_on_the_way_is_watched_where_it_stands() {
        let (_kept, at) = folder();
        fs::create_dir_all(at.join("real/deep")).unwrap();
        symlink("real", at.join("state")).unwrap();
        symlink("../real/deep/g.json", at.join("real/f.json")).unwrap();
        let way = to(&at.join("state/f.json"));
        let names = ["state/f.json", "real/f.json", "real/deep/g.json"];
        assert_eq!(way.names, names.map(|name| at.join(name)));
        assert_eq!(way.folders, [at.clone(), at.join("real"), at.join("real/deep")]);
    }

    #[test]
    fn a_circle_has_an_end() {
        let (_kept, at) = folder();
        symlink("b", at.join("a")).unwrap();
        symlink("a", at.join("b")).unwrap();
        let way = to(&at.join("a"));
        assert!(way.folders.iter().all(|folder| *folder == at));
        assert_eq!(way.names.len(), LINKS_MAX + 1);
    }
}
