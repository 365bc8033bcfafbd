//! Agents that have credentials or an order of their own, beside the default one.

use super::*;
use crate::domain::members::{Members, View};
use crate::snapshot::PoolSnapshot;

fn agent(name: &str) -> AgentId {
    AgentId::new(name)
}

fn view(agents: &[&str], profiles: Vec<AuthProfile>) -> View {
    View {
        agents: agents.iter().map(|name| agent(name)).collect(),
        profiles,
    }
}

/// A book of which the default agent has `a` and `b`, and `work` what `profiles` are.
fn shared(strategy: Strategy, profiles: Vec<AuthProfile>) -> (LeaseBook, Arc<TestClock>) {
    let (book, clock) = book(Vec::new());
    replace(&book, strategy, profiles);
    (book, clock)
}

fn replace(book: &LeaseBook, strategy: Strategy, profiles: Vec<AuthProfile>) {
    let members = Members {
        profiles: vec![profile("a"), profile("b")],
        views: vec![view(&["work"], profiles)],
    };
    book.replace(members, strategy, CooldownPolicy::default());
}

fn lease_of(book: &LeaseBook, agent: Option<&AgentId>, selection: Selection) -> Result<Ticket, LeaseError> {
    book.lease(&LeaseRequest {
        class: &ModelClass::new("gpt-5"),
        tried: &Tried::default(),
        selection,
        agent,
        terms: SettleTerms::default(),
    })
}

/// The names of the next credentials that an agent is given, which are given back.
fn next_of(book: &LeaseBook, name: &str, count: usize) -> Vec<String> {
    let agent = (!name.is_empty()).then(|| agent(name));
    let mut names = Vec::new();
    for _ in 0..count {
        let ticket = lease_of(book, agent.as_ref(), Selection::Any).expect("free");
        book.settle(&ticket, &Outcome::Abandoned);
        names.push(ticket.profile().id.as_str().replace("openai:", ""));
    }
    names
}

fn cool(book: &LeaseBook, ticket: &Ticket) {
    let stated = Cooldown::hinted(Duration::from_secs(10));
    book.settle(ticket, &failed(ErrorClass::RateLimit, stated));
}

#[test]
fn each_agent_has_its_own_order_and_its_own_credentials() {
    let (book, _) = shared(Strategy::Priority, vec![profile("c"), profile("b"), profile("a")]);
    assert_eq!(next_of(&book, "", 1), ["a"]);
    assert_eq!(next_of(&book, "work", 1), ["c"]);
    assert_eq!(
        next_of(&book, "nobody", 1),
        ["a"],
        "who has nothing of its own has the default's"
    );
    let ids = |snapshot: PoolSnapshot| {
        let ids = snapshot.credentials.iter().map(|one| one.profile.to_string());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(book.snapshot()), "openai:a openai:b");
    assert_eq!(
        ids(book.snapshot_of(Some(&agent("work")))),
        "openai:c openai:b openai:a"
    );
    assert_eq!(ids(book.snapshot_of_all()), "openai:a openai:b openai:c");
}

#[test]
fn a_credential_that_one_agent_has_cooled_is_leased_to_nobody() {
    let (book, clock) = shared(Strategy::Priority, vec![profile("b"), profile("a")]);
    cool(&book, &lease_of(&book, None, Selection::Any).unwrap());
    cool(
        &book,
        &lease_of(&book, Some(&agent("work")), Selection::Any).unwrap(),
    );
    for agent in [None, Some(&agent("work"))] {
        let refused = lease_of(&book, agent, Selection::Any).unwrap_err();
        assert_eq!(
            refused.soonest(),
            Some(clock.now().after(Duration::from_secs(10)))
        );
    }
}

