//! The wording of every provider, as data.

use crate::emulator::error::Cause;
use crate::emulator::profile::Profile;

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

const ANTHROPIC: &[Template] = &[
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

const GOOGLE: &[Template] = &[
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

const OPENROUTER: &[Template] = &[
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

const GROQ: &[Template] = &[
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

const MISTRAL: &[Template] = &[
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

const DEEPSEEK: &[Template] = &[
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

const XAI: &[Template] = &[
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

const TOGETHER: &[Template] = &[
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

const FIREWORKS: &[Template] = &[
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

const CEREBRAS: &[Template] = &[
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

/// The wording of a provider; what it lacks is said as `OpenAI` says it.
pub(super) fn templates(profile: &Profile) -> &'static [Template] {
    match profile.id {
        "anthropic" => ANTHROPIC,
        "google" => GOOGLE,
        "openrouter" => OPENROUTER,
        "groq" => GROQ,
        "mistral" => MISTRAL,
        "deepseek" => DEEPSEEK,
        "xai" => XAI,
        "together" => TOGETHER,
        "fireworks" => FIREWORKS,
        "cerebras" => CEREBRAS,
        _ => OPENAI,
    }
}
