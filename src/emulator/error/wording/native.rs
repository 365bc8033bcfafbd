//! Anthropic's and Google's words.

use super::{Template, is};
use crate::emulator::error::Cause;

pub(super) const ANTHROPIC: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's ($org) rate limit of $limit requests per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's ($org) rate limit of $limit input tokens per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::TooLarge,
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's ($org) rate limit of $limit input tokens per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Day,
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's ($org) rate limit of $limit requests per day."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Concurrency,
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"Number of concurrent connections has exceeded your rate limit. Please try again later or contact sales at https://www.anthropic.com/contact-sales to discuss your options for a rate limit increase."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Quota,
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Unauthorized,
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::TokenExpired,
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired. Please obtain a new token or refresh your existing token."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::NoKey,
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"x-api-key header is required"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Suspended,
        403,
        r#"{"type":"error","error":{"type":"permission_error","message":"This organization has been disabled."},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Overloaded,
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::UnknownModel,
        404,
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: $model"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::UnknownPath,
        404,
        r#"{"type":"error","error":{"type":"not_found_error","message":"Not found"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Method,
        405,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Method Not Allowed"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::BadRequest,
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"$message"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Status(413),
        413,
        r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Status(504),
        504,
        r#"{"type":"error","error":{"type":"timeout_error","message":"Request timed out"},"request_id":"$request_id"}"#,
    ),
    is(
        Cause::Status(0),
        0,
        r#"{"type":"error","error":{"type":"api_error","message":"$message"},"request_id":"$request_id"}"#,
    ),
];

pub(super) const GOOGLE: &[Template] = &[
    is(
        Cause::Requests,
        429,
        r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_paid_tier_requests, limit: $limit, model: $model$google_retry","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_paid_tier_requests","quotaId":"GenerateRequestsPerMinutePerProjectPerModel","quotaDimensions":{"location":"global","model":"$model"},"quotaValue":"$limit"}]},{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Learn more about Gemini API quotas","url":"https://ai.google.dev/gemini-api/docs/rate-limits"}]}$retry_info]}}"#,
    ),
    is(
        Cause::Tokens,
        429,
        r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.$google_retry","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_paid_tier_input_token_count","quotaId":"GenerateContentPaidTierInputTokensPerModelPerMinute","quotaDimensions":{"location":"global","model":"$model"},"quotaValue":"$limit"}]}$retry_info]}}"#,
    ),
    is(
        Cause::Day,
        429,
        r#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: $limit, model: $model$google_retry","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaDimensions":{"location":"global","model":"$model"},"quotaValue":"$limit"}]}$retry_info]}}"#,
    ),
    is(
        Cause::TooLarge,
        429,
        r#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#,
    ),
    is(
        Cause::Concurrency,
        429,
        r#"{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}}"#,
    ),
    is(
        Cause::Quota,
        402,
        r#"{"error":{"code":402,"message":"Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing. Learn more at https://ai.google.dev/gemini-api/docs/billing#prepay.","status":"RESOURCE_EXHAUSTED"}}"#,
    ),
    is(
        Cause::Unauthorized,
        400,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}}]}}"#,
    ),
    is(
        Cause::TokenExpired,
        401,
        r#"{"error":{"code":401,"message":"Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. The access token has expired.","status":"UNAUTHENTICATED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_EXPIRED","domain":"googleapis.com"}]}}"#,
    ),
    is(
        Cause::NoKey,
        403,
        r#"{"error":{"code":403,"message":"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.","status":"PERMISSION_DENIED"}}"#,
    ),
    is(
        Cause::Suspended,
        403,
        r#"{"error":{"code":403,"message":"Permission denied: Consumer has been suspended.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"CONSUMER_SUSPENDED","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}}]}}"#,
    ),
    is(
        Cause::Overloaded,
        503,
        r#"{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}"#,
    ),
    is(
        Cause::UnknownModel,
        404,
        r#"{"error":{"code":404,"message":"models/$model is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.","status":"NOT_FOUND"}}"#,
    ),
    is(
        Cause::UnknownPath,
        404,
        r#"{"error":{"code":404,"message":"Requested entity was not found: $message","status":"NOT_FOUND"}}"#,
    ),
    is(
        Cause::Method,
        405,
        r#"{"error":{"code":405,"message":"Method not allowed: $message","status":"INVALID_ARGUMENT"}}"#,
    ),
    is(
        Cause::BadRequest,
        400,
        r#"{"error":{"code":400,"message":"$message","status":"INVALID_ARGUMENT"}}"#,
    ),
    is(
        Cause::Status(500),
        500,
        r#"{"error":{"code":500,"message":"An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting","status":"INTERNAL"}}"#,
    ),
    is(
        Cause::Status(504),
        504,
        r#"{"error":{"code":504,"message":"Deadline expired before operation could complete.","status":"DEADLINE_EXCEEDED"}}"#,
    ),
    is(
        Cause::Status(0),
        0,
        r#"{"error":{"code":$status,"message":"$message","status":"UNKNOWN"}}"#,
    ),
];
