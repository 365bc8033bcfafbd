//! What the providers that speak `OpenAI`'s formats say in other words than `OpenAI`.

use super::{Template, is};
use crate::emulator::error::Cause;

pub(super) const OPENROUTER: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-min.","metadata":{"headers":{"X-RateLimit-Limit":"$limit","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"$unix_ms"}}},"user_id":"$org"}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"$model is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate your rate limits: https://openrouter.ai/settings/integrations","provider_name":"Venice","is_byok":false,"retry_after_seconds":$seconds}},"user_id":"$org"}"#,
    ),
    is(
        Cause::Day,
        429,
        r#"{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day.","metadata":{"headers":{"X-RateLimit-Limit":"$limit","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"$unix_ms"}}},"user_id":"$org"}"#,
    ),
    is(
        Cause::Quota,
        402,
        r#"{"error":{"code":402,"message":"This request requires more credits, or fewer max_tokens.","metadata":{"limit_source":"openrouter_credits"}}}"#,
    ),
    is(
        Cause::Unauthorized,
        401,
        r#"{"error":{"message":"User not found.","code":401}}"#,
    ),
    is(
        Cause::NoKey,
        401,
        r#"{"error":{"message":"No auth credentials found","code":401}}"#,
    ),
    is(
        Cause::Suspended,
        403,
        r#"{"error":{"message":"This account has been suspended.","code":403}}"#,
    ),
    is(
        Cause::Overloaded,
        503,
        r#"{"error":{"message":"Provider returned error","code":503,"metadata":{"raw":"overloaded","provider_name":"Venice"}}}"#,
    ),
    is(
        Cause::BadRequest,
        400,
        r#"{"error":{"message":"$message","code":400}}"#,
    ),
    is(
        Cause::Status(0),
        0,
        r#"{"error":{"message":"$message","code":$status}}"#,
    ),
];

pub(super) const GROQ: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"message":"Rate limit reached for model `$model` in organization `$org` service tier `on_demand` on requests per minute (RPM): Limit $limit, Used $used, Requested 1.$retry","type":"requests","code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"message":"Rate limit reached for model `$model` in organization `$org` service tier `on_demand` on tokens per minute (TPM): Limit $limit, Used $used, Requested $requested.$retry","type":"tokens","code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::TooLarge,
        413,
        r#"{"error":{"message":"Request too large for model `$model` in organization `$org` service tier `on_demand` on tokens per minute (TPM): Limit $limit, Requested $requested, please reduce your message size and try again.","type":"tokens","code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Quota,
        400,
        r#"{"error":{"message":"Your organization has exceeded its spend limit.","type":"invalid_request_error","code":"blocked_api_access"}}"#,
    ),
    is(
        Cause::Unauthorized,
        401,
        r#"{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
    ),
    is(
        Cause::Suspended,
        400,
        r#"{"error":{"message":"Organization has been restricted. Please reach out to support if you believe this was in error.","type":"invalid_request_error","code":"organization_restricted"}}"#,
    ),
    is(
        Cause::Overloaded,
        498,
        r#"{"error":{"message":"Flex tier capacity exceeded.","type":"capacity_exceeded","code":"capacity_exceeded"}}"#,
    ),
];

pub(super) const MISTRAL: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#,
    ),
    is(
        Cause::TooLarge,
        429,
        r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#,
    ),
    is(
        Cause::Day,
        429,
        r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#,
    ),
    is(
        Cause::Concurrency,
        429,
        r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#,
    ),
    is(
        Cause::Quota,
        402,
        r#"{"detail":"You have reached the limit of your subscription. Payment required."}"#,
    ),
    is(Cause::Unauthorized, 401, r#"{"detail":"Unauthorized"}"#),
    is(Cause::NoKey, 401, r#"{"detail":"Unauthorized"}"#),
    is(
        Cause::Overloaded,
        429,
        r#"{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}"#,
    ),
    is(
        Cause::BadRequest,
        422,
        r#"{"detail":[{"type":"value_error","loc":["body"],"msg":"$message"}]}"#,
    ),
    is(
        Cause::UnknownModel,
        400,
        r#"{"object":"error","message":"Invalid model: $model","type":"invalid_model","param":null,"code":"1500"}"#,
    ),
];

pub(super) const DEEPSEEK: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"message":"Rate limit reached","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"message":"Rate limit reached","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#,
    ),
    is(
        Cause::Quota,
        402,
        r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
    ),
    is(
        Cause::Unauthorized,
        401,
        r#"{"error":{"message":"Authentication Fails, Your api key: $key is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#,
    ),
    is(
        Cause::Overloaded,
        503,
        r#"{"error":{"message":"The server is overloaded","type":"service_unavailable","param":null,"code":null}}"#,
    ),
];

pub(super) const XAI: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"code":"Some resource has been exhausted","error":"Too many requests for team $org and model $model. Your team has reached its rate limit."}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"code":"Some resource has been exhausted","error":"Too many tokens for team $org and model $model. Your team has reached its rate limit."}"#,
    ),
    is(
        Cause::Quota,
        403,
        r#"{"code":"The caller does not have permission to execute the specified operation","error":"Your team $org has used all available credits or reached its monthly spending limit."}"#,
    ),
    is(
        Cause::Unauthorized,
        400,
        r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: $key. You can obtain an API key from https://console.x.ai."}"#,
    ),
    is(
        Cause::BadRequest,
        400,
        r#"{"code":"Client specified an invalid argument","error":"$message"}"#,
    ),
    is(
        Cause::Status(0),
        0,
        r#"{"code":"The service returned an error","error":"$message"}"#,
    ),
];

pub(super) const TOGETHER: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"message":"Request rate exceeds your dynamic rate for this model.","type":"rate_limit","param":null,"code":null,"error_type":"dynamic_request_limited"}}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"message":"Token rate exceeds your dynamic rate for this model.","type":"rate_limit","param":null,"code":null,"error_type":"dynamic_token_limited"}}"#,
    ),
    is(
        Cause::Quota,
        402,
        r#"{"error":{"message":"Credit limit exceeded, please add a payment method or credits to your account.","type":"credit_limit","param":null,"code":null}}"#,
    ),
    is(
        Cause::Overloaded,
        503,
        r#"{"error":{"message":"The model is overloaded.","type":"service_unavailable","param":null,"code":null}}"#,
    ),
];

pub(super) const FIREWORKS: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"object":"error","type":"invalid_request_error","code":"rate_limit_exceeded","message":"Rate limit exceeded"}}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"object":"error","type":"invalid_request_error","code":"rate_limit_exceeded","message":"Rate limit exceeded"}}"#,
    ),
    is(
        Cause::Quota,
        412,
        r#"{"error":{"message":"Account $org is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices."}}"#,
    ),
    is(
        Cause::Suspended,
        412,
        r#"{"error":{"message":"Account $org is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices."}}"#,
    ),
];

pub(super) const CEREBRAS: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"message":"Requests per minute limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_requests_error","param":"quota","code":"token_quota_exceeded"}"#,
    ),
    is(
        Cause::Day,
        429,
        r#"{"message":"Requests per day limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}"#,
    ),
    is(
        Cause::Unauthorized,
        401,
        r#"{"message":"Wrong API Key","type":"invalid_request_error","param":"api_key","code":"wrong_api_key"}"#,
    ),
    is(
        Cause::Overloaded,
        503,
        r#"{"message":"Service unavailable due to high traffic, please retry.","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"}"#,
    ),
];
