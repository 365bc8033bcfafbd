//! The device flow: a code that a person types in on another machine.

use std::time::Duration;

use coderclaw_actors::domain::credential::Secret;
use oauth2::{
    DeviceAuthorizationUrl, DeviceCodeErrorResponseType, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse,
};

use super::client::OauthClient;
use super::error::{LoginError, TokenError, explain};
use super::tokens::Tokens;

/// The longest that a person is waited for, whatever the server says.
const WAIT_MAX: Duration = Duration::from_mins(30);

/// The longest pause between two polls while the server is out of reach.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// What a person has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePrompt {
    /// The code to type in.
    pub user_code: String,
    /// Where.
    pub url: String,
    /// The same with the code in it, for a link or a picture.
    pub url_with_code: Option<String>,
    /// How long there is time.
    pub expires_in: Duration,
}

/// Asks for a code, shows it, and polls as often as the server allows until it is approved.
///
/// # Errors
/// If the login is refused or not approved in time.
pub async fn login_with_device(
    client: OauthClient<'_>,
    show: impl FnOnce(&DevicePrompt),
) -> Result<Tokens, LoginError> {
    let details = ask(client).await?;
    let lifetime = details.expires_in().min(WAIT_MAX);
    show(&prompt(&details, lifetime)?);
    // The server's interval may be longer than its code lives.
    tokio::time::timeout(lifetime, poll(client, &details, lifetime))
        .await
        .unwrap_or(Err(LoginError::Expired))
}

async fn ask(client: OauthClient<'_>) -> Result<StandardDeviceAuthorizationResponse, LoginError> {
    let provider = client.provider;
    let url = provider
        .device_url
        .clone()
        .ok_or(LoginError::NotConfigured("deviceUrl"))?;
    let library = client
        .library()
        .set_device_authorization_url(DeviceAuthorizationUrl::from_url(url));
    let mut request = library
        .exchange_device_code()
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new));
    for (name, value) in &provider.extra_params {
        request = request.add_extra_param(name, value);
    }
    let line = client.line();
    let answer = request.request_async(&line).await;
    let hidden: Vec<&Secret> = provider.client_secret.iter().collect();
    answer.map_err(|error| explain(error, line.status(), &hidden).into())
}

fn prompt(
    details: &StandardDeviceAuthorizationResponse,
    expires_in: Duration,
) -> Result<DevicePrompt, LoginError> {
    let url = details.verification_uri();
    let is_text = |text: &str| !text.chars().any(char::is_control);
    let is_web = matches!(url.url().scheme(), "http" | "https");
    if !is_web || !is_text(details.user_code().secret()) {
        return Err(TokenError::Unusable("it names no page to go to".to_owned()).into());
    }
    let complete = details
        .verification_uri_complete()
        .map(|url| url.secret().clone());
    Ok(DevicePrompt {
        user_code: details.user_code().secret().clone(),
        url: url.url().to_string(),
        url_with_code: complete.filter(|url| {
            url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) && is_text(url)
        }),
        expires_in,
    })
}

async fn poll(
    client: OauthClient<'_>,
    details: &StandardDeviceAuthorizationResponse,
    lifetime: Duration,
) -> Result<Tokens, LoginError> {
    let line = client.line().for_polls();
    let library = client.library();
    let answer = library
        .exchange_device_access_token(details)
        .set_max_backoff_interval(PAUSE_MAX)
        .request_async(&line, tokio::time::sleep, Some(lifetime))
        .await;
    if let Err(RequestTokenError::ServerResponse(refusal)) = &answer {
        match refusal.error() {
            DeviceCodeErrorResponseType::ExpiredToken => return Err(LoginError::Expired),
            DeviceCodeErrorResponseType::AccessDenied => {
                return Err(LoginError::Denied {
                    code: "access_denied".to_owned(),
                    description: String::new(),
                });
            }
            _ => {}
        }
    }
    let code = Secret::new(details.device_code().secret().clone());
    Ok(client.tokens(answer, &line, &[&code])?)
}
