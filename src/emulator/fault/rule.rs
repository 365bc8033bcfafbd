//! A fault at work: which requests it hits, and how often it did.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Fault;
use crate::emulator::secret::FINGERPRINT_PREFIX;

/// What a fault's selectors look at.
#[derive(Clone, Copy, Debug)]
pub(in crate::emulator) struct Target<'a> {
    pub(in crate::emulator) secret: &'a str,
    pub(in crate::emulator) name: &'a str,
    pub(in crate::emulator) fingerprint: &'a str,
    pub(in crate::emulator) model: &'a str,
    pub(in crate::emulator) provider: &'static str,
    pub(in crate::emulator) path: &'a str,
    pub(in crate::emulator) stream: bool,
}

/// A fault at work: its place in the list and how often it was met.
#[derive(Debug)]
pub(in crate::emulator) struct FaultRule {
    pub(in crate::emulator) id: u64,
    pub(in crate::emulator) spec: Fault,
    seed: u64,
    met: AtomicU64,
    fired: AtomicU64,
}

impl FaultRule {
    pub(in crate::emulator) fn new(id: u64, spec: Fault, seed: u64) -> Self {
        Self {
            id,
            spec,
            seed,
            met: AtomicU64::new(0),
            fired: AtomicU64::new(0),
        }
    }

    /// How many requests it hit.
    pub(in crate::emulator) fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    fn matches(&self, target: &Target<'_>) -> bool {
        let spec = &self.spec;
        let is = |wanted: &Option<String>, found: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(found);
        is(&spec.key, &|key| {
            let named = key.strip_prefix(FINGERPRINT_PREFIX).unwrap_or(key);
            key == target.secret || key == target.name || named == target.fingerprint
        }) && is(&spec.key_prefix, &|prefix| target.secret.starts_with(prefix))
            && is(&spec.model, &|pattern| model_matches(pattern, target.model))
            && is(&spec.provider, &|id| id == target.provider)
            && is(&spec.path, &|text| target.path.contains(text))
            && spec.stream.is_none_or(|stream| stream == target.stream)
            && (target.stream || !spec.fault.needs_stream())
    }

    /// Whether this request is hit; counts it.
    pub(in crate::emulator) fn fires(&self, target: &Target<'_>) -> bool {
        if !self.matches(target) {
            return false;
        }
        let turn = self.met.fetch_add(1, Ordering::Relaxed);
        if turn < self.spec.skip.unwrap_or(0) {
            return false;
        }
        if self
            .spec
            .percent
            .is_some_and(|percent| draw(self.seed, self.id, turn) >= percent)
        {
            return false;
        }
        let limit = self.spec.first.unwrap_or(u64::MAX);
        self.fired
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |fired| {
                (fired < limit).then_some(fired + 1)
            })
            .is_ok()
    }
}

/// A number in 0..100 that depends on nothing but its arguments: the same seed gives the same run.
fn draw(seed: u64, rule: u64, turn: u64) -> f64 {
    let mut random =
        fastrand::Rng::with_seed(seed ^ rule.rotate_left(32) ^ turn.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    random.f64() * 100.0
}

fn model_matches(pattern: &str, model: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == model, |prefix| model.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::fault::FaultKind;

    const TARGET: Target<'static> = Target {
        secret: "sk-proj-abc",
        name: "first",
        fingerprint: "01234567",
        model: "gpt-test",
        provider: "openai",
        path: "/v1/chat/completions",
        stream: false,
    };

    fn hits(fault: Fault, requests: usize) -> usize {
        let rule = FaultRule::new(1, fault, 7);
        (0..requests).filter(|_| rule.fires(&TARGET)).count()
    }

    #[test]
    fn selectors_must_all_match() {
        let with = |change: fn(&mut Fault)| {
            let mut fault = Fault::new(FaultKind::RateLimit);
            change(&mut fault);
            hits(fault, 1)
        };
        assert_eq!(with(|_| ()), 1);
        assert_eq!(with(|fault| fault.key = Some("first".into())), 1);
        assert_eq!(with(|fault| fault.key = Some("01234567".into())), 1);
        assert_eq!(with(|fault| fault.key = Some("second".into())), 0);
        assert_eq!(with(|fault| fault.model = Some("gpt-*".into())), 1);
        assert_eq!(with(|fault| fault.model = Some("gpt".into())), 0);
        assert_eq!(with(|fault| fault.key_prefix = Some("sk-ant".into())), 0);
        assert_eq!(with(|fault| fault.stream = Some(true)), 0);
    }

    #[test]
    fn counts_and_shares_are_kept() {
        assert_eq!(hits(Fault::new(FaultKind::Quota).first(3), 10), 3);
        let mut late = Fault::new(FaultKind::Quota);
        late.skip = Some(4);
        assert_eq!(hits(late, 10), 6);
        let mut third = Fault::new(FaultKind::Quota);
        third.percent = Some(30.0);
        let share = hits(third, 10_000);
        assert!((2_800..3_200).contains(&share), "{share}");
    }

    #[test]
    fn a_stream_fault_leaves_plain_requests_alone() {
        assert_eq!(hits(Fault::new(FaultKind::ErrorBeforeContent), 5), 0);
    }

    #[test]
    fn names_are_those_of_the_wire() {
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
