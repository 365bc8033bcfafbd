//! The tokens that an answer says it took.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;

/// A `usage` object longer than this is not read: 8 KiB.
const USAGE_BYTES_MAX: usize = 8 * 1024;

/// How the names of all vendors' usage objects begin.
const NEEDLE: &[u8] = b"\"usage";
/// What may follow in Google's.
const SUFFIX: &[u8] = b"Metadata";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NEEDLE));

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, those from a cache and those written to one included.
    pub input: u64,
    /// Tokens written, reasoning included.
    pub output: u64,
    /// Of the input, those that a cache served.
    pub cached: u64,
}

/// The counts of all vendors, under the names that each gives them.
#[derive(Debug, Deserialize)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    input_tokens_details: Option<Details>,
    #[serde(rename = "promptTokenCount")]
    prompt_token_count: Option<u64>,
    #[serde(rename = "toolUsePromptTokenCount")]
    tool_use_prompt_token_count: Option<u64>,
    #[serde(rename = "candidatesTokenCount")]
    candidates_token_count: Option<u64>,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts_token_count: Option<u64>,
    #[serde(rename = "cachedContentTokenCount")]
    cached_content_token_count: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

impl Usage {
    /// Reads a `usage` or `usageMetadata` object of any vendor; `None` where it counts no tokens.
    #[must_use]
    pub fn read(usage: &Value) -> Option<Self> {
        Self::of(Counts::deserialize(usage).ok()?)
    }

    fn of(counts: Counts) -> Option<Self> {
        let input = counts.prompt_tokens.or_else(|| {
            sum([
                counts.input_tokens,
                counts.cache_creation_input_tokens,
                counts.cache_read_input_tokens,
                counts.prompt_token_count,
                counts.tool_use_prompt_token_count,
            ])
        });
        let output = counts
            .completion_tokens
            .or(counts.output_tokens)
            .or_else(|| sum([counts.candidates_token_count, counts.thoughts_token_count]));
        let cached = counts
            .prompt_tokens_details
            .and_then(|details| details.cached_tokens)
            .or(counts
                .input_tokens_details
                .and_then(|details| details.cached_tokens))
            .or(counts.cache_read_input_tokens)
            .or(counts.prompt_cache_hit_tokens)
            .or(counts.cached_content_token_count);
        (input.is_some() || output.is_some()).then(|| Self {
            input: input.unwrap_or(0),
            output: output.unwrap_or(0),
            cached: cached.unwrap_or(0),
        })
    }

    /// Both counts of one answer: a stream's counts only grow.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        Self {
            input: self.input.max(later.input),
            output: self.output.max(later.output),
            cached: self.cached.max(later.cached),
        }
    }
}

/// The sum of those counts that are there; `None` if none is.
fn sum<const N: usize>(counts: [Option<u64>; N]) -> Option<u64> {
    counts.into_iter().flatten().reduce(u64::saturating_add)
}

/// The tokens that a whole JSON body says it took; of several, the greatest counts.
#[must_use]
pub fn usage_of_json(body: &[u8]) -> Option<Usage> {
    let mut scan = UsageScan::default();
    scan.push(body);
    scan.usage
}

/// Finds `usage` objects in JSON that comes in chunks, without keeping or parsing the rest.
///
/// A quoted `"usage"` inside a JSON string has its quotes escaped, so it is never taken for a member.
#[derive(Debug, Default)]
pub(crate) struct UsageScan {
    pub(crate) usage: Option<Usage>,
    state: ScanState,
}

#[derive(Debug)]
enum ScanState {
    /// So much of the needle has been seen.
    Seeking(usize),
    /// After `"usage`: so much of the suffix has been seen, then comes the closing quote.
    Named(usize),
    /// After the name: a colon, then an opening brace.
    Awaiting,
    /// In the object.
    Reading(Object),
}

impl Default for ScanState {
    fn default() -> Self {
        Self::Seeking(0)
    }
}

#[derive(Debug, Default)]
struct Object {
    bytes: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl UsageScan {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = match &mut self.state {
                ScanState::Seeking(0) => self.seek(rest),
                ScanState::Awaiting if rest.starts_with(b"{") => self.open(rest),
                ScanState::Reading(object) => {
                    let rest = object.read(rest);
                    if object.depth == 0 {
                        self.found();
                    } else if object.bytes.len() > USAGE_BYTES_MAX {
                        self.state = ScanState::default();
                    }
                    rest
                }
                _ => self.step(rest),
            };
        }
    }

    /// Goes to the next needle, or to the piece of one that ends the chunk.
    fn seek<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        if let Some(at) = FINDER.find(chunk) {
            self.state = ScanState::Named(0);
            return chunk.get(at + NEEDLE.len()..).unwrap_or_default();
        }
        let begun = (1..NEEDLE.len())
            .rev()
            .find(|length| chunk.ends_with(NEEDLE.get(..*length).unwrap_or(NEEDLE)));
        self.state = ScanState::Seeking(begun.unwrap_or(0));
        &[]
    }

    /// At the opening brace. An object that is whole in the chunk is read where it stands; of others, what is here
    /// is kept.
    fn open<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let window = chunk.get(..USAGE_BYTES_MAX).unwrap_or(chunk);
        let mut objects = serde_json::Deserializer::from_slice(window).into_iter();
        if let Some(Ok(counts)) = objects.next() {
            self.state = ScanState::default();
            self.add(counts);
            return chunk.get(objects.byte_offset()..).unwrap_or_default();
        }
        self.state = ScanState::Reading(Object::default());
        chunk
    }

    /// One byte between the needle's first one and the object.
    fn step<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let Some((byte, rest)) = chunk.split_first() else {
            return chunk;
        };
        let next = match &self.state {
            ScanState::Seeking(seen) if NEEDLE.get(*seen) == Some(byte) => {
                if seen + 1 == NEEDLE.len() {
                    ScanState::Named(0)
                } else {
                    ScanState::Seeking(seen + 1)
                }
            }
            ScanState::Named(seen) if (*seen == 0 || *seen == SUFFIX.len()) && *byte == b'"' => {
                ScanState::Awaiting
            }
            ScanState::Named(seen) if SUFFIX.get(*seen) == Some(byte) => ScanState::Named(seen + 1),
            ScanState::Awaiting if matches!(byte, b':' | b' ' | b'\t' | b'\n' | b'\r') => ScanState::Awaiting,
            // This byte may itself begin a needle.
            _ => ScanState::Seeking(usize::from(*byte == b'"')),
        };
        self.state = next;
        rest
    }

    /// The object is whole.
    fn found(&mut self) {
        let state = std::mem::take(&mut self.state);
        let ScanState::Reading(object) = state else { return };
        if let Ok(counts) = serde_json::from_slice(&object.bytes) {
            self.add(counts);
        }
    }

    fn add(&mut self, counts: Counts) {
        if let Some(found) = Usage::of(counts) {
            self.usage = Some(self.usage.map_or(found, |seen| seen.merge(found)));
        }
    }
}

impl Object {
    /// Takes bytes up to the closing brace, and gives back those behind it.
    fn read<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let end = chunk
            .iter()
            .position(|byte| self.closes(*byte))
            .map_or(chunk.len(), |at| at + 1);
        let (inside, rest) = chunk.split_at(end);
        self.bytes.extend_from_slice(inside);
        rest
    }

    fn closes(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' if !self.in_string => self.depth += 1,
            b'}' if !self.in_string => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }
}
