//! The gateway's port and token.

use coderclaw_actors::domain::credential::Secret;
use serde_json::{Value, json};

use super::line::{Line, Verdict};
use super::plan::{Facts, Plan};
use super::stores::is_reference;
use crate::config::PORT;
use crate::credentials::environment::{clean, fits_a_header};

const TOKEN: [&str; 3] = ["gateway", "auth", "token"];

/// Decides upon the port and the token; says of other settings that they are left.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    if let Some(port) = facts.old.at(&["gateway", "port"]) {
        decide_port(facts, port, plan);
    }
    if let Some(token) = facts.old.at(&TOKEN).filter(|_| facts.old.config_path.is_some()) {
        decide_token(facts, token, plan);
    }
    let bind = facts.old.at(&["gateway", "bind"]).and_then(Value::as_str);
    if let Some(bind) = bind.filter(|bind| *bind != "loopback") {
        let why = format!(
            "only you decide who else may call: set gateway.bind, and gateway.auth.token ({bind} there)"
        );
        plan.say(Line::new("gateway", "bind", Verdict::Left, why));
    }
}

fn decide_port(facts: &Facts<'_>, port: &Value, plan: &mut Plan) {
    let Some(port) = port
        .as_u64()
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port > 0)
    else {
        let why = "expected a port from 1 to 65535";
        return plan.say(Line::new("gateway", "port", Verdict::Left, why));
    };
    let ours = facts.ours.at(&["gateway", "port"]).and_then(Value::as_u64);
    let (verdict, why) = match ours {
        Some(ours) if ours == u64::from(port) => (Verdict::Present, format!("{port} stands here too")),
        Some(ours) => (Verdict::Left, format!("ours stays: {ours}")),
        None if port == PORT => (Verdict::Present, format!("{port} is the default here too")),
        None => (
            Verdict::Taken,
            format!("{port}: stop the older gateway before you start this one"),
        ),
    };
    plan.say(Line::new("gateway", "port", verdict, why));
    if verdict == Verdict::Taken {
        plan.set(&["gateway", "port"], json!(port));
    }
}

fn decide_token(facts: &Facts<'_>, token: &Value, plan: &mut Plan) {
    let text = token
        .as_str()
        .filter(|text| !text.trim().is_empty() && !is_reference(text));
    let secret = text.map(|text| Secret::new(clean(text)));
    let theirs = secret.as_ref().map(Secret::fingerprint);
    let compared = secret.as_ref().and_then(|secret| facts.compare(&TOKEN, secret));
    let can_be_sent = text.is_some_and(|text| fits_a_header(text.trim()));
    let (verdict, why) = match (&secret, compared) {
        (None, _) => (
            Verdict::Left,
            "it is a reference: set gateway.auth.token or CODERCLAW_GATEWAY_TOKEN",
        ),
        (Some(_), Some((Verdict::Present, _))) => (Verdict::Present, "the same stands here"),
        (Some(_), Some(_)) => (Verdict::Left, "ours stays"),
        (Some(_), None) if !can_be_sent => (Verdict::Left, "no HTTP header can carry it"),
        (Some(_), None) if facts.copy => (
            Verdict::Taken,
            "copied: callers of the older gateway go on with it",
        ),
        (Some(_), None) => (
            Verdict::Left,
            "a secret: `--copy-secrets` copies it, or set gateway.auth.token",
        ),
    };
    let ours = compared.and_then(|(_, ours)| ours);
    plan.say(
        Line::new("gateway", "token", verdict, why)
            .with_theirs(theirs)
            .with_ours(ours),
    );
    if let (Verdict::Taken, Some(secret)) = (verdict, secret) {
        plan.set_secret(&TOKEN, secret);
    }
}
