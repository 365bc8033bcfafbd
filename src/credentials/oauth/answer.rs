//! Answers of token endpoints: as RFC 6749 wants them, and as servers send them.
//!
//! A refresh token that a server has just handed out must not be lost because the answer around it is unusual. So
//! what the library would refuse is mended first.

use std::fmt;

use http::{HeaderValue, Response, StatusCode, header};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    Client, EndpointNotSet, EndpointSet, ExtraTokenFields, StandardRevocableToken, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What the library doesn't know of an answer.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct Extra {
    #[serde(default)]
    id_token: Option<String>,
}

impl Extra {
    pub(super) fn id_token(&self) -> Option<&str> {
        self.id_token.as_deref()
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extra(..)")
    }
}

impl ExtraTokenFields for Extra {}

/// A good answer.
pub(super) type TokenAnswer = StandardTokenResponse<Extra, BasicTokenType>;

/// The library's client of a provider whose token endpoint is known.
pub(super) type Library<Auth = EndpointNotSet, Device = EndpointNotSet> = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Auth,
    Device,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The answer as the library takes it.
pub(super) fn mend(mut answer: Response<Vec<u8>>) -> Response<Vec<u8>> {
    let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(answer.body()) else {
        return answer;
    };
    if answer.status().is_success() {
        *answer.status_mut() = StatusCode::OK;
        mend_tokens(&mut fields);
    } else {
        mend_error(&mut fields);
    }
    *answer.body_mut() = Value::Object(fields).to_string().into_bytes();
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

fn mend_tokens(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    if !fields.get("token_type").is_some_and(Value::is_string) {
        fields.insert("token_type".to_owned(), json!("bearer"));
    }
    if fields.get("refresh_token").is_some_and(|token| token == "") {
        fields.remove("refresh_token");
    }
    if let Some(lifetime) = fields.remove("expires_in")
        && let Some(seconds) = seconds(&lifetime)
    {
        fields.insert("expires_in".to_owned(), json!(seconds));
    }
    if let Some(Value::Array(scopes)) = fields.get("scope") {
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        let joined = scopes.join(" ");
        fields.insert("scope".to_owned(), json!(joined));
    }
    for name in ["scope", "id_token"] {
        if !fields.get(name).is_none_or(Value::is_string) {
            fields.remove(name);
        }
    }
}

/// Whole seconds, from a number or from text; none of what is neither.
fn seconds(lifetime: &Value) -> Option<u64> {
    let number = match lifetime {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| number.is_finite())?;
    std::time::Duration::try_from_secs_f64(number.max(0.0))
        .ok()
        .map(|duration| duration.as_secs())
}

/// `{"error": {"code": …, "message": …}}` is what some send.
fn mend_error(fields: &mut Map<String, Value>) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if let Some(Value::Object(inner)) = fields.get("error") {
        let code = text(inner.get("code")).or_else(|| text(inner.get("type")));
        let message = text(inner.get("message"));
        fields.insert(
            "error".to_owned(),
            json!(code.unwrap_or_else(|| "unknown".to_owned())),
        );
        fields.insert("error_description".to_owned(), json!(message));
    }
    let description = text(fields.get("error_description")).or_else(|| text(fields.get("message")));
    fields.insert("error_description".to_owned(), json!(description));
    fields.remove("error_uri");
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth2::TokenResponse as _;

    fn mended(status: u16, body: &str) -> (StatusCode, Value) {
        let answer = Response::builder()
            .status(status)
            .header("content-type", "text/html")
            .body(body.as_bytes().to_vec())
            .unwrap();
        let answer = mend(answer);
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status(), body)
    }

    #[test]
    fn unusual_answers_keep_their_tokens() {
        for body in [
            r#"{"access_token":"a","refresh_token":"r"}"#,
            r#"{"access_token":"a","refresh_token":"r","token_type":null,"expires_in":"3600","scope":["x","y"]}"#,
            r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer","expires_in":3599.5,"scope":7}"#,
            r#"{"access_token":"a","refresh_token":"r","expires_in":-1,"id_token":{},"scope":null}"#,
            r#"{"access_token":"a","refresh_token":"r","expires_in":"soon"}"#,
            r#"{"access_token":"a","refresh_token":"r","expires_in":1e300}"#,
        ] {
            let (status, value) = mended(201, body);
            assert_eq!(status, StatusCode::OK);
            let answer: TokenAnswer =
                serde_json::from_value(value).unwrap_or_else(|error| panic!("{body}: {error}"));
            assert_eq!(answer.refresh_token().unwrap().secret(), "r", "{body}");
        }
        let (_, none) = mended(200, r#"{"access_token":"a","refresh_token":""}"#);
        assert_eq!(none.get("refresh_token"), None);
    }

    #[test]
    fn errors_in_errors_are_found() {
        let (_, value) = mended(
            401,
            r#"{"error":{"message":"it was used before","type":"invalid_request_error","code":"refresh_token_reused"}}"#,
        );
        assert_eq!(value["error"], "refresh_token_reused");
        assert_eq!(value["error_description"], "it was used before");
        assert_eq!(mended(400, "<html>").1, Value::Null);
    }
}
