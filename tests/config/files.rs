//! Where the config and the state folder are, and files that can't be read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coderclaw::config::{ConfigError, Settings, config_path, create_state_dir, state_dir};

use super::Home;

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_state_folder_and_the_config_are_where_the_environment_says() {
    let check = |pairs: &[(&str, &str)], state: &str, config: &str| {
        let environment = environment(pairs);
        let folder = state_dir(&environment).unwrap();
        assert_eq!(folder, PathBuf::from(state));
        assert_eq!(config_path(&environment, &folder), PathBuf::from(config));
    };
    check(&[("HOME", "/h")], "/h/.coderclaw", "/h/.coderclaw/coderclaw.json");
    check(
        &[("HOME", "/h"), ("CODERCLAW_STATE_DIR", "/s")],
        "/s",
        "/s/coderclaw.json",
    );
    check(
        &[("HOME", "/h"), ("CODERCLAW_STATE_DIR", " ")],
        "/h/.coderclaw",
        "/h/.coderclaw/coderclaw.json",
    );
    check(
        &[
            ("HOME", "/h"),
            ("CODERCLAW_STATE_DIR", "~/s"),
            ("CODERCLAW_CONFIG_PATH", "/c.json5"),
        ],
        "/h/s",
        "/c.json5",
    );
    assert!(matches!(state_dir(&environment(&[])), Err(ConfigError::NoHome)));
}

#[test]
fn the_dotenv_file_may_name_the_config_and_the_port() {
    let home = Home::empty();
    let config = home.folder.path().join("other.json");
    fs::write(&config, "{ gateway: { limits: { attempts: 3 } } }").unwrap();
    fs::write(
        home.folder.path().join(".env"),
        format!(
            "CODERCLAW_CONFIG_PATH={}\nCODERCLAW_GATEWAY_PORT=4000\nGROQ_API_KEY=g\n",
            config.display()
        ),
    )
    .unwrap();
    let settings = home.load().unwrap();
    assert_eq!(settings.config_path, config);
    assert_eq!(settings.gateway.port(), 4000);
    assert_eq!(settings.rotation.attempts_max.get(), 3);
    assert_eq!(settings.pool("groq").unwrap().members.len(), 1);
}

#[test]
fn a_wrong_port_of_the_environment_is_refused_by_name() {
    let error = Home::empty().set("CODERCLAW_GATEWAY_PORT", "http").error();
    assert_eq!(
        error,
        "env: CODERCLAW_GATEWAY_PORT: expected a port from 1 to 65535"
    );
}

#[test]
fn the_state_folder_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("deep/state");
    create_state_dir(&state).unwrap();
    create_state_dir(&state).unwrap();
    let mode = fs::metadata(&state).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = create_state_dir(&file.join("state")).unwrap_err().to_string();
    assert!(error.contains("file/state"), "{error}");
}

#[test]
fn loading_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let environment = environment(&[("CODERCLAW_STATE_DIR", state.to_str().unwrap())]);
    Settings::load(&environment).unwrap();
    assert!(!state.exists());
}

#[test]
fn a_config_that_cannot_be_read_is_an_error_that_names_it() {
    let check = |make: &dyn Fn(&Path), reason: &str| {
        let home = Home::empty();
        make(&home.folder.path().join("coderclaw.json"));
        let error = home.error();
        assert!(error.starts_with("cannot read coderclaw.json: "), "{error}");
        assert!(error.contains(reason), "{error}");
    };
    check(&|path| fs::create_dir(path).unwrap(), "folder");
    check(
        &|path| fs::write(path, [b'{', b'"', 0xff]).unwrap(),
        "byte 3 is no text",
    );
    check(
        &|path| fs::write(path, vec![b' '; (10 << 20) + 1]).unwrap(),
        "larger than 10.0 MiB",
    );
    check(
        &|path| std::os::unix::fs::symlink(path, path).unwrap(),
        "symbolic link",
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let home = Home::with("\u{feff}{ gateway: { port: 'x' } }");
    assert!(
        home.error().starts_with("coderclaw.json:1:20: "),
        "{}",
        home.error()
    );
}

#[test]
fn a_config_that_is_named_and_not_there_is_a_warning() {
    let home = Home::empty();
    let folder = home.folder.path().display().to_string();
    let warned = |config: &str| {
        let environment = environment(&[
            ("CODERCLAW_STATE_DIR", &folder),
            ("CODERCLAW_CONFIG_PATH", config),
        ]);
        let settings = Settings::load(&environment).unwrap();
        assert!(!settings.config_exists);
        let warnings = settings.warnings.iter();
        warnings.map(ToString::to_string).collect::<Vec<_>>()
    };
    let named = format!("{folder}/mistyped.json");
    let expected = format!("{named}: there is no such file: everything has its default");
    assert_eq!(warned(&named), [expected]);
    assert!(
        warned("").is_empty(),
        "the one in the state folder is nobody's mistake"
    );
}
