//! `models.providers`: built-in providers changed, others added.

use std::collections::BTreeMap;

use coderclaw_actors::domain::credential::{CredentialLimits, ProviderId};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::super::base_url::BaseUrl;
use super::super::document::{Field, Reader, Section};
use super::super::oauth;
use super::super::provider_id::{is_valid, normalise};
use super::{ApiSet, AuthScheme, Configured, Provider, builtins};
use crate::nearest::did_you_mean;
use crate::wire::Api;

/// Headers that belong to one connection or one message: they are never the config's to set.
const NOT_CONFIGURABLE: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What the older tools know of a model; here only its id matters.
const MODEL_FACTS: &[&str] = &[
    "name",
    "api",
    "reasoning",
    "input",
    "cost",
    "contextWindow",
    "contextTokens",
    "maxTokens",
    "headers",
    "compat",
];

/// Reads `models.providers` over the built-in ones.
pub(in crate::config) fn read(root: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<Configured> {
    let mut configured = builtins();
    let Some(mut models) = root.section("models", reader) else {
        return configured;
    };
    if let Some(providers) = models.section("providers", reader) {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for (written, field) in providers.entries() {
            let id = normalise(written).into_owned();
            if let Some(line) = lines.insert(id.clone(), reader.line(field)) {
                reader.refuse(
                    field,
                    format!("duplicate provider: `{id}` already stands at line {line}; remove one"),
                );
                continue;
            }
            read_provider(&id, field, &mut configured, reader);
        }
    }
    models.not_in_effect(&["mode"], reader);
    models.finish(reader);
    configured
}

fn read_provider(id: &str, field: &Field<'_>, configured: &mut Vec<Configured>, reader: &mut Reader<'_>) {
    if !is_valid(id) {
        reader.refuse(
            field,
            "expected a provider id of letters, digits, `.`, `_` and `-`, at most 64 characters",
        );
        return;
    }
    let Some(mut section) = reader.section(field) else {
        return;
    };
    let base = section.take("baseUrl").map(|field| base_url(&field, reader));
    let apis = section.take("api").map(|field| apis(&field, reader));
    let api_key = section
        .take("apiKey")
        .and_then(|field| reader.key(&field, "a key as text, or a reference to one"));
    let bearer = section
        .take("authHeader")
        .and_then(|field| reader.boolean(&field));
    let models = section.take("models").map(|field| models(&field, reader));
    let limits = reader.credential_limits(&mut section);
    let oauth = oauth::read(&mut section, reader);
    let header_section = section.section("headers", reader);
    section.not_in_effect(&["auth"], reader);
    section.finish(reader);

    let base = match base {
        Some(None) => return,
        Some(base) => base,
        None => None,
    };
    let Some(mut entry) = take_or_make(id, base.as_ref(), configured) else {
        let known = configured.iter().map(|other| other.provider.id.as_str());
        let hint = did_you_mean(id, known);
        reader.refuse(
            field,
            format!("expected a `baseUrl`, since `{id}` is not built in{hint}"),
        );
        return;
    };
    let provider = &mut entry.provider;
    if let Some(base) = base {
        provider.base = base;
    }
    if let Some(Some(apis)) = apis {
        provider.apis = ApiSet::of(&apis);
        if let Some(first) = apis.first() {
            provider.auth = AuthScheme::of(*first);
        }
    }
    if bearer == Some(true) {
        provider.auth = AuthScheme::Bearer;
    }
    provider.models = models.unwrap_or_default();
    provider.limits = limits;
    (provider.oauth, entry.oauth_secret) =
        oauth.map_or((None, None), |(oauth, secret)| (Some(oauth), secret));
    if let Some(section) = header_section {
        provider.headers = headers(&section, provider.auth, reader);
    }
    entry.api_key = api_key;
    configured.push(entry);
}

/// The built-in provider, or a new one if it says where it is.
fn take_or_make(id: &str, base: Option<&BaseUrl>, configured: &mut Vec<Configured>) -> Option<Configured> {
    let position = configured
        .iter()
        .position(|other| other.provider.id.as_str() == id);
    match position {
        Some(position) => Some(configured.swap_remove(position)),
        None => base.map(|base| custom(id, base)),
    }
}

fn custom(id: &str, base: &BaseUrl) -> Configured {
    Configured {
        provider: Provider {
            id: ProviderId::new(id),
            base: base.clone(),
            apis: ApiSet::of(&[Api::OpenaiCompletions]),
            auth: AuthScheme::Bearer,
            headers: HeaderMap::new(),
            models: Vec::new(),
            key_prefixes: &[],
            limits: CredentialLimits::default(),
            oauth: None,
            builtin: false,
        },
        api_key: None,
        oauth_secret: None,
    }
}

fn base_url(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<BaseUrl> {
    let Some(text) = field.value.as_string_lit() else {
        reader.expected(field, "a URL as text");
        return None;
    };
    BaseUrl::parse(&text.value)
        .map_err(|error| reader.refuse(field, error.to_string()))
        .ok()
}

/// `None` if what stands there is refused.
fn apis(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Vec<Api>> {
    let names = Api::ALL.map(|api| (api.as_str(), api));
    let fields = reader.one_or_many(field, "the name of a wire format or a list of them");
    let count = fields.len();
    let apis: Vec<Api> = fields
        .iter()
        .filter_map(|field| reader.one_of(field, &names))
        .collect();
    if count == 0 && field.value.as_array().is_some() {
        reader.refuse(field, "expected at least one wire format");
    }
    (count > 0 && apis.len() == count).then_some(apis)
}

fn models(field: &Field<'_>, reader: &mut Reader<'_>) -> Vec<String> {
    let list = reader.list(field, "a list of model ids, or of objects with an `id`");
    let mut models: Vec<String> = Vec::new();
    for element in list.unwrap_or_default() {
        let id = if element.value.as_object().is_some() {
            model_object(&element, reader)
        } else {
            reader.text(&element, "a model id, or an object with an `id`")
        };
        models.extend(id.filter(|id| !models.contains(id)));
    }
    models
}

fn model_object(element: &Field<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let mut section = reader.section(element)?;
    let id = section.take("id");
    if id.is_none() {
        reader.refuse(element, "expected an `id`");
    }
    let id = id.and_then(|id| reader.text(&id, "a model id"));
    section.ignore(MODEL_FACTS);
    section.finish(reader);
    id
}

fn headers(section: &Section<'_>, auth: AuthScheme, reader: &mut Reader<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (written, field) in section.entries() {
        let Ok(name) = HeaderName::from_bytes(written.trim().as_bytes()) else {
            reader.refuse(field, "expected a name that an HTTP header may have");
            continue;
        };
        if NOT_CONFIGURABLE.contains(&name) || matches!(name.as_str(), "keep-alive" | "proxy-connection") {
            reader.refuse(
                field,
                format!("`{name}` belongs to the connection and can't be configured"),
            );
            continue;
        }
        if name == auth.header() {
            reader.refuse(
                field,
                format!("`{name}` carries the credential of the pool; use `apiKey` instead"),
            );
            continue;
        }
        let value = field
            .value
            .as_string_lit()
            .and_then(|text| HeaderValue::from_str(text.value.trim()).ok());
        let Some(mut value) = value else {
            reader.expected_unseen(
                field,
                "a header value: text of visible ASCII characters and spaces",
            );
            continue;
        };
        value.set_sensitive(true);
        if headers.insert(name.clone(), value).is_some() {
            reader.refuse(
                field,
                format!("duplicate header: `{name}` is already set; remove one"),
            );
        }
    }
    headers
}
