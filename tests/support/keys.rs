//! Keys that look real, so that a leak check means something.

/// A key of `provider`'s form; the same for the same `name`, and like no other.
pub(crate) fn key(provider: &str, name: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{provider}/{name}").as_bytes());
    let body: String = digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(letter)
        .collect();
    let prefix = match provider {
        "openai" => "sk-proj-",
        "anthropic" => "sk-ant-api03-",
        "google" => "AIzaSy",
        "groq" => "gsk_",
        _ => "sk-",
    };
    format!("{prefix}{body}")
}

/// Letters without a meaning in any format, so that a piece of a key is found wherever it stands.
fn letter(nibble: u8) -> char {
    char::from(b"QwErTyUiOpAsDfGh"[usize::from(nibble)])
}
