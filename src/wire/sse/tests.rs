use proptest::prelude::*;

use super::*;

type Owned = (String, String);

fn events(chunks: &[&[u8]]) -> Vec<Owned> {
    let mut splitter = SseSplitter::default();
    let mut seen = Vec::new();
    let mut note = |event: SseEvent<'_>| {
        seen.push((
            String::from_utf8_lossy(event.name).into_owned(),
            String::from_utf8_lossy(&event.data).into_owned(),
        ));
    };
    for chunk in chunks {
        splitter.push(chunk, &mut note);
    }
    splitter.finish(&mut note);
    seen
}

fn owned(pairs: &[(&str, &str)]) -> Vec<Owned> {
    pairs
        .iter()
        .map(|(n, d)| ((*n).to_owned(), (*d).to_owned()))
        .collect()
}

#[test]
fn every_line_ending_gives_the_same_events() {
    let expected = owned(&[("ping", "{}"), ("", "a\nb"), ("", "[DONE]")]);
    let lines = "event: ping\ndata: {}\n\n: a comment\n\ndata:a\ndata: b\nid: 7\n\ndata: [DONE]\n\n";
    for ending in ["\n", "\r\n", "\r"] {
        let text = lines.replace('\n', ending);
        assert_eq!(events(&[text.as_bytes()]), expected, "line ending {ending:?}");
    }
    assert_eq!(
        events(&[b"event: ping\r\ndata: {}\n\r\ndata:a\rdata: b\r\n\rdata: [DONE]\n\n"]),
        expected
    );
}

#[test]
fn a_byte_order_mark_counts_only_at_the_start() {
    assert_eq!(events(&[b"\xef\xbb", b"\xbfdata: x\n\n"]), owned(&[("", "x")]));
    assert_eq!(
        events(&[b"data: x\n\n\xef\xbb\xbfdata: y\n\n"]),
        owned(&[("", "x")])
    );
}

#[test]
fn only_one_space_after_the_colon_goes() {
    assert_eq!(events(&[b"data:  x\n\n"]), owned(&[("", " x")]));
    assert_eq!(events(&[b"data\n\n"]), owned(&[("", "")]));
}

#[test]
fn a_last_frame_without_its_blank_line_counts() {
    assert_eq!(events(&[b"data: x\n\ndata: y"]), owned(&[("", "x"), ("", "y")]));
}

#[test]
fn an_oversized_frame_is_passed_over_and_the_next_is_read() {
    let huge = vec![b'x'; FRAME_BYTES_MAX];
    let whole = [b"data: ".as_slice(), &huge, b"\n\ndata: y\n\n"].concat();
    assert_eq!(events(&[&whole]), owned(&[("", "y")]));
    let pieces: Vec<&[u8]> = whole.chunks(65_536).collect();
    assert_eq!(events(&pieces), owned(&[("", "y")]));
}

#[test]
fn an_idle_splitter_owns_no_memory() {
    let mut splitter = SseSplitter::default();
    splitter.push(b"data: x\n\ndata: y\n\n", |_| ());
    assert_eq!(splitter.carry.capacity(), 0);
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "data: ",
        "data:",
        "event: ping",
        "event:",
        ": c",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "{\"a\":1}",
        "\u{feff}",
        "x",
        "\u{2028}",
        " ",
        "id: 1",
        "[DONE]",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn a_split_anywhere_gives_the_same_events(bytes in stream(), cuts in prop::collection::vec(0_usize..200, 0..12)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let whole = events(&[&bytes]);
        prop_assert_eq!(&events(&chunks), &whole);
        prop_assert_eq!(&events(&single), &whole);
    }
}
