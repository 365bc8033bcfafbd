//! Failures of who asks: the credential, its permissions, the place it asks from, the model it asks for.

use coderclaw_actors::domain::outcome::{ErrorClass, ScopeOwner};

use super::Rule;
use crate::upstream::classify::evidence::Evidence;

/// Statuses on which words about a credential are believed.
const REFUSED: &[u16] = &[400, 401, 403];

pub(super) const USE_FORBIDDEN: &[Rule] = &[Rule::new(ErrorClass::CredentialUseForbidden).phrases(&[
    "only authorized for use with",
    "cannot be used for other api requests",
    "can only be used with claude code",
    "may only be used with claude code",
    "only valid for use with claude code",
    "only be used in claude code",
    "restricted to claude code",
    "not authorized for use outside",
])];

pub(super) const REGION: &[Rule] = &[
    Rule::new(ErrorClass::RegionBlocked)
        .codes(&[
            "unsupportedcountryregionterritory",
            "unsupportedcountry",
            "unsupportedregion",
            "unsupportedlocation",
            "regionnotsupported",
            "countrynotsupported",
            "locationnotsupported",
            "ipnotauthorized",
        ])
        .phrases(&[
            "location is not supported",
            "country, region, or territory",
            "region is not supported",
            "country is not supported",
            "not supported in your country",
            "not supported in your region",
            "not available in your country",
            "not available in your region",
            "unsupported region",
            "unsupported country",
        ]),
    // Anthropic's whole answer to a place that it does not serve.
    Rule::new(ErrorClass::RegionBlocked)
        .phrases(&["request not allowed"])
        .on(&[403]),
];

pub(super) const CREDENTIAL: &[Rule] = &[
    // No key was sent at all, or it was not seen: that names no key as bad.
    Rule::new(ErrorClass::Permission)
        .codes(&["missingapikey", "credentialsmissing"])
        .phrases(&[
            "api key is missing",
            "missing api key",
            "api key is required",
            "api key required",
            "provide an api key",
            "header is required",
            "no auth credentials found",
            "unregistered callers",
        ])
        .on(REFUSED),
    Rule::new(ErrorClass::AuthDead)
        .scope(ScopeOwner::Org)
        .codes(&["organizationrestricted"]),
    Rule::new(ErrorClass::AuthDead).codes(&[
        "invalidapikey",
        "incorrectapikey",
        "wrongapikey",
        "apikeyinvalid",
        "badapikey",
        "invalidkey",
        "invalidkeyerror",
        "expiredapikey",
        "apikeyexpired",
        "apikeyrevoked",
        "revokedapikey",
        "apikeydisabled",
        "apikeynotfound",
        "apikeyleaked",
        "keyrevoked",
        "keydisabled",
        "keysuspended",
        "accountdeactivated",
        "accountdisabled",
        "accountsuspended",
        "userdeactivated",
        "accessterminated",
        "consumersuspended",
        "consumerinvalid",
        "unrecognizedclient",
        "invalidclienttokenid",
        "tokenrevoked",
        "tokeninvalidated",
        "invalidauthentication",
        "invalidauthenticationerror",
        "oauthnotallowedfororganization",
        "organizationdisabled",
    ]),
    Rule::new(ErrorClass::AuthDead)
        .phrases(&[
            "api key expired",
            "api key has expired",
            "api key is expired",
            "expired api key",
            "key expired",
        ])
        .on(REFUSED),
    Rule::new(ErrorClass::AuthRefresh).codes(&[
        "tokenexpired",
        "expiredtoken",
        "accesstokenexpired",
        "oauthtokenexpired",
        "authtokenexpired",
    ]),
    Rule::new(ErrorClass::AuthRefresh)
        .phrases(&[
            "token has expired",
            "token is expired",
            "token expired",
            "expired token",
            "expired access token",
            "or have expired",
            "request is expired",
            "credentials have expired",
            "obtain a new token or refresh",
        ])
        .on(REFUSED),
    Rule::new(ErrorClass::AuthDead).phrases(DEAD_WORDS).on(REFUSED),
    // Words that a refused request may also be told: of a token of JSON, of a key of an object.
    Rule::new(ErrorClass::AuthDead)
        .codes(&["invalidsignature"])
        .phrases(VAGUE_DEAD_WORDS)
        .only_on(&[401, 403]),
    Rule::new(ErrorClass::AuthDead)
        .phrases(&["user not found", "no such user"])
        .on(&[401]),
];

