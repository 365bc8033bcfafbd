//! Everything that came out, and the search in it.

use std::collections::{BTreeSet, HashMap};

use coderclaw::emulator::KeySecret;

/// Pieces of a secret up to this many characters are no leak.
const PIECE_CHARS: usize = 8;

/// Where something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A provider's answer, which may repeat the prompt.
    Answer,
    /// The gateway's own words: logs, pages, commands, files.
    Own,
}

/// What must not come out.
#[derive(Debug)]
pub(crate) struct Secrets {
    all: Vec<(String, String)>,
    prompt: String,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            prompt: "zebra quorum jackdaw vexing sphinx fjord".to_owned(),
        }
    }
}

impl Secrets {
    pub(crate) fn add(&mut self, name: &str, secret: &str) {
        self.all.push((name.to_owned(), secret.to_owned()));
    }

    /// What callers say to models: not for logs.
    pub(crate) fn prompt(&self) -> &str {
        &self.prompt
    }
}

/// What came out, with where.
#[derive(Default)]
pub(crate) struct Corpus {
    places: Vec<(Kind, String, Vec<u8>)>,
    pub(crate) statuses: BTreeSet<u16>,
}

impl Corpus {
    pub(crate) fn add(&mut self, kind: Kind, place: &str, text: &[u8]) {
        self.places.push((kind, place.to_owned(), text.to_vec()));
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.places.extend(other.places);
        self.statuses.extend(other.statuses);
    }

    /// The first piece of each secret in each place: named by fingerprint, never by the piece.
    pub(crate) fn leaks(&self, secrets: &Secrets) -> Vec<String> {
        let keys = pieces(
            secrets
                .all
                .iter()
                .map(|(name, secret)| (name.as_str(), secret.as_str())),
        );
        let prompt = pieces([("prompt", secrets.prompt())]);
        // Most bytes begin no piece: a look at two of them is all that most places need.
        let mut begins = vec![false; 1 << 16];
        for piece in keys.keys().chain(prompt.keys()) {
            begins[pair(piece)] = true;
        }
        let mut leaks = Vec::new();
        for (kind, place, text) in &self.places {
            let mut found = BTreeSet::new();
            for (offset, window) in text.windows(PIECE_CHARS + 1).enumerate() {
                if !begins[pair(window)] {
                    continue;
                }
                let of_prompt = prompt.get(window).filter(|_| *kind == Kind::Own);
                if let Some((name, fingerprint)) = keys.get(window).or(of_prompt)
                    && found.insert(name)
                {
                    leaks.push(format!(
                        "{place}: a piece of {name} ({fingerprint}) at offset {offset}"
                    ));
                }
            }
        }
        leaks
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Every piece that is too long, with the name and fingerprint of its secret. What all keys of a kind begin with is
/// no secret.
fn pieces<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> HashMap<&'a [u8], (String, String)> {
    let mut pieces = HashMap::new();
    for (name, secret) in secrets {
        let prefix = secret.rfind('-').map_or(0, |at| at + 1);
        let named = (name.to_owned(), KeySecret::new(secret).fingerprint());
        for (at, piece) in secret.as_bytes().windows(PIECE_CHARS + 1).enumerate() {
            if at + piece.len() > prefix {
                pieces.insert(piece, named.clone());
            }
        }
    }
    pieces
}

#[test]
fn a_piece_of_nine_is_found_and_one_of_eight_is_not() {
    let mut secrets = Secrets::default();
    secrets.add("key", "sk-proj-abcdefghijklmnop");
    let leaks = |text: &str| {
        let mut corpus = Corpus::default();
        corpus.add(Kind::Answer, "somewhere", text.as_bytes());
        corpus.leaks(&secrets)
    };
    assert_eq!(leaks("it begins with sk-proj- and bcdefghi").len(), 0);
    let found = leaks("xx cdefghijk xx");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("offset 3") && !found[0].contains("cdef"),
        "{found:?}"
    );
    assert_eq!(leaks("sk-proj-a").len(), 1);
}
