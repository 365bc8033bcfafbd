use proptest::prelude::*;

use super::*;

fn spliced(body: &'static str, new: &str) -> String {
    let body = Bytes::from_static(body.as_bytes());
    let field = find_model(&body).unwrap();
    String::from_utf8(splice_model(&body, &field.span, new).to_vec()).unwrap()
}

#[test]
fn only_the_model_changes() {
    assert_eq!(
        spliced(
            " {\"n\": 1.0e3,\n\"model\" : \"openai/gpt-4o\" , \"x\":{\"model\":\"y\"}, \"stream\":true} ",
            "gpt-4o"
        ),
        " {\"n\": 1.0e3,\n\"model\" : \"gpt-4o\" , \"x\":{\"model\":\"y\"}, \"stream\":true} "
    );
    assert_eq!(spliced(r#"{"model":"a"}"#, "q\"\\\n"), r#"{"model":"q\"\\\n"}"#);
}

#[test]
fn escapes_are_decoded_in_names_and_values() {
    let field = find_model(br#"{"mod\u0065l":"a\/\u0062","stream": false}"#).unwrap();
    assert_eq!(field.name, "a/b");
    assert!(!field.stream);
    assert!(find_model(br#"{"stream":true,"model":"m"}"#).unwrap().stream);
}

#[test]
fn what_names_no_model_is_told_apart() {
    assert_eq!(find_model(b"[1]"), Err(ModelFieldError::NotAnObject));
    assert_eq!(find_model(b"\"model\""), Err(ModelFieldError::NotAnObject));
    assert_eq!(find_model(br#"{"x":1}"#), Err(ModelFieldError::Missing));
    assert_eq!(find_model(br#"{"model":7}"#), Err(ModelFieldError::NotAString));
    assert_eq!(find_model(br#"{"model":null}"#), Err(ModelFieldError::NotAString));
    assert_eq!(
        find_model(br#"{"model":"a","model":"b"}"#),
        Err(ModelFieldError::Duplicate)
    );
    for (body, at) in [
        (&b"{\n  \"model\": oops}"[..], (2, 12)),
        (b"", (1, 0)),
        (b"{\"model\":\"a\"} x", (1, 15)),
    ] {
        let Err(ModelFieldError::NotJson { line, column, reason }) = find_model(body) else {
            panic!("parsed {body:?}");
        };
        assert_eq!((line, column), at, "{reason}");
        assert!(!reason.contains("line"), "{reason}");
    }
}

#[test]
fn a_name_that_no_model_has_is_refused() {
    let named = |name: &str| find_model(serde_json::json!({ "model": name }).to_string().as_bytes());
    let longest = "m".repeat(NAME_BYTES_MAX);
    assert_eq!(named(&longest).unwrap().name, longest);
    for name in [format!("{longest}m"), "a\nb".to_owned(), "a\u{1b}[2J".to_owned()] {
        assert_eq!(named(&name), Err(ModelFieldError::BadName), "{name:?}");
    }
}

proptest! {
    #[test]
    fn a_spliced_model_reads_back(name in "\\PC{0,20}", new in "\\PC{0,20}", other in "[a-z]{0,9}") {
        let body = serde_json::json!({"a": other, "model": name, "stream": true}).to_string();
        let field = find_model(body.as_bytes()).unwrap();
        prop_assert_eq!(&field.name, &name);
        let again = splice_model(&Bytes::from(body), &field.span, &new);
        prop_assert_eq!(find_model(&again).unwrap().name, new);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = find_model(&bytes);
    }
}

#[test]
fn the_first_member_that_can_be_a_key_names_the_session() {
    let session = |rest: &str| {
        let body = format!(r#"{{"model":"m",{rest}}}"#);
        find_model(body.as_bytes()).unwrap().session
    };
    let long = "x".repeat(600);
    for (rest, expected) in [
        (r#""user":"u""#, Some("u")),
        (
            r#""session_id":"s","prompt_cache_key":"p","metadata":{"user_id":"i"},"user":"u""#,
            Some("u"),
        ),
        (
            r#""session_id":"s","prompt_cache_key":"p","metadata":{"n":1,"user_id":"i"}"#,
            Some("i"),
        ),
        (r#""session_id":"s","prompt_cache_key":"p""#, Some("p")),
        (r#""session_id":"s\u00e9""#, Some("s\u{e9}")),
        // What is no key is passed over, and never an error.
        (&format!(r#""user":"{long}","session_id":"s""#), Some("s")),
        (r#""user":"","session_id":"s""#, Some("s")),
        (
            r#""user":7,"metadata":[1],"prompt_cache_key":null,"session_id":"a\nb""#,
            None,
        ),
        (r#""user":"coderclaw:x","metadata":{"user_id":7}"#, None),
        (r#""metadata":{"user_id":"a","user_id":"b"}"#, None),
        (
            r#""messages":[{"user":"u","session_id":"s"}],"metadata":{"x":{"user_id":"i"}}"#,
            None,
        ),
    ] {
        assert_eq!(session(rest).as_deref(), expected, "{rest}");
    }
}
