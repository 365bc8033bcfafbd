//! Whose limit or fault a failure is, by provider, where the answer itself does not tell.

use coderclaw_actors::domain::outcome::{ErrorClass, Scope, ScopeOwner};

use super::evidence::Evidence;

/// How far a provider's limits reach.
struct Reach {
    /// Its ids.
    providers: &'static [&'static str],
    /// Of a throttled credential.
    limit: Scope,
    /// Of money that ran out.
    money: ScopeOwner,
}

const fn reach(providers: &'static [&'static str], limit: Scope, money: ScopeOwner) -> Reach {
    Reach {
        providers,
        limit,
        money,
    }
}

const REACHES: [Reach; 15] = [
    reach(&["anthropic"], Scope::per_model(ScopeOwner::Org), ScopeOwner::Org),
    reach(
        &["openai"],
        Scope::per_model(ScopeOwner::Project),
        ScopeOwner::Org,
    ),
    reach(
        &["openai-chatgpt-oauth", "openai-codex", "codex"],
        Scope::of(ScopeOwner::Key),
        ScopeOwner::Key,
    ),
    reach(
        &["google", "gemini"],
        Scope::per_model(ScopeOwner::Project),
        ScopeOwner::BillingAccount,
    ),
    reach(
        &["vertex", "google-vertex", "vertex-ai"],
        Scope::per_model(ScopeOwner::ProjectRegion),
        ScopeOwner::BillingAccount,
    ),
    reach(
        &["openrouter"],
        Scope::of(ScopeOwner::Account),
        ScopeOwner::Account,
    ),
    reach(&["groq"], Scope::per_model(ScopeOwner::Org), ScopeOwner::Org),
    reach(
        &["mistral"],
        Scope::of(ScopeOwner::Workspace),
        ScopeOwner::Workspace,
    ),
    reach(&["deepseek"], Scope::of(ScopeOwner::Account), ScopeOwner::Account),
    reach(&["xai"], Scope::per_model(ScopeOwner::Team), ScopeOwner::Team),
    reach(&["together"], Scope::per_model(ScopeOwner::Org), ScopeOwner::Org),
    reach(
        &["fireworks"],
        Scope::per_model(ScopeOwner::Account),
        ScopeOwner::Account,
    ),
    reach(&["cerebras"], Scope::per_model(ScopeOwner::Org), ScopeOwner::Org),
    reach(
        &["azure", "azure-openai"],
        Scope::of(ScopeOwner::Deployment),
        ScopeOwner::Account,
    ),
    reach(
        &["bedrock", "amazon-bedrock"],
        Scope::per_model(ScopeOwner::AccountRegion),
        ScopeOwner::Account,
    ),
];

/// A provider that is not in the table: its keys are taken to stand each for itself.
const UNKNOWN: Reach = reach(&[], Scope::of(ScopeOwner::Key), ScopeOwner::Key);

/// The reach of a failure of `class` at `provider`.
pub(crate) fn of(provider: &str, class: ErrorClass, evidence: &Evidence) -> Scope {
    let reach = REACHES
        .iter()
        .find(|reach| reach.providers.contains(&provider))
        .unwrap_or(&UNKNOWN);
    match class {
        ErrorClass::RateLimit | ErrorClass::QuotaWindow => {
            told_owner(evidence).unwrap_or_else(|| limit_of(provider, reach.limit, evidence))
        }
        ErrorClass::QuotaHard => {
            told_owner(evidence).unwrap_or_else(|| money_of(provider, reach.money, evidence))
        }
        ErrorClass::AuthDead | ErrorClass::AuthRefresh | ErrorClass::CredentialUseForbidden => {
            Scope::of(ScopeOwner::Key)
        }
        ErrorClass::ModelAccess if reach.limit.owner == ScopeOwner::AccountRegion => {
            Scope::per_model(ScopeOwner::Account)
        }
        ErrorClass::Permission | ErrorClass::ModelAccess => Scope::per_model(ScopeOwner::Key),
        // DeepSeek has one queue for all its models.
        ErrorClass::Overloaded if provider == "deepseek" => Scope::of(ScopeOwner::Provider),
        ErrorClass::Overloaded | ErrorClass::TransientServer if evidence.json.is_some() => {
            Scope::per_model(ScopeOwner::Provider)
        }
        ErrorClass::Overloaded
        | ErrorClass::TransientServer
        | ErrorClass::Timeout
        | ErrorClass::Unreachable => Scope::of(ScopeOwner::Provider),
        ErrorClass::CallerFault => Scope::of(ScopeOwner::Request),
        ErrorClass::RegionBlocked => Scope::of(ScopeOwner::GatewayEgress),
    }
}

/// Anthropic tells limits of a workspace, and of growth that is too steep, in words only.
fn limit_of(provider: &str, limit: Scope, evidence: &Evidence) -> Scope {
    if provider != "anthropic" {
        return limit;
    }
    if evidence.says(&["too quickly", "ramp up", "acceleration"]) {
        Scope::of(limit.owner)
    } else if evidence.says(&["workspace"]) {
        Scope::per_model(ScopeOwner::Workspace)
    } else {
        limit
    }
}

/// Anthropic's workspaces have budgets of their own.
fn money_of(provider: &str, money: ScopeOwner, evidence: &Evidence) -> Scope {
    let is_workspace_s = provider == "anthropic" && evidence.says(&["workspace"]);
    Scope::of(if is_workspace_s {
        ScopeOwner::Workspace
    } else {
        money
    })
}

/// The owner that a router names in `metadata.scope`.
fn told_owner(evidence: &Evidence) -> Option<Scope> {
    let told = evidence
        .json
        .as_ref()?
        .pointer("/error/metadata/scope")?
        .as_str()?;
    let owner = match told {
        "workspace" => ScopeOwner::Workspace,
        "organization" | "org" => ScopeOwner::Org,
        "project" => ScopeOwner::Project,
        "account" | "user" => ScopeOwner::Account,
        "team" => ScopeOwner::Team,
        "key" | "api_key" => ScopeOwner::Key,
        _ => return None,
    };
    Some(Scope::of(owner))
}
