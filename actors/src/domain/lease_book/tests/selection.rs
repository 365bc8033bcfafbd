//! Requests that prefer a credential, or may have one alone.

use super::*;

fn select(book: &LeaseBook, selection: Selection) -> Result<Ticket, LeaseError> {
    book.lease(&LeaseRequest {
        class: &ModelClass::new("gpt-5"),
        tried: &Tried::default(),
        selection,
        agent: None,
        terms: SettleTerms::default(),
    })
}

fn cool(book: &LeaseBook, ticket: &Ticket, seconds: u64) {
    let stated = Cooldown::hinted(Duration::from_secs(seconds));
    book.settle(ticket, &failed(ErrorClass::RateLimit, stated));
}

#[test]
fn a_preferred_credential_comes_first_while_it_is_available_and_again_when_it_is_back() {
    let (book, clock) = book(vec![profile("a"), profile("b")]);
    let prefers_b = Selection::Prefer(profile("b").identity());
    let ticket = select(&book, prefers_b).unwrap();
    assert_eq!(ticket.profile().id.as_str(), "openai:b");
    cool(&book, &ticket, 10);
    assert_eq!(
        select(&book, prefers_b).unwrap().profile().id.as_str(),
        "openai:a"
    );
    clock.advance(Duration::from_secs(10));
    assert_eq!(
        select(&book, prefers_b).unwrap().profile().id.as_str(),
        "openai:b"
    );
}

#[test]
fn a_preferred_credential_that_is_gone_is_no_hindrance() {
    let (book, _) = book(vec![profile("a")]);
    let ticket = select(&book, Selection::Prefer(profile("gone").identity()));
    assert_eq!(ticket.unwrap().profile().id.as_str(), "openai:a");
}

#[test]
fn a_pin_waits_for_its_own_credential_while_others_are_available() {
    let (book, clock) = book(vec![profile("a"), profile("b")]);
    let only_b = Selection::Only(profile("b").identity());
    cool(&book, &select(&book, only_b).unwrap(), 10);
    let refused = select(&book, only_b).unwrap_err();
    let LeaseError::NoneAvailable { refusals, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!((refusals.cooling, refusals.available), (1, 0));
    let back = clock.now().after(Duration::from_secs(10));
    assert_eq!(refused.soonest(), Some(back));
    let class = ModelClass::new("gpt-5");
    let soonest = |selection| {
        book.soonest(&LeaseRequest {
            class: &class,
            tried: &Tried::default(),
            selection,
            agent: None,
            terms: SettleTerms::default(),
        })
    };
    assert_eq!(soonest(only_b), Some(back));
    assert_eq!(soonest(Selection::Any), Some(clock.now()));
}

#[test]
fn a_pin_whose_credential_is_gone_is_told_and_never_unlocked() {
    let (book, _) = book(vec![profile("a")]);
    let refused = select(&book, Selection::Only(profile("gone").identity())).unwrap_err();
    assert!(matches!(refused, LeaseError::PinGone { .. }), "{refused}");
    assert_eq!(refused.soonest(), None);
}
