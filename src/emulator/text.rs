//! The words that replies are made of: always the same for the same seed.

/// The vocabulary: short, plain, no quotes, so that no word needs escaping in JSON.
const WORDS: [&str; 32] = [
    "the", "river", "keeps", "its", "own", "slow", "time", "while", "boats", "carry", "letters", "north",
    "and", "every", "bridge", "has", "a", "keeper", "who", "counts", "lanterns", "at", "dusk", "then",
    "writes", "one", "line", "about", "weather", "in", "green", "ink",
];

/// Words of one reply, each but the first with a space before it.
pub(super) fn words(seed: u64, count: u64) -> impl Iterator<Item = (bool, &'static str)> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(move |index| {
        let word = WORDS.get(random.usize(0..WORDS.len())).copied().unwrap_or("and");
        (index > 0, word)
    })
}

/// `count` words as one text.
pub(super) fn text(seed: u64, count: u64) -> String {
    let mut text = String::with_capacity(usize::try_from(count).unwrap_or(0).saturating_mul(6).min(1 << 20));
    for (spaced, word) in words(seed, count) {
        if spaced {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Cuts a text into `pieces` of about the same length, never inside a character; joined they are the text.
pub(super) fn cut(text: &str, pieces: u64) -> Vec<&str> {
    let pieces = usize::try_from(pieces)
        .unwrap_or(usize::MAX)
        .clamp(1, text.len().max(1));
    let mut cuts = Vec::with_capacity(pieces);
    let mut rest = text;
    for left in (1..=pieces).rev() {
        let mut end = rest.len().div_ceil(left);
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (piece, tail) = rest.split_at(end);
        cuts.push(piece);
        rest = tail;
    }
    cuts
}

/// A text by its words, each but the first with the space before it.
pub(super) fn by_words(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (index, _) in text.match_indices(' ') {
        if index > start {
            pieces.extend(text.get(start..index));
            start = index;
        }
    }
    pieces.extend(text.get(start..).filter(|last| !last.is_empty()));
    pieces
}

/// What a text is worth in tokens: a quarter of its bytes, at least 1.
pub(super) fn tokens_of(bytes: usize) -> u64 {
    u64::try_from(bytes / 4).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same() {
        assert_eq!(text(3, 12), text(3, 12));
        assert_ne!(text(3, 12), text(4, 12));
        assert_eq!(text(3, 12).split(' ').count(), 12);
    }

    #[test]
    fn pieces_join_to_the_text() {
        for text in ["", "a", "héllo wörld ünd so weiter", "one two  three "] {
            assert_eq!(by_words(text).concat(), text);
            for pieces in 1..9 {
                assert_eq!(cut(text, pieces).concat(), text);
            }
        }
        assert_eq!(cut("abcdef", 3), ["ab", "cd", "ef"]);
    }
}
