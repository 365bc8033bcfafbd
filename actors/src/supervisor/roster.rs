//! The children of the supervisor: what must survive it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinHandle;
use tracing::error;

use super::state::Providers;
use crate::domain::clock::Timestamp;
use crate::domain::restart::{RestartDecision, RestartHistory, RestartPolicy};
use crate::provider::ProviderHandle;
use crate::router::RouterRecord;

/// One provider's actor, or the lack of it.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) handle: ProviderHandle,
    /// The task that the actor runs in.
    pub(crate) task: Option<JoinHandle<()>>,
    pub(super) history: RestartHistory,
    pub(super) escalated: bool,
    pub(super) retired: bool,
}

/// Deaths of one worker's router that were already looked at.
#[derive(Debug, Default)]
struct RouterCount {
    seen: u64,
    history: RestartHistory,
}

/// Everyone that the supervisor watches over. Never leaves the control thread.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    children: HashMap<u64, Child>,
    next_key: u64,
    routers: HashMap<usize, RouterCount>,
}

// === impl Roster ===

impl Roster {
    /// Providers without a child, and children without a provider.
    pub(super) fn compare(&self, providers: &Providers) -> (Vec<ProviderHandle>, Vec<u64>) {
        let same =
            |child: &Child, handle: &ProviderHandle| Arc::ptr_eq(&child.handle.state(), &handle.state());
        let missing = providers
            .values()
            .filter(|handle| !self.children.values().any(|child| same(child, handle)))
            .cloned()
            .collect();
        let surplus = self
            .children
            .iter()
            .filter(|(_, child)| !child.retired)
            .filter(|(_, child)| !providers.values().any(|handle| same(child, handle)))
            .map(|(key, _)| *key)
            .collect();
        (missing, surplus)
    }

    /// Takes a provider in; its actor is not started yet.
    pub(super) fn adopt(&mut self, handle: ProviderHandle) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        self.children.insert(
            key,
            Child {
                handle,
                task: None,
                history: RestartHistory::default(),
                escalated: false,
                retired: false,
            },
        );
        key
    }

    pub(super) fn child_mut(&mut self, key: u64) -> Option<&mut Child> {
        self.children.get_mut(&key)
    }

    pub(super) fn forget(&mut self, key: u64) {
        self.children.remove(&key);
    }

    /// Children that somebody must watch or start, and whether they run.
    pub(super) fn left_behind(&self) -> Vec<(u64, bool)> {
        self.children
            .iter()
            .filter(|(_, child)| !child.escalated && (child.task.is_some() || !child.retired))
            .map(|(key, child)| (*key, child.task.is_some()))
            .collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<Child> {
        self.children.drain().map(|(_, child)| child).collect()
    }

    /// Counts the routers' deaths since the last look; one whose routers die too often is escalated. Its worker
    /// goes on serving: each dead router is replaced in place all the same.
    pub(super) fn count_router_deaths(
        &mut self,
        routers: &[Arc<RouterRecord>],
        now: Timestamp,
        policy: &RestartPolicy,
    ) {
        for (worker, record) in routers.iter().enumerate() {
            let count = self.routers.entry(worker).or_default();
            let deaths = record.deaths.load(Ordering::Relaxed);
            while count.seen < deaths {
                count.seen += 1;
                let decision = count.history.crashed(now, policy);
                if decision == RestartDecision::Escalate && !record.escalated.swap(true, Ordering::Relaxed) {
                    error!(target: "coderclaw", worker, deaths, "routers of this worker crash too often");
                }
            }
        }
    }
}
