//! `models auth order get|set|clear`.

use super::list::furnished;
use serde_json::json;

const PROVIDER: [&str; 2] = ["--provider", "openai"];

fn order<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["order", command][..], &PROVIDER, more].concat()
}

#[test]
fn get_set_and_clear() {
    let home = furnished();
    insta::assert_snapshot!("order_get", home.told(&home.run(&order("get", &[]))));
    let ran = home.run(&order("set", &["openai:a", "openai:b", "openai:a"]));
    insta::assert_snapshot!("order_set", home.told(&ran));
    assert_eq!(
        home.stored("main")["order"]["openai"],
        json!(["openai:a", "openai:b"])
    );
    insta::assert_snapshot!("order_clear", home.told(&home.run(&order("clear", &[]))));
    assert!(home.stored("main").get("order").is_none());
    let again = home.run(&order("clear", &[]));
    assert_eq!(again.code, Some(0), "it is idempotent");
    insta::assert_snapshot!("order_get_of_none", home.told(&home.run(&order("get", &[]))));
}

#[test]
fn as_json() {
    let home = furnished();
    insta::assert_snapshot!("order_get_json", home.told(&home.run(&order("get", &["--json"]))));
    insta::assert_snapshot!(
        "order_set_json",
        home.told(&home.run(&order("set", &["openai:ref", "--json"])))
    );
    insta::assert_snapshot!(
        "order_clear_json",
        home.told(&home.run(&order("clear", &["--json"])))
    );
}

#[test]
fn keys_of_the_environment_can_be_ordered() {
    let home = furnished();
    let ran = home.run(&order("set", &["openai:env:OPENAI_API_KEY", "openai:a"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn what_there_is_not_changes_nothing() {
    let home = furnished();
    let before = std::fs::read_to_string(home.store_path("main")).unwrap();
    insta::assert_snapshot!(
        "order_set_unknown",
        home.told(&home.run(&order("set", &["openai:a", "openai:bb"])))
    );
    insta::assert_snapshot!(
        "order_set_foreign",
        home.told(&home.run(&order("set", &["anthropic:old"])))
    );
    insta::assert_snapshot!("order_set_nothing", home.told(&home.run(&order("set", &[]))));
    assert_eq!(std::fs::read_to_string(home.store_path("main")).unwrap(), before);
}

#[test]
fn the_order_of_the_config_is_told() {
    let home = furnished().config("{ auth: { order: { anthropic: [\"anthropic:old\"] } } }");
    let ran = home.run(&["order", "get", "--provider", "anthropic"]);
    insta::assert_snapshot!("order_get_of_the_config", home.told(&ran));
}
