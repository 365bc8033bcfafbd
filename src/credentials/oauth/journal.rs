//! What a refresh was about to do and what came of it, on disk before anything else depends on it.
//!
//! One file a login. Before each try a line is appended that says so, and after it one with the tokens or the
//! refusal. What was written is never taken back: after a kill the last line is there or it is not, and the last
//! whole one counts. The file goes when the store has the tokens. It holds secrets, and has mode 0600.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use coderclaw_actors::domain::credential::{Fingerprint, Secret};
use serde::{Deserialize, Serialize};

use super::tokens::Tokens;

/// Nobody but the owner.
const MODE: u32 = 0o600;

/// No journal is larger: 1 MiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A journal of tries that gave nothing is begun anew when it is larger: 16 KiB.
const TRIES_BYTES_MAX: u64 = 16 << 10;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// Whose login it is, for people who look.
    pub(super) profile: String,
    /// The refresh token that is asked with.
    pub(super) asked_with: Fingerprint,
    /// The client that asks: a refusal holds for this one.
    pub(super) client: Fingerprint,
    /// When, in Unix milliseconds.
    pub(super) at_ms: u64,
    #[serde(flatten)]
    pub(super) event: Event,
}

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub(super) enum Event {
    /// The provider is being asked, for so many times without a result, this one among them.
    Asked { tries: u32 },
    /// It handed out these.
    Received(Written),
    /// It refused.
    #[serde(rename_all = "camelCase")]
    Rejected { code: String, description: String },
}

/// Tokens as they are written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    access: String,
    refresh: Option<String>,
    expires_at_ms: u64,
    account_id: Option<String>,
    email: Option<String>,
    scopes: Vec<String>,
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Written(..)")
    }
}

impl Written {
    pub(super) fn of(tokens: &Tokens) -> Self {
        Self {
            access: tokens.access.expose().to_owned(),
            refresh: tokens.refresh.as_ref().map(|token| token.expose().to_owned()),
            expires_at_ms: tokens.expires_at_ms,
            account_id: tokens.account_id.clone(),
            email: tokens.email.clone(),
            scopes: tokens.scopes.clone(),
        }
    }

    pub(super) fn tokens(self) -> Tokens {
        Tokens {
            access: Secret::new(self.access),
            refresh: self.refresh.map(Secret::new),
            expires_at_ms: self.expires_at_ms,
            account_id: self.account_id,
            email: self.email,
            scopes: self.scopes,
        }
    }
}

/// The journal of one login.
#[derive(Clone, Debug)]
pub(super) struct Journal(PathBuf);

impl Journal {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The last whole line; none if there is none. A line that a kill tore is none.
    pub(super) fn read(&self) -> io::Result<Option<Entry>> {
        let text = match crate::config::load::read_bounded(&self.0, FILE_BYTES_MAX) {
            Ok(text) => text.unwrap_or_default(),
            Err(reason) => return Err(io::Error::other(reason)),
        };
        Ok(text
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str(line).ok()))
    }

    /// Adds the `entry` of a try, on disk when it returns.
    pub(super) fn begin(&self, entry: &Entry) -> io::Result<()> {
        match fs::metadata(&self.0).map_or(0, |meta| meta.len()) {
            0 => {
                self.append(entry)?;
                self.sync_folder()
            }
            1..=TRIES_BYTES_MAX => self.append(entry),
            _ => {
                let new = self.0.with_extension("new");
                let mut file = OpenOptions::new()
                    .create(true)
                    .write(true)
                    .truncate(true)
                    .mode(MODE)
                    .open(&new)?;
                write_line(&mut file, entry)?;
                fs::rename(&new, &self.0)?;
                self.sync_folder()
            }
        }
    }

    /// Adds `entry`, on disk when it returns.
    pub(super) fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(MODE)
            .open(&self.0)?;
        write_line(&mut file, entry)
    }

    /// The file's name must be on disk too.
    fn sync_folder(&self) -> io::Result<()> {
        match self.0.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn write_line(file: &mut File, entry: &Entry) -> io::Result<()> {
    // A kill may have torn the line before: this one begins for itself.
    let mut line = vec![b'\n'];
    serde_json::to_writer(&mut line, entry)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn tokens() -> Tokens {
        Tokens {
            access: Secret::new("at_Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pS".to_owned()),
            refresh: Some(Secret::new("rt_9vTq2LxW8bNcR4yHsJ6kPzM1aGdF3eUo".to_owned())),
            expires_at_ms: 7,
            account_id: Some("acct".to_owned()),
            email: None,
            scopes: vec!["chat".to_owned()],
        }
    }

    fn entry(event: Event) -> Entry {
        let print = Secret::new("x".to_owned()).fingerprint();
        Entry {
            profile: "openai:work".to_owned(),
            asked_with: print,
            client: print,
            at_ms: 5,
            event,
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("j"));
        assert!(journal.read().unwrap().is_none());
        journal.begin(&entry(Event::Asked { tries: 1 })).unwrap();
        assert!(matches!(
            journal.read().unwrap().unwrap().event,
            Event::Asked { tries: 1 }
        ));
        journal
            .append(&entry(Event::Received(Written::of(&tokens()))))
            .unwrap();
        let Event::Received(written) = journal.read().unwrap().unwrap().event else {
            panic!("not the last line");
        };
        assert_eq!(written.tokens(), tokens());
        assert_eq!(
            fs::metadata(journal.path()).unwrap().permissions().mode() & 0o777,
            0o600
        );
        journal.begin(&entry(Event::Asked { tries: 2 })).unwrap();
        assert!(matches!(
            journal.read().unwrap().unwrap().event,
            Event::Asked { tries: 2 }
        ));
        journal.clear().unwrap();
        journal.clear().unwrap();
        assert!(journal.read().unwrap().is_none());
    }

    #[test]
    fn a_torn_line_is_none_wherever_it_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("j"));
        journal.begin(&entry(Event::Asked { tries: 1 })).unwrap();
        let first = fs::metadata(journal.path()).unwrap().len();
        journal
            .append(&entry(Event::Received(Written::of(&tokens()))))
            .unwrap();
        let whole = fs::read(journal.path()).unwrap();
        for length in usize::try_from(first).unwrap()..whole.len() - 2 {
            fs::write(journal.path(), &whole[..length]).unwrap();
            assert!(
                matches!(journal.read().unwrap().unwrap().event, Event::Asked { .. }),
                "{length}"
            );
        }
        fs::write(journal.path(), &whole[..10]).unwrap();
        assert!(journal.read().unwrap().is_none());
        // And it spoils nothing that comes after it.
        journal
            .append(&entry(Event::Received(Written::of(&tokens()))))
            .unwrap();
        assert!(matches!(
            journal.read().unwrap().unwrap().event,
            Event::Received(_)
        ));
    }

    #[test]
    fn a_thousand_tries_take_little_room_and_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::at(folder.path().join("j.journal"));
        for tries in 1..=1000 {
            journal.begin(&entry(Event::Asked { tries })).unwrap();
        }
        assert!(matches!(
            journal.read().unwrap().unwrap().event,
            Event::Asked { tries: 1000 }
        ));
        assert!(fs::metadata(journal.path()).unwrap().len() < TRIES_BYTES_MAX + 1024);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_shows_the_tokens() {
        let shown = format!("{:?}", entry(Event::Received(Written::of(&tokens()))));
        assert!(!shown.contains("Zk3v") && !shown.contains("9vTq"), "{shown}");
    }
}
