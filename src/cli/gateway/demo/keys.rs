//! The demo's keys: they look real and are made up anew each time.

use crate::emulator::{KeyConfig, Limits};

/// Requests a minute of the throttled keys, and how many they take at once.
const THROTTLED: Limits = Limits {
    rpm: Some(3),
    burst: Some(2),
    tpm: None,
    rpd: None,
    concurrency: None,
};

/// How a provider's keys are written, and what variables hold them.
struct Form {
    prefix: &'static str,
    length: usize,
    variable: &'static str,
}

const FORMS: [Form; 3] = [
    Form {
        prefix: "sk-proj-",
        length: 48,
        variable: "OPENAI_API_KEY",
    },
    Form {
        prefix: "sk-ant-api03-",
        length: 95,
        variable: "ANTHROPIC_API_KEY",
    },
    Form {
        prefix: "AIzaSy",
        length: 33,
        variable: "GEMINI_API_KEY",
    },
];

/// What is the matter with a key.
#[derive(Clone, Copy)]
enum Condition {
    Throttled,
    Unpaid,
    Healthy,
}

impl Condition {
    /// In the order in which the gateway tries them.
    const ALL: [Self; 3] = [Self::Throttled, Self::Unpaid, Self::Healthy];

    /// The end of the variable's name. Names are tried bytewise, so the numbers keep the order.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Throttled => "1_THROTTLED",
            Self::Unpaid => "2_UNPAID",
            Self::Healthy => "3_HEALTHY",
        }
    }
}

/// One made-up key.
pub(super) struct DemoKey {
    variable: String,
    secret: String,
    condition: Condition,
}

impl DemoKey {
    /// The key as the emulator knows it.
    pub(super) fn at_provider(&self) -> KeyConfig {
        let key = KeyConfig::new(&self.variable, &self.secret);
        match self.condition {
            Condition::Throttled => key.with_limits(THROTTLED),
            Condition::Unpaid => key.with_credit(0),
            Condition::Healthy => key,
        }
    }

    /// The key as the gateway finds it.
    pub(super) fn variable(&self) -> (String, String) {
        (self.variable.clone(), self.secret.clone())
    }
}

/// Three keys of each provider.
pub(super) fn made_up() -> Vec<DemoKey> {
    let of_form = |form: &Form, condition: Condition| {
        let letters = std::iter::repeat_with(fastrand::alphanumeric).take(form.length);
        DemoKey {
            variable: format!("{}_{}", form.variable, condition.suffix()),
            secret: form.prefix.chars().chain(letters).collect(),
            condition,
        }
    };
    FORMS
        .iter()
        .flat_map(|form| Condition::ALL.map(|condition| of_form(form, condition)))
        .collect()
}
