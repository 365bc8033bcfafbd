//! A command on a terminal of its own, with somebody at it.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::termios::{LocalFlags, tcgetattr};
use pty_process::blocking::{Command, Pty, open};

use super::Home;

/// Nothing is waited for longer.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";
pub(crate) const DOWN: &str = "\u{1b}[B";
pub(crate) const ENTER: &str = "\r";

pub(crate) struct Session {
    pty: Arc<Pty>,
    child: Child,
    output: Receiver<Vec<u8>>,
    transcript: String,
    /// How much of the transcript was looked at.
    seen: usize,
}

/// How a session ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Everything that was on the screen.
    pub(crate) transcript: String,
    /// Whether the terminal shows what is typed and reads lines, as it did before.
    pub(crate) restored: bool,
}

impl Session {
    /// Starts `models auth …` on a terminal.
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(pty_process::Size::new(40, 160)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_coderclaw"))
            .args(["models", "auth"])
            .args(arguments)
            .env_clear()
            .envs(home.environment())
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .current_dir(home.path())
            .spawn(pts)
            .unwrap();
        let pty = Arc::new(pty);
        let (sender, output) = channel();
        let reader = Arc::clone(&pty);
        // It ends when the last program lets the terminal go.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = (&*reader).read(&mut bytes) {
                if count == 0 || sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            pty,
            child,
            output,
            transcript: String::new(),
            seen: 0,
        }
    }

    /// Waits until `text` is on the screen, after what was waited for before.
    pub(crate) fn expect(&mut self, text: &str) -> &mut Self {
        loop {
            if let Some(at) = self.transcript[self.seen..].find(text) {
                self.seen += at + text.len();
                return self;
            }
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.transcript.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{text:?} does not come ({error}): {:?}", self.transcript),
            }
        }
    }

    /// The next line that begins with `start`, once it is whole.
    pub(crate) fn line_with(&mut self, start: &str) -> String {
        self.expect(start);
        let from = self.seen - start.len();
        self.expect("\r\n");
        self.transcript[from..self.seen].trim().to_owned()
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &str) -> &mut Self {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.transcript.push_str(&String::from_utf8_lossy(&bytes));
        }
        let status = self.child.wait().unwrap();
        let flags = tcgetattr(self.pty.as_fd()).unwrap().local_flags;
        Ended {
            code: status.code(),
            restored: flags.contains(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG),
            transcript: std::mem::take(&mut self.transcript),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
