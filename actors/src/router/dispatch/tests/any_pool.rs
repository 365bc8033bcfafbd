//! What holds of renewals whatever the pool, the identity provider and the provider are like.

use proptest::prelude::{Just, prop};
use proptest::{prop_assert, prop_oneof, proptest};

use super::world::{Refusal, Word, World, go_with, login, with};
use super::*;
use crate::domain::credential::{AuthProfile, CredentialKind};
use crate::testing::clock;

/// One credential of a random pool: its kind and time left, the identity provider's word, the provider's.
type Drawn = (CredentialKind, Option<u64>, Word, Option<Refusal>);

fn drawn() -> impl proptest::strategy::Strategy<Value = Drawn> {
    let kind = prop_oneof![
        1 => Just(CredentialKind::ApiKey),
        1 => Just(CredentialKind::Token),
        3 => Just(CredentialKind::Oauth),
    ];
    let words = [
        Word::Good,
        Word::Bad,
        Word::Same,
        Word::NotNow,
        Word::Over,
        Word::Never,
    ];
    let refusals = [Refusal::RunOut, Refusal::Dead, Refusal::Throttled];
    (
        kind,
        prop::option::of(0_u64..120),
        prop::sample::select(words.to_vec()),
        prop::option::of(prop::sample::select(refusals.to_vec())),
    )
}

proptest! {
    #[test]
    fn no_spent_token_is_sent_and_no_login_renewed_twice(
        pool in prop::collection::vec(drawn(), 1..8),
        widened in prop::bool::ANY,
        replayable in prop::bool::ANY,
        attempts_max in 1_usize..6,
    ) {
        let clock = clock();
        let names: Vec<String> = (0..pool.len()).map(|n| n.to_string()).collect();
        let members = names.iter().zip(&pool);
        let profiles = members.clone().map(|(name, (kind, left, ..))| AuthProfile {
            kind: *kind,
            ..login(name, &clock, left.map(Duration::from_secs))
        });
        let words: Vec<(&str, Word)> = members.clone().map(|(name, drawn)| (name.as_str(), drawn.2)).collect();
        let refusals: Vec<(&str, Refusal)> = members
            .filter_map(|(name, drawn)| Some((name.as_str(), drawn.3?)))
            .collect();
        let world = World::new(&words, &refusals);
        let provider = with(profiles.collect(), &clock);
        let mut rotation = RotationPolicy {
            attempts_max: NonZeroUsize::new(attempts_max).unwrap(),
            ..RotationPolicy::default()
        };
        if widened {
            rotation.on.extend([ErrorClass::AuthDead, ErrorClass::AuthRefresh]);
        }
        let request = Dispatch {
            replayable,
            rotation: Arc::new(rotation),
            ..request(&provider)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ended = runtime.block_on(go_with(&world, request));
        let (sent, renewed) = (world.sent(), world.renewed());
        let most = if replayable { attempts_max } else { 1 };
        prop_assert!(sent.len() <= most);
        prop_assert!(sent.len() == ended.attempts.len());
        for (name, (kind, left, word, _)) in names.iter().zip(&pool) {
            let is_out = left.is_none_or(|left| left == 0);
            let old = sent.iter().filter(|one| **one == format!("{name}:old")).count();
            let all = sent.iter().filter(|one| one.starts_with(&format!("{name}:"))).count();
            let renewals = renewed.iter().filter(|one| *one == name).count();
            prop_assert!(renewals <= usize::from(*kind == CredentialKind::Oauth));
            prop_assert!(all <= 1 + renewals);
            let sends_none = *kind != CredentialKind::ApiKey && is_out && !matches!(word, Word::Same);
            prop_assert!(old == 0 || !sends_none, "{name} of {sent:?}");
            prop_assert!(old == 0 || *kind != CredentialKind::Token || !is_out);
        }
        let served = matches!(ended.end, End::Committed { .. });
        prop_assert!(provider.in_flight() == usize::from(served));
    }
}
