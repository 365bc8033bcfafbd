//! Whether the credentials in use hold: what `models status --check` comes to.

use super::Report;
use crate::credentials::health::ExpiryStatus;

/// How the credentials in use stand to their ends. In use: every credential of the pools, every stored profile that no
/// explicit order leaves out, and the providers of the configured default and fallback models.
///
/// Rests and refusals do not count: they pass, or are told elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// None ends within a day.
    Fit,
    /// One ends within a day.
    Expiring,
    /// One has ended or is missing.
    Unfit,
}

impl Check {
    /// What `report` comes to.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let expiries = report.auth.oauth.profiles.iter();
        let any = |unwanted: ExpiryStatus| expiries.clone().any(|expiry| expiry.status == unwanted);
        if !report.auth.missing_providers_in_use.is_empty()
            || any(ExpiryStatus::Expired)
            || any(ExpiryStatus::Missing)
        {
            Self::Unfit
        } else if any(ExpiryStatus::Expiring) {
            Self::Expiring
        } else {
            Self::Fit
        }
    }

    /// The exit code that scripts of the older tools know.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Fit => 0,
            Self::Unfit => 1,
            Self::Expiring => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::status::testing::Scene;

    const HOUR_MS: i64 = 3_600_000;

    fn check(config: &Value, profiles: &Value, order: &Value) -> Check {
        let scene = Scene::new().config(config).store(&json!({
            "version": 1, "profiles": profiles, "order": order,
        }));
        Check::of(&scene.report())
    }

    fn token(ends_in_ms: i64) -> Value {
        // The same secret twice would be one credential.
        let secret = format!("sk-ant-oat01-Qw7ErTyUi{ends_in_ms}");
        json!({ "type": "token", "provider": "anthropic", "token": secret, "expires": Scene::at(ends_in_ms) })
    }

    #[test]
    fn the_worst_credential_in_use_decides() {
        let (fit, expiring, expired) = (token(30 * HOUR_MS), token(5 * HOUR_MS), token(-1));
        let key = json!({ "type": "api_key", "provider": "openai", "key": "sk-proj-Qw7ErTyUi" });
        let empty = json!({ "type": "api_key", "provider": "openai", "key": " " });
        let login = |refresh: &str, ends_in_ms| {
            json!({ "type": "oauth", "provider": "anthropic", "access": "at-Qw7ErTyUi", "refresh": refresh,
                    "expires": Scene::at(ends_in_ms) })
        };
        let (renews, ends) = (login("rt-Qw7ErTyUi", -HOUR_MS), login("", HOUR_MS));
        for (profiles, wanted) in [
            (json!({}), Check::Fit),
            (json!({ "openai:a": key }), Check::Fit),
            (json!({ "anthropic:a": fit }), Check::Fit),
            (json!({ "anthropic:a": renews }), Check::Fit),
            (
                json!({ "anthropic:a": expiring, "openai:a": key }),
                Check::Expiring,
            ),
            (json!({ "anthropic:a": ends }), Check::Expiring),
            (
                json!({ "anthropic:a": expired, "anthropic:b": fit }),
                Check::Unfit,
            ),
            (json!({ "openai:a": empty, "openai:b": key }), Check::Unfit),
        ] {
            assert_eq!(check(&json!({}), &profiles, &json!({})), wanted, "{profiles}");
        }
    }

    #[test]
    fn what_an_order_leaves_out_is_not_in_use() {
        let profiles = json!({ "anthropic:old": token(-1), "anthropic:new": token(30 * HOUR_MS) });
        let order = json!({ "anthropic": ["anthropic:new"] });
        assert_eq!(check(&json!({}), &profiles, &order), Check::Fit);
        let order = json!({ "anthropic": ["anthropic:new", "anthropic:old"] });
        assert_eq!(check(&json!({}), &profiles, &order), Check::Unfit);
    }

    #[test]
    fn a_configured_model_needs_a_credential() {
        let config = json!({ "agents": { "defaults": { "model": { "primary": "openai/gpt-5", "fallbacks": ["xai/grok-4"] } } } });
        let openai = json!({ "type": "api_key", "provider": "openai", "key": "sk-proj-Qw7ErTyUi" });
        let xai = json!({ "type": "api_key", "provider": "xai", "key": "xai-Qw7ErTyUi" });
        let profiles = json!({ "openai:a": openai });
        assert_eq!(check(&config, &profiles, &json!({})), Check::Unfit);
        let profiles = json!({ "openai:a": openai, "xai:a": xai });
        assert_eq!(check(&config, &profiles, &json!({})), Check::Fit);
    }
}
