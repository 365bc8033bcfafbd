use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_770_000_000_000);

fn headers(keys: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for key in keys {
        let value = HeaderValue::from_bytes(key).unwrap();
        headers.append(HeaderName::from_static(SESSION_HEADER), value);
    }
    headers
}

fn id(keys: &[&[u8]], in_body: Option<&str>) -> Result<Option<SessionId>, SessionKeyError> {
    let folder = tempfile::tempdir().unwrap();
    let sessions = Sessions::open(folder.path(), 10);
    let session = sessions.of_request(&headers(keys), in_body, "main", NOW)?;
    Ok(session.map(|session| {
        assert_eq!(session.is_by_header(), !keys.is_empty() && keys != [b" "]);
        session.id
    }))
}

#[test]
fn the_header_names_a_session_before_the_body_does() {
    let of = |key: &str| Ok(Some(SessionId::of("main", key)));
    assert_eq!(id(&[], None), Ok(None));
    assert_eq!(id(&[], Some("body")), of("body"));
    assert_eq!(id(&[b"head"], Some("body")), of("head"));
    assert_eq!(id(&[b" "], Some("body")), of("body"));
    assert_eq!(id(&["Grüße".as_bytes()], None), of("Grüße"));
}

#[test]
fn a_header_that_can_be_no_key_is_refused_whatever_the_body_says() {
    for (keys, error) in [
        (&[&[b'k'; 10_000][..]][..], SessionKeyError::TooLong),
        (&[b"a\tb"], SessionKeyError::Control),
        (&[b"\xff\xfe"], SessionKeyError::NotText),
        (&[b"coderclaw:main"], SessionKeyError::Reserved),
        (&[b"a", b"b"], SessionKeyError::Twice),
    ] {
        assert_eq!(id(keys, Some("body")), Err(error));
    }
}
