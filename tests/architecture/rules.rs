//! The rules, over sources as data.

use std::fmt;

use super::source::Source;

/// Parts of std that reach into the world, or read a clock.
const WORLDLY_STD: [&str; 8] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// The one clock, which everything else is given.
const CLOCK: &str = "actors/src/domain/clock.rs";

/// A broken rule and its place.
pub(crate) struct Problem {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Every place where a text stands that is confined to other places.
pub(crate) fn confined(sources: &[Source], rules: &[(&str, &[&str])]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in sources {
        for (text, places) in rules {
            let is_allowed = places.iter().any(|place| {
                source.path == *place || (place.ends_with('/') && source.path.starts_with(place))
            });
            if is_allowed {
                continue;
            }
            let found = source.code.iter().filter(|(_, line)| stands_in(line, text));
            problems.extend(found.map(|(line, _)| Problem {
                path: source.path.clone(),
                line: *line,
                message: format!("`{text}` does not belong here"),
            }));
        }
    }
    problems
}

/// Every import of the domain that is not on the list.
pub(crate) fn domain_imports(sources: &[Source], allowed: &[&str]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in sources {
        let is_domain =
            source.path.starts_with("actors/src/domain/") || source.path == "actors/src/domain.rs";
        for (line, text) in source.code.iter().filter(|_| is_domain) {
            let foreign = imported(text)
                .filter(|name| !is_own(source, name) && !allowed.contains(name))
                .or_else(|| WORLDLY_STD.into_iter().find(|name| stands_in(text, name)))
                .filter(|name| source.path != CLOCK || *name != "std::time::Instant");
            if let Some(name) = foreign {
                problems.push(Problem {
                    path: source.path.clone(),
                    line: *line,
                    message: format!("the domain does not import `{name}`"),
                });
            }
        }
    }
    problems
}

/// Every file that is longer than it may be.
pub(crate) fn long_files(sources: &[Source], lines_max: usize) -> Vec<Problem> {
    sources
        .iter()
        .filter(|source| source.length > lines_max)
        .map(|source| Problem {
            path: source.path.clone(),
            line: source.length,
            message: format!("the file has {} lines, more than {lines_max}", source.length),
        })
        .collect()
}

/// The first segment of a `use`.
fn imported(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let path = line
        .strip_prefix("pub use ")
        .or_else(|| line.strip_prefix("pub(crate) use "))
        .or_else(|| line.strip_prefix("pub(super) use "))
        .or_else(|| line.strip_prefix("use "))?;
    path.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
}

/// Whether a name is std, a path keyword, or a module that the file itself declares.
fn is_own(source: &Source, name: &str) -> bool {
    let declared = format!("mod {name};");
    matches!(name, "std" | "crate" | "super" | "self") || source.holds(&declared)
}

/// Whether `text` stands in the line as a path of its own, not as the end of a longer name.
fn stands_in(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        text.starts_with('.') || !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}
