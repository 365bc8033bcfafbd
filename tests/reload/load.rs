//! Reloads while requests are served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::support::CHAT;
use super::{emulator, home, order, reload, served_by, write_config};

/// Callers that call one after the other.
const CALLERS: usize = 4;
const CHANGES: usize = 40;

#[tokio::test]
async fn orders_are_obeyed_at_once_under_load_and_no_request_fails() {
    let emulator = emulator(&["a", "b"]);
    let home = home(&emulator, &["a", "b"], json!({}));
    let gateway = home.gateway(&[]).await;
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (stop, served, address) = (Arc::clone(&stop), Arc::clone(&served), gateway.address);
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let call = if caller % 2 == 0 {
                        CHAT.call()
                    } else {
                        CHAT.stream()
                    };
                    let heard = call.send(address);
                    assert_eq!(heard.status, 200, "{}", heard.text());
                    served.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for change in 0..CHANGES {
        let first = ["a", "b"][change % 2];
        order(&home, &[first]);
        if change % 8 == 3 {
            // Saved while it is being edited: nothing changes, and nothing fails.
            let good = std::fs::read_to_string(home.state().join("coderclaw.json")).unwrap();
            write_config(&home, "{ broken");
            assert_eq!(reload(&gateway)["applied"], false);
            write_config(&home, &good);
        }
        assert_eq!(reload(&gateway)["applied"], true);
        assert_eq!(served_by(&gateway), format!("openai:{first}"));
    }
    stop.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.join().expect("every request was served");
    }
    assert!(served.load(Ordering::SeqCst) > CHANGES, "there was load");
}