/// Words that name the key, or the account that it stands for, as invalid, revoked or suspended.
const DEAD_WORDS: &[&str] = &[
    "incorrect api key",
    "invalid api key",
    "invalid api-key",
    "invalid api_key",
    "invalid x-api-key",
    "invalid apikey",
    "wrong api key",
    "bad api key",
    "unknown api key",
    "malformed api key",
    "api key not valid",
    "api key is not valid",
    "api key is invalid",
    "api key you provided is invalid",
    "api key not found",
    "api key does not exist",
    "key has been revoked",
    "key was revoked",
    "key is revoked",
    "revoked api key",
    "key has been disabled",
    "key is disabled",
    "key was disabled",
    "key has been deactivated",
    "key is deactivated",
    "key is inactive",
    "key is not active",
    "key has been deleted",
    "key was deleted",
    "key has been suspended",
    "key is suspended",
    "key has been blocked",
    "reported as leaked",
    "key compromised",
    "token has been revoked",
    "token was revoked",
    "token is revoked",
    "token has been invalidated",
    "invalid bearer token",
    "invalid auth token",
    "invalid api token",
    "invalid proxy server token",
    "invalid access token",
    "invalid oauth token",
    "invalidated oauth token",
    "invalid subscription key",
    "token included in the request is invalid",
    "oauth authentication is currently not allowed",
    "oauth authentication is not allowed",
    "account has been deactivated",
    "account has been disabled",
    "account has been suspended",
    "account is suspended",
    "account is deactivated",
    "account is disabled",
    "account suspended",
    "account deactivated",
    "organization has been disabled",
    "organization has been suspended",
    "无效的令牌",
    "令牌无效",
    "密钥无效",
    "无效的api",
    "api key无效",
    "api key 无效",
];

/// Words that name a credential as bad only where the status already says that it was refused.
const VAGUE_DEAD_WORDS: &[&str] = &[
    "key is invalid",
    "key is not valid",
    "key not valid",
    "invalid key",
    "is invalid or has been",
    "has been leaked",
    "was leaked",
    "token is invalid",
    "invalid token",
    "invalid authentication",
    "invalid credentials",
    "credentials are invalid",
    "not from a valid issuer",
    "could not parse your authentication token",
    "access token could not be validated",
    "make sure your api key is valid",
    "has been deactivated",
    "has been suspended",
];

pub(super) const MODEL: &[Rule] = &[
    Rule::new(ErrorClass::ModelAccess).codes(&[
        "modelnotfound",
        "modelnotfounderror",
        "modelnotexist",
        "modelnotavailable",
        "modelnotallowed",
        "modelpermissionblockedorg",
        "modelpermissionblockedproject",
        "modelnotsupported",
        "modelnotopen",
        "modeldecommissioned",
        "modeldeprecated",
        "modeltermsrequired",
        "servicemodeldeprecating",
        "servicemodeldeprecated",
        "deploymentnotfound",
        "invalidmodel",
        "invalidmodelerror",
        "invalidmodelname",
        "unknownmodel",
        "unsupportedmodel",
        "endpointnotfound",
    ]),
    Rule::new(ErrorClass::ModelAccess)
        .phrases(&[
            "model not found",
            "model not exist",
            "no such model",
            "unknown model",
            "unsupported model",
            "invalid model",
            "not a valid model",
            "model identifier is invalid",
            "access to model",
            "access to the model",
            "access to the requested model",
            "access model",
            "no endpoints found",
            "no allowed providers",
            "is not found for api version",
            "publisher model",
            "deployment for this resource does not exist",
            "throughput isn",
            "模型不存在",
        ])
        .on(&[400, 401, 403, 404, 410, 422]),
];

/// Whether a refusal speaks of a model that is not there, in words that no table foresees.
pub(super) fn names_model(evidence: &Evidence) -> bool {
    const ABSENT: [&str; 9] = [
        "not found",
        "does not exist",
        "doesn't exist",
        "not exist",
        "no longer available",
        "not available",
        "decommissioned",
        "deprecated",
        "retired",
    ];
    let speaks_of_model = evidence.says(&["model", "deployment"]);
    match evidence.status {
        Some(404 | 410) => speaks_of_model && !evidence.says(&["invalid url"]),
        Some(400 | 403 | 422) | None => speaks_of_model && evidence.says(&ABSENT),
        _ => false,
    }
}

/// What is left of refusals: the key is good, but not for this.
pub(super) const PERMISSION: &[Rule] = &[
    Rule::new(ErrorClass::Permission)
        .scope(ScopeOwner::Project)
        .codes(&["servicedisabled"]),
    Rule::new(ErrorClass::AuthDead)
        .codes(&["authenticationerror", "authenticationfailed"])
        .phrases(&["authentication fail"])
        .on(&[401])
        .unless(&["serviceunavailable", "internalerror", "servererror"]),
    Rule::new(ErrorClass::Permission)
        .codes(&[
            "permissionerror",
            "permissiondenied",
            "accessdenied",
            "insufficientpermissions",
            "missingscope",
            "apikeyserviceblocked",
            "apikeyhttpreferrerblocked",
            "apikeyipaddressblocked",
            "usagenotincluded",
            "thecallerdoesnothavepermission",
            "unauthenticated",
            "unauthorized",
            "forbidden",
            "authenticationerror",
        ])
        .on(REFUSED),
];
