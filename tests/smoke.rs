//! x
mod support;
use support::{TestGateway, key};

#[tokio::test]
async fn no_upstream_is_a_502() {
    let openai = key("openai", "a");
    let gateway = TestGateway::start("http://127.0.0.1:1", &[("OPENAI_API_KEY", &openai)]);
    let client = reqwest::Client::new();
    let answer = client.post(gateway.url("/v1/chat/completions")).body(r#"{"model":"m","messages":[]}"#).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let text = answer.text().await.unwrap();
    println!("{text}");
    for path in ["/healthz", "/readyz", "/metrics", "/status", "/nope"] {
        let answer = client.get(gateway.url(path)).send().await.unwrap();
        println!("{path} {} {:?}", answer.status(), answer.headers().clone());
        println!("{}", answer.text().await.unwrap());
    }
    let answer = client.post(gateway.url("/v1/messages")).body(r#"{"model":"m","messages":[]}"#).send().await.unwrap();
    println!("{}", answer.text().await.unwrap());
}
