//! Variables that hold credentials: those of the config's `env`, and of an `.env` file that was named.

use serde_json::json;

use super::line::{Line, Verdict};
use super::new_profile::NewProfile;
use super::old::OldVariable;
use super::plan::{Facts, Plan};
use super::stores::Looks;
use crate::credentials::environment::{owner_of, quoted};

const WHAT: &str = "variable";

/// Decides upon every variable. What no provider here reads is left.
pub(super) fn decide(facts: &Facts<'_>, plan: &mut Plan) {
    let providers = facts.providers(plan);
    for variable in &facts.old.variables {
        let theirs = variable.reference.is_none().then(|| variable.value.fingerprint());
        let owner = owner_of(&variable.name, providers.iter().map(String::as_str));
        let (verdict, why) = match owner {
            Some(provider) if variable.is_of_dotenv => of_dotenv(facts, provider, variable, plan),
            Some(provider) => of_config(facts, provider, variable, plan),
            None => (Verdict::Left, "no provider here reads it".to_owned()),
        };
        // What is no credential is nobody's business, not even its fingerprint.
        let theirs = theirs.filter(|_| owner.is_some());
        plan.say(Line::new(WHAT, variable.name.as_str(), verdict, why).with_theirs(theirs));
    }
}

fn of_dotenv(
    facts: &Facts<'_>,
    provider: &str,
    variable: &OldVariable,
    plan: &mut Plan,
) -> (Verdict, String) {
    if facts.ours.dotenv.contains(&variable.name) {
        return (Verdict::Left, "our .env file sets it, and that stays".to_owned());
    }
    if !facts.copy {
        let why =
            format!("a key of {provider}: no reference leads into an .env file: `--copy-secrets` copies it");
        return (Verdict::Left, why);
    }
    if quoted(&variable.value).is_none() {
        return (
            Verdict::Left,
            "its value can't be written into an .env file".to_owned(),
        );
    }
    plan.dotenv.push((variable.name.clone(), variable.value.clone()));
    (
        Verdict::Taken,
        format!("copied into our .env file, for {provider}"),
    )
}

fn of_config(
    facts: &Facts<'_>,
    provider: &str,
    variable: &OldVariable,
    plan: &mut Plan,
) -> (Verdict, String) {
    let name = variable.name.as_str();
    let keys = ["env", "vars", name];
    for keys in [&keys[..], &["env", name]] {
        match facts.compare(keys, &variable.value) {
            Some((Verdict::Present, _)) => return (Verdict::Present, "the same stands here".to_owned()),
            Some(_) => return (Verdict::Left, "our config sets it, and that stays".to_owned()),
            None => {}
        }
    }
    if name.ends_with("_KEYS") {
        if facts.copy {
            plan.set_secret(&keys, variable.value.clone());
            return (Verdict::Taken, format!("copied into env.vars, for {provider}"));
        }
        return (
            Verdict::Left,
            "a list, of which no reference takes a part: `--copy-secrets` copies it".to_owned(),
        );
    }
    NewProfile {
        provider,
        id: &format!("{provider}:imported-{name}"),
        is_token: variable.looks == Looks::Token || name.contains("OAUTH_TOKEN"),
        secret: Some(variable.value.clone()),
        reference: variable.reference.as_ref().map(|reference| json!(reference)),
        place: variable.place.clone(),
    }
    .decide(facts, plan)
}
