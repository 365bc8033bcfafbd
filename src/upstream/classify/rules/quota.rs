//! Failures of an allowance: money that ran out, a long window that is used up, a limit of the moment.

use coderclaw_actors::domain::outcome::{ErrorClass, ScopeOwner};

use super::Rule;

/// Statuses on which words about money are believed.
const MONEY: &[u16] = &[400, 401, 402, 403, 412, 429];

/// Statuses on which words about limits are believed: others quote them in passing.
const LIMITS: &[u16] = &[402, 403, 429, 503, 529];

/// Billing that was never set up. It stands before the rules about places: one message speaks of both.
pub(super) const BILLING_SETUP: &[Rule] = &[Rule::new(ErrorClass::QuotaHard)
    .codes(&["billingdisabled", "billingnotactive", "billingnotenabled"])
    .phrases(&[
        "enable billing",
        "billing to be enabled",
        "billing is not enabled",
        "billing is disabled",
    ])
    .on(&[400, 402, 403])];

pub(super) const HARD: &[Rule] = &[
    Rule::new(ErrorClass::RateLimit).codes(&[
        "inflightbudgetexhausted",
        "openrouterinflightbudget",
        "concurrencylimitexceeded",
        "toomanyconcurrentrequests",
    ]),
    // A key's own allowance for a while, as routers grant it.
    Rule::new(ErrorClass::QuotaWindow)
        .scope(ScopeOwner::Key)
        .phrases(&[
            "key limit exceeded (daily",
            "key limit exceeded (weekly",
            "key limit exceeded (monthly",
        ]),
    Rule::new(ErrorClass::QuotaHard)
        .scope(ScopeOwner::Key)
        .codes(&["openrouterkeylimit", "keylimitexceeded"])
        .phrases(&["key limit exceeded"]),
    Rule::new(ErrorClass::QuotaHard)
        .scope(ScopeOwner::Project)
        .codes(&[
            "projectspendlimitexceeded",
            "projectusagelimitexceeded",
            "projectbudgetexceeded",
        ]),
    Rule::new(ErrorClass::QuotaHard)
        .scope(ScopeOwner::Workspace)
        .codes(&[
            "workspacespendlimitexceeded",
            "workspaceusagelimitexceeded",
            "openrouterworkspacebudget",
        ]),
    Rule::new(ErrorClass::QuotaHard)
        .scope(ScopeOwner::Org)
        .codes(&["organizationspendlimitexceeded", "organizationusagelimitexceeded"]),
    Rule::new(ErrorClass::QuotaHard).codes(&[
        "insufficientquota",
        "insufficientuserquota",
        "insufficientbalance",
        "insufficientcredits",
        "insufficientfunds",
        "creditbalanceexhausted",
        "creditbalancetoolow",
        "creditsexhausted",
        "creditsdepleted",
        "outofcredits",
        "openroutercredits",
        "billinghardlimitreached",
        "billingerror",
        "enforcedspendlimitreached",
        "spendlimitreached",
        "spendlimitexceeded",
        "spendinglimitreached",
        "spendinglimitexceeded",
        "budgetexceeded",
        "blockedapiaccess",
        "exceededcurrentquotaerror",
        "arrearage",
        "accountoverdueerror",
        "accountoverdue",
        "servicequotaexceeded",
    ]),
    // A plan that holds no allowance for this at all. Elsewhere the same code is of a missing permission.
    Rule::new(ErrorClass::QuotaHard)
        .codes(&["usagenotincluded"])
        .on(&[402, 429]),
    Rule::new(ErrorClass::QuotaHard).phrases(MONEY_WORDS).on(MONEY),
    Rule::new(ErrorClass::QuotaHard)
        .phrases(&[
            "specified api usage limit",
            "specified usage limit",
            "workspace api usage limit",
        ])
        .on(MONEY),
    // Google says the same words of a minute's limit.
    Rule::new(ErrorClass::QuotaHard)
        .phrases(&["check your plan and billing"])
        .on(MONEY)
        .unless(&[
            "resourceexhausted",
            "ratelimitexceeded",
            "quotaexceeded",
            "toomanyrequests",
        ]),
];

