use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_ms(1_770_000_000_000 + seconds * 1000)
}

#[test]
fn one_wait_in_vain_is_chance_and_further_ones_double_the_pause() {
    let mut patience = Patience::default();
    assert!(patience.may_ask(at(0)));
    patience.waited(at(0), at(60));
    assert!(patience.may_ask(at(60)), "the next request finds out");
    patience.waited(at(60), at(120));
    let mut now = 120;
    for pause in [30, 60, 120, 120] {
        assert!(!patience.may_ask(at(now + pause - 1)), "{pause}");
        assert!(patience.may_ask(at(now + pause)), "{pause}");
        assert!(!patience.may_ask(at(now + pause)), "one at a time finds out");
        patience.waited(at(now + pause), at(now + pause + 60));
        now += pause + 60;
    }
}

#[test]
fn those_that_wait_at_the_same_time_count_once() {
    let mut patience = Patience::default();
    for late in 0..20 {
        patience.waited(at(late), at(60 + late));
    }
    assert!(patience.may_ask(at(90)));
    patience.waited(at(90), at(150));
    assert!(!patience.may_ask(at(151)));
}

#[test]
fn one_that_finds_out_and_never_tells_is_followed_by_another() {
    let mut patience = Patience::default();
    patience.waited(at(0), at(60));
    patience.waited(at(60), at(120));
    assert!(patience.may_ask(at(150)));
    assert!(!patience.may_ask(at(269)));
    assert!(patience.may_ask(at(270)));
}
