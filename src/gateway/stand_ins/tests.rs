use coderclaw_actors::domain::credential::ProviderId;

use super::*;

fn target(model: &str) -> Target {
    Target {
        provider: ProviderId::new("openai"),
        model: model.to_owned(),
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_770_000_000_000 + seconds * 1000)
}

fn stand_in(agent: &str, primary: &str, by: &str) -> StandIn {
    StandIn {
        agent: agent.to_owned(),
        primary: target(primary),
        by: target(by),
        reason: format!("{primary} rests"),
    }
}

#[test]
fn an_outage_lasts_from_the_first_stand_in_to_the_primarys_next_service() {
    let stand_ins = StandIns::default();
    assert!(!stand_ins.any());
    stand_ins.stood_in(stand_in("main", "big", "small"), at(0));
    stand_ins.stood_in(stand_in("main", "big", "other"), at(5));
    stand_ins.stood_in(stand_in("main", "big", "small"), at(9));
    let expected = Watched {
        agent: "main".to_owned(),
        primary: target("big"),
        by: target("small"),
        reason: "big rests".to_owned(),
        since: at(0),
        requests: 3,
    };
    assert!(stand_ins.any());
    assert_eq!(stand_ins.all(), [expected]);
    stand_ins.primary_served("main", &target("big"), at(10), at(11));
    assert!(!stand_ins.any());
    assert_eq!(stand_ins.all(), []);
}

#[test]
fn a_request_that_began_before_the_failure_does_not_end_it() {
    let stand_ins = StandIns::default();
    stand_ins.stood_in(stand_in("main", "big", "small"), at(5));
    stand_ins.primary_served("main", &target("big"), at(4), at(6));
    assert!(stand_ins.any());
    stand_ins.primary_served("other", &target("big"), at(7), at(8));
    stand_ins.primary_served("main", &target("small"), at(7), at(8));
    assert!(stand_ins.any(), "neither another agent's nor another model");
    stand_ins.primary_served("main", &target("big"), at(5), at(8));
    assert!(!stand_ins.any());
}

#[test]
fn agents_are_told_apart_and_the_oldest_comes_first() {
    let stand_ins = StandIns::default();
    stand_ins.stood_in(stand_in("b", "big", "small"), at(1));
    stand_ins.stood_in(stand_in("a", "big", "small"), at(2));
    stand_ins.stood_in(stand_in("a", "huge", "small"), at(0));
    let all: Vec<(String, String)> = stand_ins
        .all()
        .into_iter()
        .map(|one| (one.agent, one.primary.model))
        .collect();
    let expected = [("a", "huge"), ("b", "big"), ("a", "big")];
    assert_eq!(
        all,
        expected.map(|(agent, model)| (agent.to_owned(), model.to_owned()))
    );
}

#[test]
fn no_more_are_watched_than_there_is_room_for() {
    let stand_ins = StandIns::default();
    for number in 0..WATCHED_MAX + 10 {
        stand_ins.stood_in(stand_in("main", &number.to_string(), "small"), at(0));
    }
    assert_eq!(stand_ins.all().len(), WATCHED_MAX);
    stand_ins.stood_in(stand_in("main", "0", "small"), at(0));
    assert_eq!(stand_ins.all().iter().map(|one| one.requests).max(), Some(2));
}

#[test]
fn what_the_config_gives_up_is_forgotten() {
    let stand_ins = StandIns::default();
    stand_ins.stood_in(stand_in("main", "big", "small"), at(0));
    stand_ins.follow(&Catalogue::default());
    assert!(!stand_ins.any());
}
