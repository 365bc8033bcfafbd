//! Looks at the beginning of a JSON document, as it comes, for the first sign of an answer or of an error.

use smallvec::SmallVec;

/// Members whose first content is the answer itself.
const MEANING: [&[u8]; 12] = [
    b"candidates",
    b"choices",
    b"completion",
    b"content",
    b"data",
    b"embedding",
    b"embeddings",
    b"input_tokens",
    b"models",
    b"output",
    b"text",
    b"totalTokens",
];

/// No member that is looked for has a longer name than this.
const NAME_BYTES_MAX: usize = 16;

/// What the document so far came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// White space, or members that say nothing.
    Undecided,
    /// The answer has begun.
    Meaning,
    /// The first object of the document is whole, at these offsets, and has shown no answer.
    Object {
        /// Of its opening brace.
        start: usize,
        /// Just after its closing brace.
        end: usize,
    },
}

/// Reads the first object of a document: the document itself, or the first element of a list.
#[derive(Debug, Default)]
pub(crate) struct JsonProbe {
    /// Bytes read so far.
    offset: usize,
    /// Where the first object begins.
    start: Option<usize>,
    in_list: bool,
    /// Open braces and brackets, counted from the first object's own.
    depth: usize,
    text: Text,
    /// The string at the first object's own level that is being read, or was read last.
    name: SmallVec<[u8; NAME_BYTES_MAX]>,
    place: Place,
    has_error: bool,
}

/// Whether the reader is within a JSON string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// Inside, after a backslash.
    Escaped,
}

/// Where in the first object's own level the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// A member's name may come.
    #[default]
    Name,
    /// After a colon: the next byte begins the value.
    Value,
    /// In the value of a member of meaning: the next byte tells whether it is empty.
    MeaningOpened,
    /// In any other value.
    Elsewhere,
}

impl JsonProbe {
    /// Reads the next bytes.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Probed {
        for byte in chunk {
            let probed = self.step(*byte);
            self.offset += 1;
            if probed != Probed::Undecided {
                return probed;
            }
        }
        Probed::Undecided
    }

    fn step(&mut self, byte: u8) -> Probed {
        if self.start.is_none() {
            return self.before_object(byte);
        }
        if self.text != Text::Outside {
            return self.in_string(byte);
        }
        if byte.is_ascii_whitespace() {
            return Probed::Undecided;
        }
        if self.place == Place::MeaningOpened {
            if !matches!(byte, b']' | b'}') && !self.has_error {
                return Probed::Meaning;
            }
            self.place = Place::Elsewhere;
        } else if self.place == Place::Value {
            self.value_begins(byte);
            if self.place == Place::Elsewhere && self.says_meaning(byte) {
                return Probed::Meaning;
            }
        }
        self.structure(byte)
    }

    fn before_object(&mut self, byte: u8) -> Probed {
        match byte {
            b'{' => {
                self.start = Some(self.offset);
                self.depth = 1;
                Probed::Undecided
            }
            b'[' if !self.in_list => {
                self.in_list = true;
                Probed::Undecided
            }
            0xef | 0xbb | 0xbf if self.offset < 3 => Probed::Undecided,
            _ if byte.is_ascii_whitespace() => Probed::Undecided,
            _ => Probed::Meaning,
        }
    }

    fn in_string(&mut self, byte: u8) -> Probed {
        if self.place == Place::MeaningOpened {
            self.place = Place::Elsewhere;
            if byte != b'"' && !self.has_error {
                return Probed::Meaning;
            }
        }
        match byte {
            _ if self.text == Text::Escaped => self.text = Text::Inside,
            b'\\' => self.text = Text::Escaped,
            b'"' => self.text = Text::Outside,
            _ if self.place == Place::Name && self.name.len() < NAME_BYTES_MAX => self.name.push(byte),
            _ => {}
        }
        Probed::Undecided
    }

    /// `byte` begins the value of the member whose name was read last.
    fn value_begins(&mut self, byte: u8) {
        let name = self.name.as_slice();
        if name == b"error" && byte != b'n' {
            self.has_error = true;
        }
        self.place = if MEANING.contains(&name) && matches!(byte, b'[' | b'{' | b'"') {
            Place::MeaningOpened
        } else {
            Place::Elsewhere
        };
    }

    /// Whether a value that begins with `byte` is an answer at once: a number of a member of meaning.
    fn says_meaning(&self, byte: u8) -> bool {
        MEANING.contains(&self.name.as_slice()) && byte.is_ascii_digit() && !self.has_error
    }

    fn structure(&mut self, byte: u8) -> Probed {
        match byte {
            b'"' => {
                self.text = Text::Inside;
                if self.place == Place::Name {
                    self.name.clear();
                }
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b':' if self.depth == 1 => self.place = Place::Value,
            b',' if self.depth == 1 => self.place = Place::Name,
            _ => {}
        }
        match (self.depth, self.start) {
            (0, Some(start)) => Probed::Object {
                start,
                end: self.offset + 1,
            },
            _ => Probed::Undecided,
        }
    }
}
