//! Log lines on their way to stderr: gathered for a moment and written together.
//!
//! A writer that is woken for every line costs a busy gateway more than the line itself; here a line is a copy into
//! a buffer, and a thread writes what has gathered.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that may wait to be written. A stderr that nobody reads loses lines instead of stopping requests.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long lines gather before they are written.
const GATHERED_FOR: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lost: u64,
    closing: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// Takes lines.
#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

/// The thread that writes. Dropping it writes what is left.
#[derive(Debug)]
pub struct LineWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    /// Lines that go to `sink`.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub fn to(sink: impl Write + Send + 'static) -> io::Result<(Self, LineWriter)> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new()
            .name("coderclaw-log".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.write_to(sink)
            })?;
        Ok((
            Self(Arc::clone(&shared)),
            LineWriter {
                shared,
                thread: Some(thread),
            },
        ))
    }
}

impl Shared {
    fn take(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.bytes.len() + line.len() > WAITING_BYTES_MAX {
            waiting.lost += 1;
            return;
        }
        let first = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if first {
            self.changed.notify_one();
        }
    }

    fn write_to(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.bytes.is_empty() && !waiting.closing {
                self.changed.wait(&mut waiting);
            }
            if !waiting.closing {
                self.changed.wait_for(&mut waiting, GATHERED_FOR);
            }
            std::mem::swap(&mut waiting.bytes, &mut batch);
            let (lost, closing) = (std::mem::take(&mut waiting.lost), waiting.closing);
            drop(waiting);
            // There is nowhere left to tell that stderr is gone.
            let _gone = sink.write_all(&batch);
            if lost > 0 {
                let _gone = writeln!(sink, "{lost} log lines were lost: stderr is read too slowly");
            }
            let _gone = sink.flush();
            batch.clear();
            if closing {
                return;
            }
        }
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.shared.waiting.lock().closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // The thread writes and returns; if it has panicked, no log line can say so.
            let _ended = thread.join();
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sink::Sink;
    use super::*;

    #[test]
    fn every_line_is_written_in_order_at_the_latest_at_the_end() {
        let sink = Sink::default();
        let (lines, writer) = Lines::to(sink.clone()).unwrap();
        let mut expected = String::new();
        for number in 0..1000 {
            let line = format!("line {number}\n");
            (&lines).write_all(line.as_bytes()).unwrap();
            expected.push_str(&line);
        }
        drop(writer);
        assert_eq!(sink.text(), expected);
    }

    #[test]
    fn a_sink_that_stands_still_costs_lines_and_says_so() {
        let sink = Sink::default();
        let (lines, writer) = Lines::to(sink.clone()).unwrap();
        let line = vec![b'x'; WAITING_BYTES_MAX / 4];
        {
            // The writer's thread can't get past its first write while this is held.
            let _standing = sink.hold();
            for _ in 0..12 {
                (&lines).write_all(&line).unwrap();
            }
        }
        drop(writer);
        let text = sink.text();
        let end = &text[text.len() - 60..];
        assert!(end.contains("log lines were lost"), "{end}");
    }
}
