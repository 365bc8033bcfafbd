//! Errors inside a stream: before anything of meaning they rotate by their class, after it they pass.

use coderclaw_actors::StateName;

use crate::dialogue::{DIALOGUES, Dialogue, STREAM};
use crate::support::{
    Ending, Gate, Heard, LAST_CHUNK, Scripted, Step, TestGateway, chunk, chunked_head, eventually, key, reply,
};

fn wire(text: &str) -> Vec<u8> {
    [chunked_head("200 OK", STREAM), chunk(text), LAST_CHUNK.to_vec()].concat()
}

/// A gateway with two keys, and an upstream whose first answer is `first` and every other one good.
fn first_then_good(dialogue: &Dialogue, first: Vec<u8>) -> (Scripted, TestGateway) {
    let good = wire(&dialogue.good());
    let upstream = Scripted::start(move |_, place| {
        vec![Step::Send(if place == 0 { first.clone() } else { good.clone() })]
    });
    let gateway = two_keys(dialogue, &upstream);
    (upstream, gateway)
}

fn two_keys(dialogue: &Dialogue, upstream: &Scripted) -> TestGateway {
    let format = dialogue.format;
    let keys = format!("{},{}", key(format.provider, "a"), key(format.provider, "b"));
    TestGateway::start(&upstream.url(), &[(format.variable, &keys)])
}

fn is_cooling(gateway: &TestGateway, dialogue: &Dialogue, place: usize) -> bool {
    let format = dialogue.format;
    let credential = gateway.credential(format.provider, &format.profile(place));
    credential.state == StateName::Cooling
        || credential
            .models
            .iter()
            .any(|model| model.state == StateName::Cooling)
}

fn assert_good(dialogue: &Dialogue, heard: &Heard) {
    let what = dialogue.format.name();
    assert_eq!(heard.status, 200, "{what}");
    assert_eq!(heard.text(), dialogue.good(), "{what}");
    assert_eq!(heard.ending, Ending::Whole, "{what}");
}

#[test]
fn a_throttle_before_meaning_rotates_and_the_caller_sees_nothing_of_it() {
    for dialogue in &DIALOGUES {
        for lead in ["", dialogue.lifecycle] {
            let first = wire(&format!("{lead}{}", dialogue.throttle));
            let (upstream, gateway) = first_then_good(dialogue, first);
            let heard = dialogue.format.stream().send(gateway.address);
            assert_good(dialogue, &heard);
            assert_eq!(heard.attempts(), 2, "{}", dialogue.format.name());
            assert!(is_cooling(&gateway, dialogue, 1), "{}", dialogue.format.name());
            assert!(!is_cooling(&gateway, dialogue, 2), "{}", dialogue.format.name());
            assert_good(dialogue, &dialogue.format.stream().send(gateway.address));
            let keys: Vec<String> = upstream.seen().iter().map(|seen| seen.key().to_owned()).collect();
            let [a, b] = ["a", "b"].map(|name| key(dialogue.format.provider, name));
            assert_eq!(keys, [a, b.clone(), b], "{}", dialogue.format.name());
        }
    }
}

#[test]
fn an_overload_before_meaning_goes_out_as_it_came_and_rests_no_key() {
    for dialogue in &DIALOGUES {
        let text = format!("{}{}", dialogue.lifecycle, dialogue.overload);
        let (upstream, gateway) = first_then_good(dialogue, wire(&text));
        let heard = dialogue.format.stream().send(gateway.address);
        let what = dialogue.format.name();
        assert_eq!(heard.status, 200, "{what}");
        assert_eq!(heard.text(), text, "{what}");
        assert_eq!(heard.ending, Ending::Whole, "{what}");
        assert_eq!(heard.attempts(), 1, "{what}");
        assert_eq!(heard.header("retry-after"), None, "{what}");
        assert!(!is_cooling(&gateway, dialogue, 1), "{what}");
        assert_eq!(upstream.seen().len(), 1, "{what}");
    }
}

#[test]
fn the_last_keys_throttle_goes_out_as_it_came_with_when_to_come_back() {
    for dialogue in &DIALOGUES {
        let text = format!("{}{}", dialogue.lifecycle, dialogue.throttle);
        let upstream = Scripted::answering(wire(&text));
        let gateway = two_keys(dialogue, &upstream);
        let heard = dialogue.format.stream().send(gateway.address);
        let what = dialogue.format.name();
        assert_eq!(heard.status, 200, "{what}");
        assert_eq!(heard.text(), text, "{what}");
        assert_eq!(heard.ending, Ending::Whole, "{what}");
        assert_eq!(heard.attempts(), 2, "{what}");
        let wait: u64 = heard
            .header("retry-after")
            .expect("a wait is told")
            .parse()
            .expect("seconds");
        assert!((1..=60).contains(&wait), "{what}: {wait}");
        assert_eq!(upstream.seen().len(), 2, "{what}");
    }
}

