//! A source file, with the parts that no rule is about taken out.

use std::path::Path;
use std::{fs, io};

/// Where the product's code lives.
const PRODUCT: [&str; 2] = ["src", "actors/src"];
/// Where all code lives.
const ALL: [&str; 4] = ["src", "actors/src", "tests", "benches"];

/// One file.
pub(crate) struct Source {
    /// Its path from the root of the repository.
    pub(crate) path: String,
    /// How many lines it has.
    pub(crate) length: usize,
    /// Its code: number and text of every line outside comments and tests.
    pub(crate) code: Vec<(usize, String)>,
}

impl Source {
    /// The product's code, without its tests.
    pub(crate) fn of_product() -> io::Result<Vec<Self>> {
        let mut found = read(&PRODUCT)?;
        found.retain(|source| !is_test(&source.path));
        Ok(found)
    }

    /// Every file, tests too.
    pub(crate) fn all() -> io::Result<Vec<Self>> {
        read(&ALL)
    }

    /// A file with this text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            length: text.lines().count(),
            code: code_of(text),
        }
    }

    /// Whether its code has this text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.code.iter().any(|(_, line)| line.contains(text))
    }
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

fn read(folders: &[&str]) -> io::Result<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in folders {
        walk(root, &root.join(folder), &mut found)?;
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let place = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
            found.push(Source::new(&place, &fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// The lines outside comments and outside `#[cfg(test)]` items, with their numbers.
fn code_of(text: &str) -> Vec<(usize, String)> {
    let mut code = Vec::new();
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            let indent = indent_of(line);
            // The item ends at `;` on its first line, or at the brace that stands where it began.
            for (inner, _) in lines.by_ref() {
                let is_end = inner.trim_start().starts_with('}') && indent_of(inner) <= indent;
                let is_whole = indent_of(inner) <= indent && inner.trim_end().ends_with(';');
                if is_end || is_whole {
                    break;
                }
            }
        } else if !line.trim_start().starts_with("//") {
            let line = line.split_once(" // ").map_or(line, |(before, _)| before);
            code.push((number, line.to_owned()));
        }
    }
    code
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
