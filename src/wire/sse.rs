//! Server-sent events, split into frames wherever the network cut the bytes.

use std::borrow::Cow;

use memchr::memchr2;

#[cfg(test)]
mod tests;

/// A frame longer than this is passed over unread: 1 MiB. Its bytes still go to the caller, who has them already.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// A carry buffer that grew beyond this is given back once its frame is whole: 1 KiB.
const CARRY_KEPT_MAX: usize = 1024;

/// The byte order mark that a stream may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event: what stands between two blank lines. Frames of comments alone are no events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// The last `event` field; empty where there is none.
    pub name: &'a [u8],
    /// The `data` fields, joined by line feeds; empty where there is none.
    pub data: Cow<'a, [u8]>,
}

impl<'a> SseEvent<'a> {
    /// Reads the fields of one frame; `None` where it has neither an `event` nor a `data` field.
    fn read(frame: &'a [u8]) -> Option<Self> {
        let mut event = Self::default();
        let mut fields = 0_usize;
        let mut data_lines = 0_usize;
        for line in frame.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let colon = memchr::memchr(b':', line).unwrap_or(line.len());
            let (field, rest) = line.split_at(colon);
            let value = rest.strip_prefix(b":").unwrap_or(rest);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match field {
                b"event" => event.name = value,
                b"data" if data_lines == 0 => {
                    event.data = Cow::Borrowed(value);
                    data_lines = 1;
                }
                b"data" => {
                    let joined = event.data.to_mut();
                    joined.push(b'\n');
                    joined.extend_from_slice(value);
                }
                _ => continue,
            }
            fields += 1;
        }
        (fields > 0).then_some(event)
    }
}

/// Splits a byte stream into events. Lines may end in LF, CRLF or CR, mixed; the stream may be cut anywhere.
///
/// An idle splitter owns no memory: bytes are copied only where a frame spans two chunks.
#[derive(Debug, Default)]
pub struct SseSplitter {
    /// The beginning of a frame whose end has not come.
    carry: Vec<u8>,
    /// Bytes of the present frame so far, those of an oversized one included.
    frame_length: usize,
    line_has_bytes: bool,
    after_carriage_return: bool,
    past_first_frame: bool,
}

impl SseSplitter {
    /// Takes the next bytes and hands every event that they complete to `on_event`; gives back those of them that
    /// belong to a frame whose end has not come.
    pub fn push<'a>(&mut self, chunk: &'a [u8], mut on_event: impl FnMut(SseEvent<'_>)) -> &'a [u8] {
        let mut rest = chunk;
        while let Some(end) = self.frame_end(rest) {
            let (frame, after) = rest.split_at(end);
            self.emit(frame, &mut on_event);
            rest = after;
        }
        self.keep(rest);
        rest
    }

    /// Ends the stream. A last frame that lacks its blank line counts: some providers leave it out.
    pub fn finish(&mut self, mut on_event: impl FnMut(SseEvent<'_>)) {
        self.emit(&[], &mut on_event);
    }

    /// Bytes so far of a frame whose end has not come; 0 between two frames.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.frame_length
    }

    /// Where the present frame ends in `bytes`, just after the blank line's own end.
    fn frame_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr2(b'\n', b'\r', rest) else {
                if !rest.is_empty() {
                    self.line_has_bytes = true;
                    self.after_carriage_return = false;
                }
                return None;
            };
            let is_line_feed = rest.get(found) == Some(&b'\n');
            at += found + 1;
            if found > 0 {
                self.line_has_bytes = true;
            } else if is_line_feed && self.after_carriage_return {
                self.after_carriage_return = false;
                continue;
            }
            self.after_carriage_return = !is_line_feed;
            if !std::mem::take(&mut self.line_has_bytes) {
                return Some(at);
            }
        }
    }

    fn emit(&mut self, tail: &[u8], on_event: &mut impl FnMut(SseEvent<'_>)) {
        let length = self.frame_length.saturating_add(tail.len());
        self.frame_length = 0;
        let first = !std::mem::replace(&mut self.past_first_frame, true);
        if length <= FRAME_BYTES_MAX {
            if !self.carry.is_empty() {
                self.carry.extend_from_slice(tail);
            }
            let frame = if self.carry.is_empty() { tail } else { &self.carry };
            let frame = match frame.strip_prefix(BYTE_ORDER_MARK) {
                Some(after) if first => after,
                _ => frame,
            };
            if let Some(event) = SseEvent::read(frame) {
                on_event(event);
            }
        }
        if self.carry.capacity() > CARRY_KEPT_MAX {
            self.carry = Vec::new();
        } else {
            self.carry.clear();
        }
    }

    fn keep(&mut self, rest: &[u8]) {
        self.frame_length = self.frame_length.saturating_add(rest.len());
        if self.frame_length > FRAME_BYTES_MAX {
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(rest);
        }
    }
}
