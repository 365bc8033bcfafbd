//! `models auth remove`.

use super::list::furnished;

#[test]
fn a_profile_goes_with_all_that_is_noted_of_it() {
    let home = furnished().config(
        "{\n  auth: {\n    profiles: { \"openai:b\": { mode: \"api_key\" } }, // facts\n    order: { openai: [\"openai:b\"] },\n  },\n}\n",
    );
    insta::assert_snapshot!("remove", home.told(&home.run(&["remove", "openai:b", "--yes"])));
    let stored = home.stored("main");
    assert!(stored["profiles"].get("openai:b").is_none());
    assert_eq!(stored["order"]["openai"][0], "openai:ref");
    insta::assert_snapshot!("config_after_a_removal", home.config_text());
    insta::assert_snapshot!(
        "remove_json",
        home.told(&home.run(&["remove", "x:y", "--yes", "--json"]))
    );
}

#[test]
fn the_end_of_an_order_is_said_since_it_lets_others_serve() {
    let home = furnished();
    let order = ["order", "set", "--provider", "openai", "openai:a"];
    assert_eq!(home.run(&order).code, Some(0));
    let ran = home.run(&["remove", "openai:a", "--yes"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stderr
            .contains("no order names openai's credentials any more"),
        "{}",
        ran.stderr
    );
    assert!(
        !home
            .run(&["remove", "openai:b", "--yes"])
            .stderr
            .contains("order")
    );
}

#[test]
fn what_is_not_there_or_not_asked_for_stays() {
    let home = furnished().config("{ agents: { list: [{ id: \"work\" }] } }");
    let before = std::fs::read_to_string(home.store_path("main")).unwrap();
    for (name, arguments) in [
        ("unknown", vec!["remove", "openai:bb", "--yes"]),
        ("without_a_terminal", vec!["remove", "openai:b"]),
        (
            "of_the_environment",
            vec!["remove", "groq:env:GROQ_API_KEY", "--yes"],
        ),
        ("of_main", vec!["remove", "openai:b", "--yes", "--agent", "work"]),
    ] {
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(1), "{name}");
        insta::assert_snapshot!(format!("remove_{name}"), home.told(&ran));
    }
    assert_eq!(std::fs::read_to_string(home.store_path("main")).unwrap(), before);
}
