//! The root of a provider's addresses, checked once so that requests only join strings.

use http::Uri;
use http::uri::InvalidUri;
use url::{Host, Url};

/// A checked base URL: `https://api.openai.com/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// The whole root, without a slash at its end.
    root: String,
    /// How much of it is scheme, host and port.
    origin_length: usize,
    /// The origin as a URL: parsing a host costs more than all else that is done to an address.
    origin: Url,
    /// The addresses of the [`USUAL_ENDPOINTS`], in their order.
    usual: [Uri; USUAL_ENDPOINTS.len()],
}

/// The endpoints that nearly all requests go to, as version and path: their addresses are made once.
const USUAL_ENDPOINTS: [(&str, &str); 3] = [
    ("/v1", "/chat/completions"),
    ("/v1", "/responses"),
    ("/v1", "/messages"),
];

/// Why a text is no base URL. Says nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It does not parse.
    #[error("expected a URL such as \"https://api.example.com/v1\"")]
    Invalid,
    /// Neither http nor https.
    #[error("expected a URL that begins with http:// or https://")]
    Scheme,
    /// A user name or a password stands in it.
    #[error("expected a URL without user name and password; keys go into `apiKey`")]
    UserInfo,
    /// A query or a fragment stands in it.
    #[error("expected a URL without `?` and `#`")]
    QueryOrFragment,
}

/// Why a path below `/proxy/{provider}` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyPathError {
    /// It does not begin with a slash.
    #[error("the path must begin with `/`")]
    Relative,
    /// A `.` or `..` segment, plain or encoded.
    #[error("the path must not hold `.` or `..` segments")]
    Dots,
    /// Two slashes in a row.
    #[error("the path must not hold `//`")]
    EmptySegment,
    /// An encoded slash, backslash, dot or control character, however often it is encoded.
    #[error("the path must not hold encoded slashes, backslashes, dots or control characters")]
    Encoded,
    /// A `%` that encodes nothing.
    #[error("the path holds a `%` without two hexadecimal digits")]
    BadEncoding,
    /// A scheme: `https:`.
    #[error("the path must not hold a scheme")]
    Scheme,
    /// A backslash, white space, control character, `#` or anything else that no path holds as it is.
    #[error("the path or the query holds a character that must be encoded")]
    Character,
}

impl BaseUrl {
    /// Checks a base URL.
    ///
    /// # Errors
    /// If it is not http or https with a host, or holds user information, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| BaseUrlError::Invalid)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let origin = url.origin();
        if !origin.is_tuple() {
            return Err(BaseUrlError::Invalid);
        }
        let mut root = origin.ascii_serialization();
        let origin_length = root.len();
        root.push_str(url.path().trim_end_matches('/'));
        let (base, below) = root.split_at(origin_length);
        let origin = Url::parse(base).map_err(|_| BaseUrlError::Invalid)?;
        let [chat, responses, messages] =
            USUAL_ENDPOINTS.map(|(version, path)| join(&origin, below, version, path, None));
        let invalid = |_| BaseUrlError::Invalid;
        let usual = [
            chat.map_err(invalid)?,
            responses.map_err(invalid)?,
            messages.map_err(invalid)?,
        ];
        Ok(Self {
            root,
            origin_length,
            origin,
            usual,
        })
    }

    /// The root as it was given, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.root
    }

    /// Scheme, host and port: `https://api.openai.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.root.get(..self.origin_length).unwrap_or(&self.root)
    }

    /// Whether it is on this machine or its network: `localhost`, a loopback or unspecified address, or a name below
    /// `.local`.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.origin.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || matches!(name.rsplit_once('.'), Some((_, "localhost" | "local")))
            }
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
            Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
            None => false,
        }
    }

    /// The address of an endpoint: `version` (`/v1`) is added only if the root has no path; `path` begins with `/`
    /// and may not climb.
    ///
    /// # Errors
    /// If the address would be longer than any may be, 64 KiB.
    pub fn join(&self, version: &str, path: &str, query: Option<&str>) -> Result<Uri, InvalidUri> {
        let mut usual = USUAL_ENDPOINTS.iter().zip(&self.usual);
        match usual.find(|(endpoint, _)| query.is_none() && **endpoint == (version, path)) {
            Some((_, uri)) => Ok(uri.clone()),
            None => join(&self.origin, self.below(), version, path, query),
        }
    }

    /// The root's own path.
    fn below(&self) -> &str {
        self.root.get(self.origin_length..).unwrap_or_default()
    }

    /// The address of a path as the caller gave it, below the origin alone.
    ///
    /// # Errors
    /// If the path could lead anywhere but below the origin, or be read differently further on.
    pub fn proxy(&self, raw_path: &str, query: Option<&str>) -> Result<String, ProxyPathError> {
        check_path(raw_path)?;
        let origin = self.origin();
        let query_length = query.map_or(0, |query| query.len() + 1);
        let mut url = String::with_capacity(origin.len() + raw_path.len() + query_length);
        url.push_str(origin);
        url.push_str(raw_path);
        if let Some(query) = query {
            if query.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
                return Err(ProxyPathError::Character);
            }
            url.push('?');
            url.push_str(query);
        }
        Ok(url)
    }
}

fn join(
    origin: &Url,
    below: &str,
    version: &str,
    path: &str,
    query: Option<&str>,
) -> Result<Uri, InvalidUri> {
    let version = if below.is_empty() { version } else { "" };
    let mut url = origin.clone();
    url.set_path(&[below, version, path].concat());
    url.set_query(query);
    String::from(url).parse()
}

fn check_path(path: &str) -> Result<(), ProxyPathError> {
    let below = path.strip_prefix('/').ok_or(ProxyPathError::Relative)?;
    if path
        .bytes()
        .any(|byte| !byte.is_ascii_graphic() || b"\\#?<>\"^`{|}".contains(&byte))
    {
        return Err(ProxyPathError::Character);
    }
    check_encoding(path)?;
    let mut segments = below.split('/').peekable();
    while let Some(segment) = segments.next() {
        // A slash at the very end is no empty segment.
        if segment.is_empty() && segments.peek().is_some() {
            return Err(ProxyPathError::EmptySegment);
        }
        if matches!(segment, "." | "..") {
            return Err(ProxyPathError::Dots);
        }
        if segment.ends_with(':') {
            return Err(ProxyPathError::Scheme);
        }
    }
    Ok(())
}

fn check_encoding(path: &str) -> Result<(), ProxyPathError> {
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2).ok_or(ProxyPathError::BadEncoding)?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| ProxyPathError::BadEncoding)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ProxyPathError::BadEncoding);
        }
        // `%25` is a percent sign: what follows it may be encoded once more.
        let mut beneath = (byte, after.get(2..).unwrap_or_default());
        while beneath.0 == b'%' {
            let next = beneath.1.get(..2).map(|digits| u8::from_str_radix(digits, 16));
            let Some(Ok(byte)) = next else { break };
            beneath = (byte, beneath.1.get(2..).unwrap_or_default());
        }
        if beneath.0.is_ascii_control() || matches!(beneath.0, b'.' | b'/' | b'\\') {
            return Err(ProxyPathError::Encoded);
        }
        rest = after;
    }
    Ok(())
}
