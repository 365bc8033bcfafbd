//! The tokens that an answer says it took.

use serde_json::Value;
use smallvec::SmallVec;

/// A `usage` object longer than this is not read: 8 KiB.
const USAGE_BYTES_MAX: usize = 8 * 1024;

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

impl Usage {
    /// Reads a `usage` or `usageMetadata` object of any vendor; `None` where it counts no tokens.
    #[must_use]
    pub fn read(usage: &Value) -> Option<Self> {
        let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
        let sum = |paths: &[&str]| {
            paths
                .iter()
                .filter_map(|path| count(path))
                .reduce(u64::saturating_add)
        };
        let first = |paths: &[&str]| paths.iter().find_map(|path| count(path));
        let input = first(&["/prompt_tokens"]).or_else(|| {
            sum(&[
                "/input_tokens",
                "/cache_creation_input_tokens",
                "/cache_read_input_tokens",
                "/promptTokenCount",
                "/toolUsePromptTokenCount",
            ])
        });
        let output = first(&["/completion_tokens", "/output_tokens"])
            .or_else(|| sum(&["/candidatesTokenCount", "/thoughtsTokenCount"]));
        let cached = first(&[
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/cache_read_input_tokens",
            "/prompt_cache_hit_tokens",
            "/cachedContentTokenCount",
        ]);
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

/// Longest name sought, `usageMetadata`, and one byte more.
type Name = SmallVec<[u8; 14]>;

#[derive(Debug, Default)]
enum ScanState {
    /// Until the next quote.
    #[default]
    Seeking,
    /// After a quote.
    Named(Name),
    /// After `"usage"`: a colon, then an opening brace.
    Awaiting,
    /// In the object.
    Reading(Object),
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
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            self.state = match std::mem::take(&mut self.state) {
                ScanState::Seeking if *byte == b'"' => ScanState::Named(Name::new()),
                ScanState::Seeking => {
                    let quote = memchr::memchr(b'"', rest).unwrap_or(rest.len());
                    rest = rest.get(quote..).unwrap_or_default();
                    ScanState::Seeking
                }
                ScanState::Named(name) => Self::named(name, *byte),
                ScanState::Awaiting => match byte {
                    b'{' => ScanState::Reading(Object {
                        bytes: vec![b'{'],
                        depth: 1,
                        ..Object::default()
                    }),
                    b'"' => ScanState::Named(Name::new()),
                    b':' | b' ' | b'\t' | b'\n' | b'\r' => ScanState::Awaiting,
                    _ => ScanState::Seeking,
                },
                ScanState::Reading(object) => self.reading(object, *byte),
            };
        }
    }

    fn named(mut name: Name, byte: u8) -> ScanState {
        if byte != b'"' {
            name.push(byte);
            return if name.len() > b"usageMetadata".len() {
                ScanState::Seeking
            } else {
                ScanState::Named(name)
            };
        }
        match name.as_slice() {
            b"usage" | b"usageMetadata" => ScanState::Awaiting,
            // The quote that ends one string may begin the next: whether it does is not known here.
            _ => ScanState::Named(Name::new()),
        }
    }

    fn reading(&mut self, mut object: Object, byte: u8) -> ScanState {
        object.bytes.push(byte);
        match byte {
            _ if object.escaped => object.escaped = false,
            b'\\' if object.in_string => object.escaped = true,
            b'"' => object.in_string = !object.in_string,
            b'{' if !object.in_string => object.depth += 1,
            b'}' if !object.in_string => object.depth -= 1,
            _ => {}
        }
        if object.depth == 0 {
            let read = serde_json::from_slice(&object.bytes).ok();
            if let Some(found) = read.as_ref().and_then(Usage::read) {
                self.usage = Some(self.usage.map_or(found, |seen| seen.merge(found)));
            }
            ScanState::Seeking
        } else if object.bytes.len() > USAGE_BYTES_MAX {
            ScanState::Seeking
        } else {
            ScanState::Reading(object)
        }
    }
}
