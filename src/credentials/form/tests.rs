use super::*;
use crate::config::Settings;
use crate::credentials::environment::Variables;

fn settings() -> Settings {
    let config = r#"{ models: { providers: { mine: { baseUrl: "http://127.0.0.1:1/v1", api: "openai-completions" } } } }"#;
    Settings::assemble(Some(config), Variables::default(), "/s".into(), "/c".into()).unwrap()
}

fn expected(provider: &str, kind: CredentialKind) -> Expected {
    let settings = settings();
    Expected::of(settings.provider(provider).unwrap(), &settings.providers, kind)
}

fn key(prefix: &str) -> String {
    format!("{prefix}{}", "Qw3rTyU1op".repeat(9))
}

fn kind(provider: &str, asked: CredentialKind, text: &str) -> CredentialKind {
    expected(provider, asked).check(text).unwrap().kind
}

fn unfit(provider: &str, text: &str) -> Unfit {
    expected(provider, CredentialKind::ApiKey)
        .check(text)
        .unwrap_err()
}

#[test]
fn the_form_tells_the_kind() {
    use CredentialKind::{ApiKey, Token};
    assert_eq!(kind("anthropic", Token, &key("sk-ant-api03-")), ApiKey);
    assert_eq!(kind("anthropic", ApiKey, &key("sk-ant-oat01-")), Token);
    assert_eq!(kind("anthropic", Token, &key("sk-ant-oat01-")), Token);
    assert_eq!(kind("openai", Token, &key("sk-proj-")), ApiKey);
    assert_eq!(kind("google", Token, &key("AIza")), ApiKey);
    // Mistral's keys have no form; what a provider of one's own takes is its own affair.
    assert_eq!(kind("mistral", Token, &key("")), Token);
    assert_eq!(kind("mine", Token, &key("sk-")), Token);
    assert_eq!(kind("mine", ApiKey, "x"), ApiKey);
}

#[test]
fn what_stands_around_a_credential_goes() {
    let plain = key("sk-proj-");
    let (start, end) = plain.split_at(40);
    for text in [
        format!("  {plain}\r\n"),
        format!("\"{plain}\""),
        format!("'{plain}'\n"),
        format!("{start}\n{end}"),
        format!("{start}\r\n  {end}\n"),
    ] {
        let recognised = expected("openai", CredentialKind::ApiKey).check(&text).unwrap();
        assert_eq!(recognised.secret, Secret::new(plain.clone()));
        assert_eq!(recognised.doubt, None);
    }
}

#[test]
fn what_is_no_credential_is_named() {
    let key = key("sk-proj-");
    assert_eq!(unfit("openai", " \n "), Unfit::Empty);
    assert_eq!(unfit("openai", "\"\""), Unfit::Empty);
    assert_eq!(
        unfit("openai", &format!("export OPENAI_API_KEY={key}")),
        Unfit::Assignment
    );
    assert_eq!(
        unfit("openai", &format!("OPENAI_API_KEY=\"{key}\"")),
        Unfit::Assignment
    );
    assert_eq!(
        unfit("openai", &format!("setenv OPENAI_API_KEY {key}")),
        Unfit::Assignment
    );
    assert_eq!(
        unfit("openai", &format!("Authorization: Bearer {key}")),
        Unfit::Header
    );
    assert_eq!(unfit("openai", &format!("bearer {key}")), Unfit::Header);
    assert_eq!(
        unfit("openai", &format!("{{\"key\": \"{key}\"}}")),
        Unfit::Document {
            what: "a JSON document"
        }
    );
    assert_eq!(
        unfit("openai", &format!("{key},{key}")),
        Unfit::Several { keys: 2 }
    );
    assert_eq!(
        unfit("openai", &format!("{key}\n{key}")),
        Unfit::Several { keys: 2 }
    );
    assert_eq!(unfit("openai", "my key is secret"), Unfit::WhiteSpace);
    assert_eq!(unfit("openai", "sk-proj-abc...xyz"), Unfit::Shortened);
    assert_eq!(unfit("openai", "sk-proj-••••••••"), Unfit::Shortened);
    assert_eq!(
        unfit("openai", &format!("{key}\u{200b}")),
        Unfit::NoHeader {
            place: 99,
            code: 0x200b
        }
    );
    assert_eq!(
        unfit("openai", "sk-proj-abc"),
        Unfit::Short { chars: 11, least: 20 }
    );
    assert_eq!(
        unfit("anthropic", "sk-ant-oat01-abcdefghijklmnopqrstuvwxyz"),
        Unfit::Short { chars: 39, least: 80 }
    );
}

