//! Names of files that stand for names which no file could have.

use coderclaw_actors::domain::credential::ProviderId;
use sha2::{Digest as _, Sha256};

/// At most so many characters of the provider's id are shown.
const SHOWN_CHARS_MAX: usize = 48;

/// The name of a file of `provider` for what `parts` name, such as `corp-0123456789abcdef.lock`. The provider stands
/// there for people who look; a store may call it anything, so it is no path.
pub(super) fn file_name(provider: &ProviderId, parts: &[&str], extension: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let shown: String = provider
        .as_str()
        .chars()
        .take(SHOWN_CHARS_MAX)
        .map(plain)
        .collect();
    format!("{shown}-{}.{extension}", digest(parts))
}

/// 16 hex digits.
fn digest(parts: &[&str]) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_provider_leads_out_of_the_folder() {
        for provider in [
            "../../out",
            "..",
            "/etc/x",
            "a/b",
            "a\0b",
            "",
            "ü",
            &"p".repeat(1000),
        ] {
            let name = file_name(&ProviderId::new(provider), &["account", "me"], "lock");
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            assert!(name.chars().all(plain) && name.len() < 100, "{name}");
            assert!(!name.contains(".."), "{name}");
        }
    }

    #[test]
    fn the_same_parts_have_the_same_name_and_others_another() {
        let corp = ProviderId::new("corp");
        let name = file_name(&corp, &["a", "b"], "journal");
        assert_eq!(name, file_name(&corp, &["a", "b"], "journal"));
        assert!(name.starts_with("corp-"));
        assert_ne!(name, file_name(&corp, &["ab"], "journal"));
    }
}
