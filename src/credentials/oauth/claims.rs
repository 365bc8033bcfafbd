//! What a token says of itself. Decoded, not verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Longer values are no names of accounts, in bytes.
const VALUE_BYTES_MAX: usize = 512;

/// The claims of a JWT; none of anything else.
#[derive(Debug, Default)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// The claims of `token`.
    pub(super) fn of(token: &str) -> Self {
        let mut parts = token.split('.');
        let payload = parts.nth(1).filter(|_| parts.next().is_some());
        let decoded = payload.and_then(|payload| URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok());
        let claims = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self(claims.unwrap_or_default())
    }

    /// The text or number at `path`: a claim, or claims with dots between. Names of claims may have dots too.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let text = match find(&self.0, path)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let is_name =
            !text.is_empty() && text.len() <= VALUE_BYTES_MAX && !text.chars().any(char::is_control);
        is_name.then_some(text)
    }

    /// When the token ends, in Unix milliseconds.
    pub(super) fn expires_at_ms(&self) -> Option<u64> {
        self.0.get("exp")?.as_u64()?.checked_mul(1000)
    }
}

fn find<'v>(claims: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    claims.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| {
            let (name, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
            find(claims.get(name)?.as_object()?, rest)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(claims: &Value) -> Claims {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Claims::of(&format!("eyJhbGciOiJub25lIn0.{payload}.c2ln"))
    }

    #[test]
    fn a_path_leads_through_names_with_dots() {
        let claims = claims(&json!({
            "sub": "u1", "n": 7, "exp": 12,
            "https://api.example.com/auth": {"account.id": "acct-1", "plan": {"name": "pro"}},
        }));
        let text = |path| claims.text(path);
        assert_eq!(text("sub").as_deref(), Some("u1"));
        assert_eq!(text("n").as_deref(), Some("7"));
        assert_eq!(
            text("https://api.example.com/auth.account.id").as_deref(),
            Some("acct-1")
        );
        assert_eq!(
            text("https://api.example.com/auth.plan.name").as_deref(),
            Some("pro")
        );
        for none in ["", ".", "sub.x", "missing", "https://api.example.com/auth"] {
            assert_eq!(text(none), None, "{none}");
        }
        assert_eq!(claims.expires_at_ms(), Some(12_000));
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for token in ["", "opaque", "a.b", "a.%%%.c", "a.bm90IGpzb24.c", "eyJ.W10.c"] {
            assert_eq!(Claims::of(token).text("sub"), None, "{token}");
        }
        let odd = claims(&json!({"sub": "a\nb", "long": "x".repeat(600), "exp": u64::MAX}));
        assert_eq!(
            (odd.text("sub"), odd.text("long"), odd.expires_at_ms()),
            (None, None, None)
        );
    }
}