#[test]
fn a_key_of_another_provider_is_told_whose() {
    let foreign = |provider: &str, prefix: &str| match unfit(provider, &key(prefix)) {
        Unfit::Foreign { owners, .. } => owners,
        other => panic!("{other:?}"),
    };
    assert_eq!(foreign("anthropic", "sk-proj-"), "openai");
    assert_eq!(foreign("anthropic", "sk-"), "deepseek or openai");
    assert_eq!(foreign("openai", "sk-ant-api03-"), "anthropic");
    assert_eq!(foreign("openai", "sk-or-v1-"), "openrouter");
    assert_eq!(foreign("groq", "AIza"), "google");
    assert!(matches!(
        unfit("anthropic", &key("sk-ant-admin01-")),
        Unfit::Useless { .. }
    ));
    assert!(matches!(unfit("openai", &key("ghp_")), Unfit::Useless { .. }));
}

#[test]
fn trust_takes_what_only_looks_wrong() {
    let trusting = expected("anthropic", CredentialKind::ApiKey).trusting(true);
    let taken = trusting.check(&key("sk-proj-")).unwrap();
    assert!(taken.doubt.unwrap().contains("sk-ant-api03-"));
    trusting.check("short").unwrap();
    assert_eq!(trusting.check("two words").unwrap_err(), Unfit::WhiteSpace);
    assert!(matches!(
        trusting.check("kéy").unwrap_err(),
        Unfit::NoHeader { place: 2, code: 0xe9 }
    ));
}

#[test]
fn a_form_that_is_not_known_is_a_doubt_and_no_error() {
    let recognised = expected("groq", CredentialKind::ApiKey)
        .check(&key("new_"))
        .unwrap();
    assert!(recognised.doubt.unwrap().contains("gsk_"));
    let mine = expected("mine", CredentialKind::ApiKey)
        .check(&key("sk-ant-api03-"))
        .unwrap();
    assert_eq!(mine.doubt, None);
}

#[test]
fn only_a_setup_token_is_a_setup_token() {
    let expected = expected("anthropic", CredentialKind::Token).setup_token();
    assert!(expected.check(&key("sk-ant-oat01-")).is_ok());
    assert_eq!(
        expected.check(&key("sk-ant-api03-")).unwrap().kind,
        CredentialKind::ApiKey
    );
    assert!(matches!(
        expected.check(&key("eyJ")).unwrap_err(),
        Unfit::Unlike { .. }
    ));
}

#[test]
fn base64_that_ends_in_padding_sets_no_variable() {
    assert!(!sets_a_variable("QWERTYUIOPASDFGHJKLZXCVBNM012345=="));
    assert!(!sets_a_variable("qwe=rty"));
}

#[test]
fn no_message_repeats_a_text() {
    let secret = "Qw3rTyU1op";
    for text in [
        format!("export KEY={}", key("sk-proj-")),
        format!("{} {}", key("sk-proj-"), key("gsk_")),
        key("sk-or-v1-"),
        format!("{}é", key("sk-proj-")),
    ] {
        let unfit = unfit("openai", &text);
        let told = format!("{unfit} {unfit:?} {}", unfit.help());
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn what_may_be_a_secret_is_told_from_names() {
    assert!(may_be_secret(&key("sk-ant-api03-")));
    assert!(may_be_secret(&key("")));
    assert!(may_be_secret(&format!("openai:{}", key("sk-proj-"))));
    for name in [
        "anthropic",
        "openai:default",
        "OPENAI_API_KEY",
        "/home/me/keys/openai.txt",
        "sk-thing",
    ] {
        assert!(!may_be_secret(name), "{name}");
    }
}