#[test]
fn an_error_after_meaning_passes_ends_the_stream_and_cools_the_key_by_its_class() {
    for dialogue in &DIALOGUES {
        for (error, cools) in [(dialogue.throttle, true), (dialogue.overload, false)] {
            let what = format!("{} {error}", dialogue.format.name());
            let text = format!("{}{}{error}", dialogue.lifecycle, dialogue.meaning);
            let (upstream, gateway) = first_then_good(dialogue, wire(&text));
            let heard = dialogue.format.stream().send(gateway.address);
            assert_eq!(heard.status, 200, "{what}");
            assert_eq!(heard.text(), text, "{what}");
            assert_eq!(heard.ending, Ending::Whole, "{what}");
            assert_eq!(upstream.seen().len(), 1, "{what}");
            eventually(&format!("the lease is settled: {what}"), || {
                let idle = gateway
                    .credentials(dialogue.format.provider)
                    .iter()
                    .all(|credential| credential.in_flight == 0);
                idle.then_some(())
            });
            assert_eq!(is_cooling(&gateway, dialogue, 1), cools, "{what}");
            let served_by = dialogue.format.stream().send(gateway.address);
            let expected = dialogue.format.profile(if cools { 2 } else { 1 });
            assert_eq!(
                served_by.header("x-coderclaw-profile"),
                Some(expected.as_str()),
                "{what}"
            );
        }
    }
}

#[test]
fn a_200_whose_json_is_an_error_rotates_by_its_class() {
    for dialogue in &DIALOGUES {
        let json = dialogue
            .throttle
            .split_once("data: ")
            .expect("a data line")
            .1
            .trim();
        for chunked in [false, true] {
            let headers = [("content-type", "application/json")];
            let first = if chunked {
                [chunked_head("200 OK", &headers), chunk(json), LAST_CHUNK.to_vec()].concat()
            } else {
                reply("200 OK", &headers, json)
            };
            let (_upstream, gateway) = first_then_good(dialogue, first.clone());
            let heard = dialogue.format.call().send(gateway.address);
            let what = format!("{} chunked: {chunked}", dialogue.format.name());
            assert_good(dialogue, &heard);
            assert_eq!(heard.attempts(), 2, "{what}");
            assert!(is_cooling(&gateway, dialogue, 1), "{what}");

            // The final one goes out as it came.
            let upstream = Scripted::answering(first);
            let gateway = two_keys(dialogue, &upstream);
            let heard = dialogue.format.call().send(gateway.address);
            assert_eq!((heard.status, heard.text().as_str()), (200, json), "{what}");
            assert_eq!(heard.ending, Ending::Whole, "{what}");
            assert!(heard.header("retry-after").is_some(), "{what}");
        }
    }
}

#[test]
fn the_key_in_an_error_event_becomes_stars() {
    for dialogue in &DIALOGUES {
        let format = dialogue.format;
        let secret = key(format.provider, "a");
        let text = format!(
            "{}event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"overloaded_error\",\"message\":\"no room for {secret}\"}}}}\n\n",
            dialogue.lifecycle
        );
        let upstream = Scripted::answering(wire(&text));
        let gateway = TestGateway::start(&upstream.url(), &[(format.variable, &secret)]);
        let heard = format.stream().send(gateway.address);
        let clean = text.replace(&secret, &"*".repeat(secret.len()));
        assert_eq!(heard.text(), clean, "{}", format.name());
    }
}

#[test]
fn a_throttled_stream_that_stays_open_is_hung_up_on() {
    let dialogue = &DIALOGUES[2];
    let hung_up = Gate::default();
    let (gate, good) = (hung_up.clone(), wire(&dialogue.good()));
    let upstream = Scripted::start(move |_, place| {
        if place > 0 {
            return vec![Step::Send(good.clone())];
        }
        vec![
            Step::Send(chunked_head("200 OK", STREAM)),
            Step::Send(chunk(dialogue.throttle)),
            Step::Hang(gate.clone()),
        ]
    });
    let gateway = two_keys(dialogue, &upstream);
    assert_good(dialogue, &dialogue.format.stream().send(gateway.address));
    hung_up.wait();
}
