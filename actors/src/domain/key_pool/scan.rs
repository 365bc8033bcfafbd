//! Finding a free member, a machine word at a time.

use std::ops::Range;

use fixedbitset::FixedBitSet;

/// Members that one machine word speaks of.
const WORD_BITS: usize = usize::BITS as usize;

/// Words that are ruled out together.
const WORDS_AT_ONCE: usize = 8;

/// The first member of `within` that is ready, not blocked and not tried.
pub(super) fn next_free(
    ready: &FixedBitSet,
    within: Range<usize>,
    blocked: Option<&FixedBitSet>,
    tried: &[usize],
) -> Option<usize> {
    let words = within.end.div_ceil(WORD_BITS);
    let ready = upto(ready.as_slice(), words);
    let blocked = blocked.map_or(&[][..], |blocked| upto(blocked.as_slice(), words));
    let mut word = within.start / WORD_BITS;
    let mut mask = usize::MAX << (within.start % WORD_BITS);
    while let Some(found) = first_free_word(ready, blocked, word) {
        let mut free = free_bits(ready, blocked, found);
        if found == word {
            free &= mask;
        }
        while free != 0 {
            let index = found * WORD_BITS + free.trailing_zeros() as usize;
            if index >= within.end {
                return None;
            }
            if !tried.contains(&index) {
                return Some(index);
            }
            free &= free - 1;
        }
        word = found + 1;
        mask = usize::MAX;
    }
    None
}

/// The first `count` words, or all.
fn upto(words: &[usize], count: usize) -> &[usize] {
    words.get(..count).unwrap_or(words)
}

/// The bits of one word that are ready and not blocked; no `blocked` words mean that nothing is.
fn free_bits(ready: &[usize], blocked: &[usize], word: usize) -> usize {
    let ready = ready.get(word).copied().unwrap_or(0);
    ready & !blocked.get(word).copied().unwrap_or(0)
}

/// The first word at `from` or behind it with a bit that is ready and not blocked. Whole runs of words are ruled out
/// at a time, so that a pool of which nearly all cools costs no more than one of which nearly all is free.
fn first_free_word(ready: &[usize], blocked: &[usize], from: usize) -> Option<usize> {
    let ready = ready.get(from..)?;
    let Some(blocked) = blocked.get(from..).filter(|blocked| blocked.len() == ready.len()) else {
        return ready.iter().position(|word| *word != 0).map(|at| from + at);
    };
    let run = ready
        .chunks(WORDS_AT_ONCE)
        .zip(blocked.chunks(WORDS_AT_ONCE))
        .position(|(ready, blocked)| {
            let words = ready.iter().zip(blocked);
            words.fold(0, |free, (ready, blocked)| free | (ready & !blocked)) != 0
        })?;
    let start = run * WORDS_AT_ONCE;
    let words = ready.iter().zip(blocked).skip(start);
    let within = words
        .map(|(ready, blocked)| ready & !blocked)
        .position(|free| free != 0)?;
    Some(from + start + within)
}
