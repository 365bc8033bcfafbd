//! What each path means, and what a wrong one is told.

use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

fn headers(names: &[&'static str]) -> HeaderMap {
    names
        .iter()
        .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")))
        .collect()
}

fn get(path: &str, names: &[&'static str]) -> Result<Route, RouteError> {
    find(&Method::GET, path, &headers(names))
}

fn post(path: &str) -> Result<Route, RouteError> {
    find(&Method::POST, path, &HeaderMap::new())
}

fn api(route: Result<Route, RouteError>) -> Api {
    match route {
        Ok(Route::Model(route)) => route.api,
        other => panic!("no model route: {other:?}"),
    }
}

#[test]
fn every_endpoint_has_its_format() {
    assert_eq!(api(post("/v1/chat/completions")), Api::OpenaiCompletions);
    assert_eq!(api(post("/v1/completions")), Api::OpenaiCompletions);
    assert_eq!(api(post("/v1/embeddings")), Api::OpenaiCompletions);
    assert_eq!(api(post("/v1/responses")), Api::OpenaiResponses);
    assert_eq!(api(post("/v1/messages")), Api::AnthropicMessages);
    assert_eq!(api(post("/v1/messages/count_tokens")), Api::AnthropicMessages);
    for method in GOOGLE_METHODS {
        assert_eq!(
            api(post(&format!("/v1beta/models/m:{method}"))),
            Api::GoogleGenerativeAi
        );
        assert_eq!(
            api(post(&format!("/v1/models/m:{method}"))),
            Api::GoogleGenerativeAi
        );
    }
}

#[test]
fn the_model_list_has_three_answers() {
    assert_eq!(api(get("/v1/models", &[])), Api::OpenaiCompletions);
    assert_eq!(
        api(get("/v1/models", &["anthropic-version"])),
        Api::AnthropicMessages
    );
    assert_eq!(
        api(get("/v1/models", &["x-goog-api-key"])),
        Api::GoogleGenerativeAi
    );
    assert_eq!(
        api(get("/v1/models", &["x-goog-api-client"])),
        Api::GoogleGenerativeAi
    );
    assert_eq!(api(get("/v1beta/models", &[])), Api::GoogleGenerativeAi);
}

#[test]
fn a_model_in_the_path_may_hold_slashes_and_colons() {
    let Ok(Route::Model(route)) = post("/v1beta/models/google/gemini-test:streamGenerateContent") else {
        panic!("no model route")
    };
    let suffix = ":streamGenerateContent".to_owned();
    let model = "google/gemini-test".to_owned();
    assert_eq!(
        route.target,
        ModelTarget::Path {
            prefix: "/models/",
            model,
            suffix
        }
    );
    let Ok(Route::Model(route)) = get("/v1/models/groq/llama3:8b", &[]) else {
        panic!("no model route")
    };
    let target = ModelTarget::Path {
        prefix: "/models/",
        model: "groq/llama3:8b".to_owned(),
        suffix: String::new(),
    };
    assert_eq!(route.target, target);
}

#[test]
fn a_model_cannot_climb_out_of_its_path() {
    for path in [
        "../x",
        "a/../../files",
        "%2e%2e/x",
        "a//b",
        "a%5cb",
        "a%3fb",
        "%252e%252e/x",
        "a%0ab",
    ] {
        let route = post(&format!("/v1beta/models/{path}:generateContent"));
        assert!(matches!(route, Err(RouteError::BadModel(_))), "{path}: {route:?}");
    }
}

#[test]
fn codex_is_told_at_once_that_there_is_no_websocket() {
    assert_eq!(get("/v1/responses", &["upgrade"]), Err(RouteError::WebSocket));
    assert!(matches!(
        get("/v1/responses", &[]),
        Err(RouteError::MethodNotAllowed { allow: "POST", .. })
    ));
}

#[test]
fn wrong_paths_and_methods_name_the_right_ones() {
    let Err(error) = post("/v1/chat/completion") else {
        panic!("a route")
    };
    assert!(error.to_string().contains("`/v1/chat/completions`"), "{error}");
    assert!(matches!(
        get("/v1/messages", &[]),
        Err(RouteError::MethodNotAllowed { allow: "POST", .. })
    ));
    assert!(matches!(
        post("/healthz"),
        Err(RouteError::MethodNotAllowed {
            allow: "GET, HEAD",
            ..
        })
    ));
    let Err(error) = post("/v1beta/models/m:generateContents") else {
        panic!("a route")
    };
    assert!(error.to_string().contains("`generateContent`"), "{error}");
    assert!(matches!(
        find(&Method::HEAD, "/api/hello", &HeaderMap::new()),
        Err(RouteError::UnknownPath { .. })
    ));
}

#[test]
fn proxy_keeps_the_path_as_it_came() {
    let route = get("/proxy/openai/v1/files/a%2Fb", &[]);
    let path = "/v1/files/a%2Fb".to_owned();
    assert_eq!(
        route,
        Ok(Route::Proxy {
            provider: "openai".to_owned(),
            path
        })
    );
}
