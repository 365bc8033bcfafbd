//! The config file changed in place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use coderclaw::config::edit::{ConfigEditor, EditError};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Home;

const WRITTEN: &str = r#"// Mine: keep.
{
  /* the gateway */
  gateway: { port: 18790 }, // as on the other machine
  'auth': {
    order: {
      // work first
      openai: ["openai:work", 'openai:home',],
    },
  },
  unknown: +0x10,
}
// the end
"#;

fn path(home: &Home) -> PathBuf {
    home.folder.path().join("coderclaw.json")
}

fn text(home: &Home) -> String {
    fs::read_to_string(path(home)).unwrap()
}

fn open(home: &Home) -> ConfigEditor {
    ConfigEditor::open(&path(home)).unwrap()
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn comments_order_and_unknown_keys_stay() {
    let home = Home::with(WRITTEN);
    let mut editor = open(&home);
    let order = ["auth", "order", "openai"];
    assert_eq!(editor.get(&order), Some(&json!(["openai:work", "openai:home"])));
    editor
        .set(&order, json!(["openai:new", "openai:work", "openai:home"]))
        .unwrap();
    editor
        .set(
            &["auth", "profiles", "openai:new"],
            json!({"provider": "openai", "mode": "token"}),
        )
        .unwrap();
    assert!(editor.save().unwrap());
    assert_eq!(
        text(&home),
        r#"// Mine: keep.
{
  /* the gateway */
  gateway: { port: 18790 }, // as on the other machine
  'auth': {
    order: {
      // work first
      openai: ["openai:new", "openai:work", "openai:home"],
    },
    "profiles": {
      "openai:new": {
        "provider": "openai",
        "mode": "token"
      }
    },
  },
  unknown: +0x10,
}
// the end
"#
    );
    assert!(home.load().is_ok());
}

#[test]
fn what_is_removed_takes_nothing_with_it() {
    let home = Home::with(WRITTEN);
    let mut editor = open(&home);
    assert!(editor.remove(&["auth", "order", "openai"]).unwrap());
    assert!(!editor.remove(&["auth", "order", "anthropic"]).unwrap());
    assert!(!editor.remove(&["nothing", "here"]).unwrap());
    assert!(editor.save().unwrap());
    assert_eq!(
        text(&home),
        r"// Mine: keep.
{
  /* the gateway */
  gateway: { port: 18790 }, // as on the other machine
  'auth': {
    order: {
      // work first
    },
  },
  unknown: +0x10,
}
// the end
"
    );
}

#[test]
fn a_list_is_made_and_grows() {
    let home = Home::with("{ agents: { list: [{ id: 'main' /* me */ }] } }\n");
    let mut editor = open(&home);
    editor
        .append(
            &["agents", "list"],
            json!({"id": "coder", "model": "openai/gpt-5"}),
        )
        .unwrap();
    editor
        .append(&["gateway", "allowedHosts"], json!("box.local"))
        .unwrap();
    assert!(editor.save().unwrap());
    assert_eq!(
        text(&home),
        r#"{
  agents: { list: [{ id: 'main' /* me */ },
      {
        "id": "coder",
        "model": "openai/gpt-5"
      }] },
  "gateway": {
    "allowedHosts": ["box.local"]
  }
}
"#
    );
}