#[test]
fn the_default_agent_never_gets_what_only_another_one_has() {
    let (book, clock) = shared(Strategy::Priority, vec![profile("c"), profile("a")]);
    cool(&book, &lease_of(&book, None, Selection::Any).unwrap());
    cool(&book, &lease_of(&book, None, Selection::Any).unwrap());
    let refused = lease_of(&book, None, Selection::Any).unwrap_err();
    let LeaseError::NoneAvailable { refusals, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!((refusals.cooling, refusals.available), (2, 0));
    let class = ModelClass::new("gpt-5");
    let soonest = |agent| {
        book.soonest(&LeaseRequest {
            class: &class,
            tried: &Tried::default(),
            selection: Selection::Any,
            agent,
            terms: SettleTerms::default(),
        })
    };
    assert_eq!(soonest(None), Some(clock.now().after(Duration::from_secs(10))));
    assert_eq!(soonest(Some(&agent("work"))), Some(clock.now()));
}

#[test]
fn a_pin_or_a_preference_reaches_no_further_than_the_agent_s_own() {
    let (book, _) = shared(Strategy::Priority, vec![profile("c"), profile("b")]);
    for (agent, outside) in [(None, "c"), (Some(&agent("work")), "a")] {
        let identity = profile(outside).identity();
        let refused = lease_of(&book, agent, Selection::Only(identity)).unwrap_err();
        assert!(matches!(refused, LeaseError::PinGone { .. }), "{refused}");
        let ticket = lease_of(&book, agent, Selection::Prefer(identity)).unwrap();
        assert_ne!(ticket.profile().id, profile(outside).id);
    }
    let within = Selection::Prefer(profile("b").identity());
    let ticket = lease_of(&book, Some(&agent("work")), within).unwrap();
    assert_eq!(ticket.profile().id, profile("b").id);
}

#[test]
fn an_agent_whose_order_names_nothing_has_nothing() {
    let (book, _) = shared(Strategy::Priority, Vec::new());
    let work = agent("work");
    assert_eq!((book.is_empty(None), book.is_empty(Some(&work))), (false, true));
    let refused = lease_of(&book, Some(&work), Selection::Any).unwrap_err();
    assert!(matches!(refused, LeaseError::NoCredentials { .. }), "{refused}");
}

#[test]
fn each_agent_goes_round_a_ring_of_its_own_and_on_after_a_reload() {
    let (book, _) = shared(Strategy::Balanced, vec![profile("c"), profile("b"), profile("a")]);
    assert_eq!(next_of(&book, "work", 4), ["c", "b", "a", "c"]);
    assert_eq!(next_of(&book, "", 3), ["a", "b", "a"]);
    replace(
        &book,
        Strategy::Balanced,
        vec![profile("d"), profile("c"), profile("a")],
    );
    assert_eq!(next_of(&book, "work", 3), ["a", "d", "c"]);
    assert_eq!(next_of(&book, "", 1), ["b"]);
}

#[test]
fn one_secret_under_two_names_is_one_credential_that_each_agent_knows_by_its_own() {
    let named = |name: &str, of: &str| AuthProfile {
        id: ProfileId::new(name),
        ..profile(of)
    };
    let (book, _) = shared(Strategy::Priority, vec![named("openai:mine", "a"), profile("b")]);
    assert_eq!(next_of(&book, "work", 1), ["mine"]);
    assert_eq!(next_of(&book, "", 1), ["a"]);
    assert_eq!(book.snapshot_of_all().credentials.len(), 2);
    cool(
        &book,
        &lease_of(&book, Some(&agent("work")), Selection::Any).unwrap(),
    );
    assert_eq!(next_of(&book, "", 1), ["b"], "it is the same secret");
    assert_eq!(book.clear(&ProfileId::new("openai:mine")).len(), 1);
    assert_eq!(next_of(&book, "", 1), ["a"]);
}

#[test]
fn one_name_in_two_stores_is_two_credentials_and_is_cleared_in_both() {
    let own = AuthProfile {
        id: profile("a").id,
        owner: Some(agent("work")),
        ..profile("another-secret")
    };
    let (book, _) = shared(Strategy::Priority, vec![own]);
    for agent in [None, Some(&agent("work"))] {
        cool(&book, &lease_of(&book, agent, Selection::Any).unwrap());
    }
    assert_eq!(book.clear(&profile("a").id).len(), 2);
    let saved = book.export();
    assert_eq!(saved.0.len(), 2, "what is saved is told apart by the secret");
    let login = |owner| AuthProfile {
        kind: CredentialKind::Oauth,
        owner,
        ..profile("a")
    };
    assert_ne!(login(None).identity(), login(Some(agent("work"))).identity());
}
