//! What a browser comes back with, from its address or as people paste it.

use coderclaw_actors::domain::credential::Secret;

/// Longest text that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What came back from the authorize page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The code, or the refusal.
    pub outcome: Result<Secret, Denied>,
    /// The state, where it came along.
    pub state: Option<String>,
}

/// A refusal, in the server's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// `access_denied` and the like.
    pub code: String,
    /// What the server says to it; may be empty.
    pub description: String,
}

/// Why a paste is none of what is asked for. Never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasteError {
    /// Nothing was pasted.
    #[error("nothing was pasted; paste the address that the browser ended at, or the code that it shows")]
    Empty,
    /// An address or a query without a code.
    #[error("there is no `code` in it; paste the whole address that the browser ended at")]
    NoCode,
    /// Something else.
    #[error("it is neither an address nor a code; paste the address that the browser ended at")]
    Unknown,
}

/// Reads the whole redirect address, its query, `code#state`, or the bare code. Line breaks and spaces that a
/// terminal put into it go.
///
/// # Errors
/// If it is none of these.
pub fn parse(pasted: &str) -> Result<Returned, PasteError> {
    if pasted.len() > TEXT_BYTES_MAX {
        return Err(PasteError::Unknown);
    }
    let text: String = pasted.chars().filter(|c| !c.is_whitespace()).collect();
    if text.is_empty() {
        return Err(PasteError::Empty);
    }
    if let Some((_, rest)) = text.split_once("://") {
        let query = rest.split_once('?').map(|(_, query)| query);
        return query_of(query.unwrap_or_default());
    }
    if text.starts_with('?') || text.contains("code=") || text.contains("error=") {
        return query_of(text.trim_start_matches('?'));
    }
    let (code, state) = match text.split_once('#') {
        Some((code, state)) => (code, Some(state.to_owned())),
        None => (text.as_str(), None),
    };
    let looks_like_one = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_graphic());
    if !looks_like_one {
        return Err(PasteError::Unknown);
    }
    Ok(Returned {
        outcome: Ok(Secret::new(code.to_owned())),
        state: state.filter(|state| !state.is_empty()),
    })
}

/// Reads the query of a redirect; what follows a `#` belongs to the browser.
pub(super) fn query_of(query: &str) -> Result<Returned, PasteError> {
    let query = query.split('#').next().unwrap_or_default();
    let (mut code, mut state, mut error, mut description) = (None, None, None, String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        match name.as_str() {
            "code" => code = Some(value),
            "state" => state = Some(value),
            "error" => error = Some(value),
            "error_description" => description = value,
            _ => {}
        }
    }
    let outcome = match (error, code.filter(|code| !code.is_empty())) {
        (Some(code), _) => Err(Denied { code, description }),
        (None, Some(code)) => Ok(Secret::new(code)),
        (None, None) => return Err(PasteError::NoCode),
    };
    Ok(Returned { outcome, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "ac_Zk3vQ8nB1xW5yT7mL2cR9dF4gH6jK0pS";

    fn parts(pasted: &str) -> (String, Option<String>) {
        let returned = parse(pasted).unwrap();
        (returned.outcome.unwrap().expose().to_owned(), returned.state)
    }

    #[test]
    fn every_form_is_understood() {
        let with_state = (CODE.to_owned(), Some("st/1".to_owned()));
        for pasted in [
            format!("http://localhost:1455/auth/callback?code={CODE}&state=st%2F1"),
            format!("  http://127.0.0.1:1/cb?state=st%2F1&scope=a+b&code={CODE}#frag \n"),
            format!("?code={CODE}&state=st%2F1"),
            format!("code={CODE}&state=st%2F1"),
            format!("{CODE}#st/1"),
            format!("{}\n{}#st/1", &CODE[..10], &CODE[10..]),
        ] {
            assert_eq!(parts(&pasted), with_state, "{pasted}");
        }
        for pasted in [CODE.to_owned(), format!("{CODE}#"), format!("code={CODE}")] {
            assert_eq!(parts(&pasted), (CODE.to_owned(), None), "{pasted}");
        }
    }

    #[test]
    fn a_refusal_is_one() {
        let returned =
            parse("http://localhost/cb?error=access_denied&error_description=not+you&state=s").unwrap();
        let denied = returned.outcome.unwrap_err();
        assert_eq!(
            (denied.code.as_str(), denied.description.as_str()),
            ("access_denied", "not you")
        );
        assert_eq!(returned.state.as_deref(), Some("s"));
    }

    #[test]
    fn what_is_none_of_them_is_refused_without_being_repeated() {
        assert_eq!(parse(" \r\n"), Err(PasteError::Empty));
        assert_eq!(parse("http://localhost/cb"), Err(PasteError::NoCode));
        assert_eq!(parse("code=&state=x"), Err(PasteError::NoCode));
        assert_eq!(parse("#state"), Err(PasteError::Unknown));
        assert_eq!(parse("\u{1f600}"), Err(PasteError::Unknown));
        assert_eq!(parse(&"x".repeat(20_000)), Err(PasteError::Unknown));
    }
}
