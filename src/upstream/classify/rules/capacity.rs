//! Failures of the provider: no capacity, or broken. No key is to blame.

use coderclaw_actors::domain::outcome::{ErrorClass, ScopeOwner};

use super::Rule;

pub(super) const EXACT: &[Rule] = &[
    Rule::new(ErrorClass::TransientServer)
        .scope(ScopeOwner::Model)
        .codes(&["modelnotready", "modelerror", "modelstreamerror", "modeltimeout"])
        .phrases(&["model is not ready", "is currently loading"]),
    Rule::new(ErrorClass::Overloaded)
        .scope(ScopeOwner::ProviderTier)
        .phrases(&["flex tier"])
        .on(&[429, 498, 503]),
    Rule::new(ErrorClass::Overloaded).codes(&[
        "overloaded",
        "overloadederror",
        "engineoverloaded",
        "engineoverloadederror",
        "modeloverloaded",
        "serveroverloaded",
        "serviceoverloaded",
        "systemoverloaded",
        "serverbusy",
        "servicebusy",
        "capacityexceeded",
        "overcapacity",
        "outofcapacity",
        "servicetiercapacityexceeded",
        "nocapacity",
        "insufficientcapacity",
        "modelatcapacity",
        "modelcapacityexhausted",
        "3505",
    ]),
];

/// Words of a provider that is busy.
pub(super) const BUSY: &[Rule] = &[Rule::new(ErrorClass::Overloaded)
    .phrases(&[
        "overloaded",
        "at capacity",
        "over capacity",
        "capacity exceeded",
        "capacity temporarily exceeded",
        "capacity limit",
        "out of capacity",
        "no capacity",
        "insufficient capacity",
        "not enough capacity",
        "lack of capacity",
        "high demand",
        "peak load",
        "high load",
        "high traffic",
        "is busy",
        "are busy",
        "currently busy",
        "too busy",
        "server busy",
        "rate-limited upstream",
        "rate limited upstream",
        "服务繁忙",
        "系统繁忙",
        "服务器繁忙",
        "过载",
    ])
    .on(&[403, 408, 424, 429, 498, 500, 502, 503, 504, 529])];

/// Codes that say little more than a status would.
pub(super) const WEAK: &[Rule] = &[
    Rule::new(ErrorClass::Overloaded)
        .codes(&["unavailable", "serviceunavailable", "serviceunavailableerror"])
        .phrases(&["temporarily unavailable", "service unavailable"])
        .on(&[500, 502, 503, 529]),
    Rule::new(ErrorClass::TransientServer)
        .codes(&[
            "servererror",
            "internalerror",
            "internalservererror",
            "internalserver",
            "internalfailure",
            "internal",
            "apierror",
            "timeouterror",
            "timeout",
            "requesttimeout",
            "deadlineexceeded",
            "badgateway",
            "gatewaytimeout",
            "backenderror",
            "upstreamerror",
            "servererrorexception",
        ])
        .on(&[408, 424, 500, 502, 503, 504]),
];
