use proptest::prelude::*;

use super::*;

const KEY: &str = "sk-proj-Zq3Lm8RtVx2NcYb7HdKw5PfJs9GaUeTo1XiQlMvB4nCzR6yE";

fn scrubber() -> Scrubber {
    Scrubber::new(&Secret::new(KEY.to_owned()))
}

fn scrubbed(text: &str) -> String {
    String::from_utf8(scrubber().scrub(text.as_bytes()).into_owned()).unwrap()
}

#[test]
fn runs_of_eight_and_more_go_shorter_ones_stay() {
    assert_eq!(
        scrubbed(&format!("bad key {KEY}!")),
        format!("bad key {}!", "*".repeat(KEY.len()))
    );
    assert_eq!(scrubbed("Zq3Lm8Rt."), "********.");
    assert_eq!(scrubbed("Zq3Lm8R."), "Zq3Lm8R.");
    assert_eq!(scrubbed("é Zq3Lm8RtV… VZq3Lm8R"), "é *********… VZq3Lm8R");
    assert_eq!(scrubbed("Zq3Lm8RtZq3Lm8Rt"), "*".repeat(16));
}

#[test]
fn clean_text_is_not_copied() {
    assert!(matches!(scrubber().scrub(b"all is well"), Cow::Borrowed(_)));
}

#[test]
fn a_short_secret_hides_nothing() {
    let scrubber = Scrubber::new(&Secret::new("sk-1234".to_owned()));
    assert_eq!(scrubber.scrub(b"sk-1234 sk-1234").as_ref(), b"sk-1234 sk-1234");
    assert_eq!(
        scrubber.stream().push(Bytes::from_static(b"sk-1234")).as_ref(),
        b"sk-1234"
    );
}

#[test]
fn debug_shows_no_part_of_the_secret() {
    assert_eq!(
        format!("{:?} {:?}", scrubber(), scrubber().stream()),
        "Scrubber(..) StreamScrubber(..)"
    );
}

/// What the rule says, done slowly.
fn by_definition(text: &[u8]) -> Vec<u8> {
    let mut hidden = text.to_vec();
    for (at, window) in text.windows(RUN_CHARS_MIN).enumerate() {
        if KEY.as_bytes().windows(RUN_CHARS_MIN).any(|part| part == window) {
            hidden[at..at + RUN_CHARS_MIN].fill(b'*');
        }
    }
    hidden
}

fn text() -> impl Strategy<Value = String> {
    let piece = (0_usize..KEY.len(), 0_usize..20, ".{0,6}").prop_map(|(start, length, other)| {
        format!("{}{other}", &KEY[start..(start + length).min(KEY.len())])
    });
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whole_and_streamed_do_what_the_rule_says(text in text(), size in 1_usize..12) {
        let expected = by_definition(text.as_bytes());
        let whole = scrubber().scrub(text.as_bytes()).into_owned();
        prop_assert_eq!(&whole, &expected);
        prop_assert!(String::from_utf8(whole).is_ok());
        let mut stream = scrubber().stream();
        let mut streamed = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            streamed.extend_from_slice(&stream.push(Bytes::copy_from_slice(chunk)));
        }
        streamed.extend_from_slice(&stream.finish());
        prop_assert_eq!(streamed, expected);
    }
}