/// Words of money that ran out or was never paid. Mere mentions of billing, plans and credits are not among
/// them: providers advertise them in every message about a limit.
const MONEY_WORDS: &[&str] = &[
    "credit balance",
    "insufficient balance",
    "insufficient account balance",
    "insufficient credit",
    "insufficient fund",
    "insufficient quota",
    "insufficient_quota",
    "not enough credit",
    "no credits",
    "any credits",
    "no remaining credits",
    "out of credits",
    "run out of credits",
    "ran out of credits",
    "credits are depleted",
    "credits depleted",
    "credits exhausted",
    "credits are exhausted",
    "credits have been",
    "credit limit",
    "requires more credits",
    "all available credits",
    "purchase more credits",
    "purchase credits",
    "spend limit",
    "spend cap",
    "spending limit",
    "spending cap",
    "spending budget",
    "budget limit",
    "budget exceeded",
    "exceeded your budget",
    "over budget",
    "payment required",
    "payment is required",
    "failure to pay",
    "past due",
    "past invoices",
    "unpaid",
    "overdue",
    "billing hard limit",
    "billing not active",
    "billing is not active",
    "account is not active, please check your billing",
    "balance is insufficient",
    "balance is too low",
    "balance too low",
    "balance exhausted",
    "balance is not enough",
    "balance not enough",
    "please recharge",
    "please top up",
    "quota is not enough",
    "out of extra usage",
    "draw from your extra usage",
    "余额不足",
    "余额不够",
    "额度不足",
    "额度已用尽",
    "欠费",
    "请充值",
];

pub(super) const WINDOW: &[Rule] = &[
    Rule::new(ErrorClass::QuotaWindow).codes(&[
        "usagelimitreached",
        "usagelimitexceeded",
        "quotaexhausted",
        "dailylimitexceeded",
        "dailyquotaexceeded",
        "weeklylimitexceeded",
        "monthlylimitexceeded",
        "monthlyquotaexceeded",
        "dailylimitreached",
        "weeklylimitreached",
        "monthlylimitreached",
    ]),
    Rule::new(ErrorClass::QuotaWindow)
        .phrases(&[
            "per day",
            "per-day",
            "perday",
            "/ day",
            "per 86400s",
            "daily",
            "(tpd)",
            "(rpd)",
            "per week",
            "weekly",
            "per month",
            "/ month",
            "monthly",
            "per hour",
            "hourly",
            "hour limit",
            "hours limit",
            "usage limit",
            "limit for today",
            "每日",
            "每天",
            "当日",
            "每月",
            "每周",
        ])
        .on(&[402, 403, 429]),
];

pub(super) const RATE: &[Rule] = &[
    Rule::new(ErrorClass::RateLimit).codes(&[
        "ratelimit",
        "ratelimited",
        "ratelimiterror",
        "ratelimitexceeded",
        "ratelimitexceedederror",
        "ratelimitreached",
        "ratelimitreachederror",
        "userratelimitexceeded",
        "toomanyrequests",
        "toomanyrequestserror",
        "requestquotaexceeded",
        "tokenquotaexceeded",
        "quotaexceeded",
        "requestlimitexceeded",
        "limitexceeded",
        "limitrequests",
        "slowdown",
        "throttling",
        "throttled",
        "throttlingerror",
        "throttlingratequota",
        "throttlingallocationquota",
        "throttlingburstrate",
        "provisionedthroughputexceeded",
        "resourceexhausted",
        "someresourcehasbeenexhausted",
        "dynamicrequestlimited",
        "dynamictokenlimited",
        "1300",
    ]),
    Rule::new(ErrorClass::RateLimit)
        .phrases(&[
            "rate limit",
            "rate_limit",
            "ratelimit",
            "rate-limit",
            "rate limited",
            "too many requests",
            "too many tokens",
            "too many concurrent",
            "concurrency limit",
            "concurrent requests",
            "requests per",
            "tokens per",
            "per minute",
            "per second",
            "resource_exhausted",
            "resource exhausted",
            "resource has been exhausted",
            "quota exceeded",
            "exceeded your current quota",
            "exceeded quota",
            "throttl",
            "slow down",
            "请求过于频繁",
            "请求过多",
            "频率限制",
            "速率限制",
            "限流",
        ])
        .on(LIMITS),
    // A router may wrap a provider's 429 in a status of its own. A refused request may quote the same words.
    Rule::new(ErrorClass::RateLimit)
        .phrases(&[
            "rate limit exceeded",
            "rate limit reached",
            "ratelimiterror",
            "too many requests",
            "resource_exhausted",
            "quota exceeded",
        ])
        .only_on(&[400, 500, 502])
        .unless(&[
            "invalidrequesterror",
            "invalidargument",
            "validation",
            "validationerror",
        ]),
    Rule::new(ErrorClass::RateLimit)
        .phrases(&["quota"])
        .only_on(&[403]),
];
