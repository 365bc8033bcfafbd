//! An identity provider, and everything that speaks to it.

use std::time::Duration;

use coderclaw::config::{OauthProvider, RedirectHost};
use coderclaw::credentials::oauth::{OauthClient, Tokens, Way, login_in_browser};
use coderclaw::emulator::{Emulator, EmulatorConfig, IdpConfig, RunningEmulator};
use coderclaw::upstream::token_endpoint::TokenEndpoint;
use coderclaw_actors::SystemClock;
use url::Url;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The client that the tests are.
pub(crate) const CLIENT: &str = "app-of-the-user";

pub(crate) struct Scene {
    pub(crate) emulator: RunningEmulator,
    pub(crate) provider: OauthProvider,
    pub(crate) endpoint: TokenEndpoint,
    clock: SystemClock,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(IdpConfig::default())
    }

    pub(crate) fn with(idp: IdpConfig) -> Self {
        let config = EmulatorConfig {
            idp,
            ..EmulatorConfig::default()
        };
        let emulator = Emulator::start(config).expect("the emulator starts");
        Self {
            provider: provider_at(&emulator.base_url()),
            emulator,
            endpoint: TokenEndpoint::new().expect("certificates"),
            clock: SystemClock::start(),
        }
    }

    pub(crate) fn client(&self) -> OauthClient<'_> {
        OauthClient::new(&self.provider, &self.endpoint, &self.clock)
    }

    /// A login in a browser that does as it should.
    pub(crate) async fn login(&self) -> Tokens {
        self.login_as("account-1").await
    }

    /// The same, as somebody.
    pub(crate) async fn login_as(&self, account: &str) -> Tokens {
        let (opened, open) = tokio::sync::oneshot::channel();
        let login = login_in_browser(
            self.client(),
            Some(PATIENCE),
            |url, way| {
                assert_eq!(way, Way::Browser);
                opened.send(url.clone()).expect("somebody waits");
            },
            |ask| async move { panic!("nothing is to be pasted: {ask:?}") },
        );
        let browser = async {
            let mut url = open.await.expect("an address");
            url.query_pairs_mut().append_pair("login_hint", account);
            let back = approve(&url).await;
            assert_eq!(get(&back).await.0, 200);
        };
        let (tokens, ()) = tokio::join!(login, browser);
        tokens.expect("logged in")
    }
}

pub(crate) fn provider_at(base: &str) -> OauthProvider {
    let at = |path: &str| Url::parse(&format!("{base}/__idp/{path}")).expect("a URL");
    OauthProvider {
        authorize_url: Some(at("authorize")),
        token_url: at("token"),
        device_url: Some(at("device")),
        client_id: CLIENT.to_owned(),
        client_secret: None,
        scopes: vec!["chat".to_owned(), "offline_access".to_owned()],
        redirect_host: RedirectHost::Address,
        redirect_port: 0,
        redirect_path: "/auth/callback".to_owned(),
        account_id_claim: Some("https://idp.example/auth.account_id".to_owned()),
        extra_params: vec![("audience".to_owned(), "models".to_owned())],
    }
}

/// Status and body of a page; no redirect is followed.
pub(crate) async fn get(url: &Url) -> (u16, String) {
    let answer = fetch(url).await;
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

async fn fetch(url: &Url) -> reqwest::Response {
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    browser.get(url.clone()).send().await.expect("an answer")
}

/// Where the authorize page sends the browser.
pub(crate) async fn approve(url: &Url) -> Url {
    let answer = fetch(url).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().expect("text");
    Url::parse(location).expect("a URL")
}