#[test]
fn the_same_value_again_writes_nothing() {
    let home = Home::with(WRITTEN);
    let before = fs::metadata(path(&home)).unwrap();
    let mut editor = open(&home);
    editor.set(&["gateway", "port"], json!(18790)).unwrap();
    editor
        .set(
            &["auth", "order", "openai"],
            json!(["openai:work", "openai:home"]),
        )
        .unwrap();
    assert!(!editor.save().unwrap());
    assert_eq!(text(&home), WRITTEN);
    let after = fs::metadata(path(&home)).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode() {
    let home = Home::empty();
    let new = home.folder.path().join("below/coderclaw.json");
    let mut editor = ConfigEditor::open(&new).unwrap();
    editor.set(&["gateway", "port"], json!(1)).unwrap();
    assert!(editor.save().unwrap());
    assert_eq!(
        fs::read_to_string(&new).unwrap(),
        "{\n  \"gateway\": {\n    \"port\": 1\n  }\n}\n"
    );
    assert_eq!((mode(&new), mode(new.parent().unwrap())), (0o600, 0o700));

    fs::set_permissions(&new, fs::Permissions::from_mode(0o640)).unwrap();
    let mut editor = ConfigEditor::open(&new).unwrap();
    editor.set(&["gateway", "port"], json!(2)).unwrap();
    assert!(editor.save().unwrap());
    assert_eq!(mode(&new), 0o640);
}

#[test]
fn a_link_stays_a_link() {
    let home = Home::empty();
    let real = home.folder.path().join("dotfiles.json5");
    fs::write(&real, "{}\n").unwrap();
    std::os::unix::fs::symlink(&real, path(&home)).unwrap();
    let mut editor = open(&home);
    editor.set(&["gateway", "port"], json!(3)).unwrap();
    assert!(editor.save().unwrap());
    assert!(fs::symlink_metadata(path(&home)).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("\"port\": 3"));
}

#[test]
fn null_on_the_way_is_nothing() {
    let home = Home::with("{ auth: null }");
    let mut editor = open(&home);
    assert_eq!(editor.get(&["auth"]), None);
    editor.set(&["auth", "order", "groq"], json!(["groq:a"])).unwrap();
    assert!(editor.save().unwrap());
    assert!(text(&home).contains("groq:a"));
}

#[test]
fn what_can_not_be_changed_is_left_and_said() {
    let check = |config: &str, change: fn(ConfigEditor) -> Result<bool, EditError>, expected: &str| {
        let home = Home::with(config);
        let error = ConfigEditor::open(&path(&home))
            .and_then(change)
            .unwrap_err()
            .to_string();
        let error = error.replace(&format!("{}/", home.folder.path().display()), "");
        assert_eq!(error, expected);
        assert_eq!(text(&home), config);
    };
    let port = |mut editor: ConfigEditor| {
        editor.set(&["gateway", "port"], json!(5))?;
        editor.save()
    };
    check(
        "{ gateway: ",
        port,
        "coderclaw.json:1:12: not JSON5: expected value after colon in object property",
    );
    check(
        "{ gateway: 7 }",
        port,
        "coderclaw.json: gateway is not an object, so nothing can be added to it: correct it by hand",
    );
    check(
        "[]",
        port,
        "coderclaw.json: the whole file is not an object, so nothing can be added to it: correct it by hand",
    );
    check(
        "{ gateway: { port: 1 }, gateway: {} }",
        port,
        "coderclaw.json:1:25: gateway: duplicate key: it already stands at line 1; remove one",
    );
    let bad_port = |mut editor: ConfigEditor| {
        editor.set(&["gateway", "port"], json!(70_000))?;
        editor.save()
    };
    check(
        "{}",
        bad_port,
        "coderclaw.json:3:13: gateway.port: expected a port from 1 to 65535, got 70000",
    );
    let list = |mut editor: ConfigEditor| {
        editor.append(&["agents", "list"], json!({"id": "x"}))?;
        editor.save()
    };
    check(
        "{ agents: { list: 'main' } }",
        list,
        "coderclaw.json: agents.list is not a list, so nothing can be added to it: correct it by hand",
    );
}

#[test]
fn two_editors_lose_nothing_of_each_other() {
    const EACH: usize = 50;

    let home = Home::empty();
    std::thread::scope(|scope| {
        for writer in ["a", "b"] {
            let file = path(&home);
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut editor = ConfigEditor::open(&file).unwrap();
                    let id = format!("openai:{writer}{number}");
                    editor
                        .set(&["auth", "profiles", &id], json!({"provider": "openai"}))
                        .unwrap();
                    assert!(editor.save().unwrap());
                }
            });
        }
    });
    let editor = open(&home);
    let profiles = editor
        .get(&["auth", "profiles"])
        .and_then(Value::as_object)
        .unwrap();
    assert_eq!(profiles.len(), 2 * EACH);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~\n\t\u{2028}é]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z:.@ \"']{1,8}", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Unknown keys may hold anything, so that only the editing is tried.
    #[test]
    fn any_value_anywhere_is_read_back(changes in prop::collection::vec((0_usize..4, value()), 1..6)) {
        let home = Home::with("{\n  // first\n  a: 1, b: [1, 2], // same line\n  c: { d: {}, },\n}");
        let places: [&[&str]; 4] = [&["a"], &["c", "d"], &["c", "it's", "new.key"], &["b"]];
        let mut editor = open(&home);
        for (place, value) in changes {
            let keys = places[place];
            match editor.set(keys, value.clone()) {
                Ok(()) => prop_assert_eq!(editor.get(keys), Some(&value)),
                Err(error) => prop_assert!(matches!(error, EditError::Misplaced { .. }), "{}", error),
            }
        }
        let expected: Vec<Option<Value>> = places.iter().map(|keys| editor.get(keys).cloned()).collect();
        editor.save().unwrap();
        let again = open(&home);
        let found: Vec<Option<Value>> = places.iter().map(|keys| again.get(keys).cloned()).collect();
        prop_assert_eq!(found, expected);
        prop_assert!(text(&home).contains("// first"));
    }
}

#[test]
fn a_path_leads_through_lists_and_makes_no_elements() {
    let home = Home::with(
        "{ agents: { list: [\n  { id: \"a\" }, // first\n  { id: \"b\", model: { primary: \"x/y\" } },\n] } }",
    );
    let mut editor = open(&home);
    let primary = ["agents", "list", "1", "model", "primary"];
    assert_eq!(editor.get(&primary), Some(&json!("x/y")));
    assert_eq!(editor.get(&["agents", "list", "2"]), None);
    editor.set(&primary, json!("openai/gpt-5")).unwrap();
    editor
        .append(&["agents", "list", "1", "model", "fallbacks"], json!("groq/b"))
        .unwrap();
    editor
        .set(&["agents", "list", "0", "model"], json!("openai/o9"))
        .unwrap();
    for beyond in ["2", "-1", "a", ""] {
        let error = editor
            .set(&["agents", "list", beyond, "model"], json!("x/y"))
            .unwrap_err();
        assert!(matches!(error, EditError::Misplaced { .. }), "{error}");
    }
    assert_eq!(
        editor.catalogue().unwrap().chosen("b").primary.as_deref(),
        Some("openai/gpt-5")
    );
    assert!(editor.save().unwrap());
    let text = text(&home);
    assert!(text.contains("// first"), "{text}");
    let read = coderclaw::config::edit::read(&path(&home)).unwrap();
    assert_eq!(
        read["agents"]["list"],
        json!([
            { "id": "a", "model": "openai/o9" },
            { "id": "b", "model": { "primary": "openai/gpt-5", "fallbacks": ["groq/b"] } },
        ])
    );
}
