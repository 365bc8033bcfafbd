//! Takes secrets out of what others say: the leased one, which some providers echo when they refuse it, and whatever
//! looks like a key.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use coderclaw_actors::domain::credential::Secret;

#[cfg(test)]
mod tests;

/// A run of this many characters of a secret is worth hiding; a shorter one is not.
pub const RUN_CHARS_MIN: usize = 8;

/// A word of so many characters that has both letters and digits may be a key.
const KEY_CHARS_MIN: usize = 16;

/// Finds every run of [`RUN_CHARS_MIN`] or more characters of one secret. Cheap to clone.
///
/// Only runs of ASCII are sought: that is what a credential header can carry, and what can be replaced byte for
/// byte without breaking UTF-8.
#[derive(Clone)]
pub struct Scrubber {
    windows: Arc<Windows>,
}

/// Every window of eight bytes of the secret.
struct Windows {
    /// Sorted.
    all: Vec<u64>,
    /// Which bytes a window may end in, one bit each: most bytes of a text end none.
    ends: [u64; 4],
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(..)")
    }
}

impl Windows {
    fn of(secret: &[u8]) -> Self {
        let mut all: Vec<u64> = secret
            .windows(RUN_CHARS_MIN)
            .filter(|window| window.is_ascii())
            .map(|window| {
                window
                    .iter()
                    .fold(0, |packed, byte| packed << 8 | u64::from(*byte))
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        let mut ends = [0; 4];
        for window in &all {
            let [.., last] = window.to_be_bytes();
            if let Some(word) = ends.get_mut(usize::from(last >> 6)) {
                *word |= 1 << (last & 63);
            }
        }
        Self { all, ends }
    }

    fn contains(&self, window: u64) -> bool {
        let [.., last] = window.to_be_bytes();
        let word = self.ends.get(usize::from(last >> 6)).copied().unwrap_or(0);
        word >> (last & 63) & 1 == 1 && self.all.binary_search(&window).is_ok()
    }

    /// The stretches of `bytes` to hide, in order; they may touch but do not overlap.
    fn runs(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        if self.all.is_empty() {
            return runs;
        }
        let mut window = 0_u64;
        for (end, byte) in bytes.iter().enumerate().map(|(at, byte)| (at + 1, byte)) {
            window = window << 8 | u64::from(*byte);
            if end < RUN_CHARS_MIN || !self.contains(window) {
                continue;
            }
            let start = end - RUN_CHARS_MIN;
            match runs.last_mut() {
                Some((_, last)) if *last >= start => *last = end,
                _ => runs.push((start, end)),
            }
        }
        runs
    }
}

impl Scrubber {
    /// A scrubber for what is said about an attempt made with `secret`.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self {
            windows: Arc::new(Windows::of(secret.expose().as_bytes())),
        }
    }

    /// `bytes` with each run of the secret replaced by as many `*`.
    #[must_use]
    pub fn scrub<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let runs = self.windows.runs(bytes);
        if runs.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut hidden = bytes.to_vec();
        for (start, end) in runs {
            if let Some(run) = hidden.get_mut(start..end) {
                run.fill(b'*');
            }
        }
        Cow::Owned(hidden)
    }

    /// The same for bytes that come in chunks.
    #[must_use]
    pub fn stream(&self) -> StreamScrubber {
        StreamScrubber {
            windows: Arc::clone(&self.windows),
            carry: Vec::new(),
            carry_hidden: 0,
        }
    }
}

/// Scrubs a stream; runs that span chunks are found. Holds back at most seven bytes.
pub struct StreamScrubber {
    windows: Arc<Windows>,
    /// The last bytes, as they came: the next chunk may make them part of a run.
    carry: Vec<u8>,
    /// So many of the carry's first bytes are already known to be part of a run.
    carry_hidden: usize,
}

impl fmt::Debug for StreamScrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamScrubber(..)")
    }
}

impl StreamScrubber {
    /// Takes a chunk and gives the bytes that are settled.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        if self.windows.all.is_empty() {
            return chunk;
        }
        self.carry.extend_from_slice(&chunk);
        let settled = self.carry.len().saturating_sub(RUN_CHARS_MIN - 1);
        self.settle(settled)
    }

    /// Gives the bytes that were held back.
    pub fn finish(&mut self) -> Bytes {
        self.settle(self.carry.len())
    }

    fn settle(&mut self, settled: usize) -> Bytes {
        let mut runs = self.windows.runs(&self.carry);
        runs.push((0, self.carry_hidden));
        let later = self.carry.split_off(settled.min(self.carry.len()));
        let mut hidden = std::mem::replace(&mut self.carry, later);
        self.carry_hidden = 0;
        for (start, end) in runs {
            let inside = start.min(hidden.len())..end.min(hidden.len());
            if let Some(run) = hidden.get_mut(inside) {
                run.fill(b'*');
            }
            self.carry_hidden = self.carry_hidden.max(end.saturating_sub(hidden.len()));
        }
        Bytes::from(hidden)
    }
}

/// `line` with every word that looks like a key replaced by as many `*`: for text of others in which a key may stand that
/// nobody here knows.
#[must_use]
pub(crate) fn mask_keys(line: &str) -> String {
    let is_of_a_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | '~');
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let word_end = rest.find(|c| !is_of_a_key(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        if looks_like_a_key(word) {
            shown.extend(std::iter::repeat_n('*', word.len()));
        } else {
            shown.push_str(word);
        }
        let gap_end = after.find(is_of_a_key).unwrap_or(after.len());
        let (gap, next) = after.split_at(gap_end);
        shown.push_str(gap);
        rest = next;
    }
    shown
}

fn looks_like_a_key(word: &str) -> bool {
    word.len() >= KEY_CHARS_MIN
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}
