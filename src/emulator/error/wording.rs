//! The wording of every provider, as data.

use crate::emulator::error::Cause;
use crate::emulator::profile::Profile;

mod compatible;
mod native;

/// One provider's wording. Words with a `$` are filled in; `super::fill` knows them all. A status of 0 is the cause's own.
pub(super) struct Template {
    pub(super) cause: Cause,
    pub(super) status: u16,
    pub(super) body: &'static str,
}

const fn is(cause: Cause, status: u16, body: &'static str) -> Template {
    Template { cause, status, body }
}

pub(super) const OPENAI: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"message":"Rate limit reached for $model in organization $org on requests per min (RPM): Limit $limit, Used $used, Requested 1.$retry","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"message":"Rate limit reached for $model in organization $org on tokens per min (TPM): Limit $limit, Used $used, Requested $requested.$retry","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::TooLarge,
        429,
        r#"{"error":{"message":"Request too large for $model in organization $org on tokens per min (TPM): Limit $limit, Requested $requested. The input or output tokens must be reduced in order to run successfully.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Day,
        429,
        r#"{"error":{"message":"Rate limit reached for $model in organization $org on requests per day (RPD): Limit $limit, Used $used, Requested 1.$retry","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Concurrency,
        429,
        r#"{"error":{"message":"Too many concurrent requests for $model in organization $org: Limit $limit.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Quota,
        429,
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
    ),
    is(
        Cause::Unauthorized,
        401,
        r#"{"error":{"message":"Incorrect API key provided: $key. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
    ),
    is(
        Cause::TokenExpired,
        401,
        r#"{"error":{"message":"Provided authentication token is expired. Please try signing in again.","type":"invalid_request_error","param":null,"code":"token_expired"}}"#,
    ),
    is(
        Cause::NoKey,
        401,
        r#"{"error":{"message":"You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.","type":"invalid_request_error","param":null,"code":null}}"#,
    ),
    is(
        Cause::Suspended,
        403,
        r#"{"error":{"message":"Your account has been suspended. Please contact support for more information.","type":"invalid_request_error","param":null,"code":"account_deactivated"}}"#,
    ),
    is(
        Cause::Overloaded,
        503,
        r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error","param":null,"code":null}}"#,
    ),
    is(
        Cause::UnknownModel,
        404,
        r#"{"error":{"message":"The model `$model` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
    ),
    is(
        Cause::UnknownPath,
        404,
        r#"{"error":{"message":"Invalid URL ($message)","type":"invalid_request_error","param":null,"code":null}}"#,
    ),
    is(
        Cause::Method,
        405,
        r#"{"error":{"message":"Not allowed to $message.","type":"invalid_request_error","param":null,"code":"method_not_supported"}}"#,
    ),
    is(
        Cause::BadRequest,
        400,
        r#"{"error":{"message":"$message","type":"invalid_request_error","param":null,"code":null}}"#,
    ),
    is(
        Cause::Status(500),
        500,
        r#"{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}"#,
    ),
    is(
        Cause::Status(0),
        0,
        r#"{"error":{"message":"$message","type":"api_error","param":null,"code":null}}"#,
    ),
];

/// The wording of a provider; what it lacks is said as `OpenAI` says it.
pub(super) fn templates(profile: &Profile) -> &'static [Template] {
    match profile.id {
        "anthropic" => native::ANTHROPIC,
        "google" => native::GOOGLE,
        "openrouter" => compatible::OPENROUTER,
        "groq" => compatible::GROQ,
        "mistral" => compatible::MISTRAL,
        "deepseek" => compatible::DEEPSEEK,
        "xai" => compatible::XAI,
        "together" => compatible::TOGETHER,
        "fireworks" => compatible::FIREWORKS,
        "cerebras" => compatible::CEREBRAS,
        _ => OPENAI,
    }
}
