//! The control paths of the identity provider, below `/__emulator/idp`.

use actix_http::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::config::IdpConfig;
use super::fault::IdpFault;
use crate::emulator::answer::Answer;
use crate::emulator::control::{problem, show};
use crate::emulator::secret::FINGERPRINT_PREFIX;
use crate::emulator::shared::Shared;

/// Where they begin, below the emulator's control paths.
pub(in crate::emulator) const PREFIX: &str = "/idp";

/// Approves or denies a device.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Decision {
    user_code: String,
    #[serde(default = "yes")]
    approve: bool,
}

const fn yes() -> bool {
    true
}

/// Names an account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Account {
    account: String,
}

/// The answer to a control request; `path` begins after [`PREFIX`]. The caller is admitted.
pub(in crate::emulator) fn answer(shared: &Shared, request: &Request, path: &str, body: &[u8]) -> Answer {
    let book = &shared.idp.book;
    let done = || show(&json!({"ok": true}));
    match (request.method().as_str(), path) {
        ("GET", "") => show(&book.lock().stats()),
        ("GET", "/config") => show(&book.lock().config),
        ("PUT", "/config") => change(shared, body),
        ("GET", "/devices") => show(&book.lock().waiting_devices()),
        ("POST", "/approve") => match read::<Decision>(body) {
            Ok(decision) if book.lock().decide_device(&decision.user_code, decision.approve) => done(),
            Ok(_) => problem(404, "no device waits under this user code"),
            Err(refusal) => *refusal,
        },
        ("POST", "/faults") => match read::<IdpFault>(body) {
            Ok(fault) => {
                book.lock().add_fault(fault);
                done()
            }
            Err(refusal) => *refusal,
        },
        ("DELETE", "/faults") => {
            book.lock().set_faults(Vec::new());
            done()
        }
        ("POST", "/expire") => {
            book.lock().expire_access();
            done()
        }
        ("POST", "/sign-out") => match read::<Account>(body) {
            Ok(named) => {
                book.lock().sign_out(&named.account);
                done()
            }
            Err(refusal) => *refusal,
        },
        ("POST", "/reset") => {
            book.lock().reset();
            done()
        }
        _ => problem(
            404,
            "there are GET idp, GET|PUT idp/config, GET idp/devices, POST idp/approve, POST|DELETE idp/faults, \
             POST idp/expire, POST idp/sign-out, POST idp/reset",
        ),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Box<Answer>> {
    json5::from_str(&String::from_utf8_lossy(body))
        .map_err(|error| Box::new(problem(400, &error.to_string())))
}

/// Changes the fields that the body names; the others stay.
fn change(shared: &Shared, body: &[u8]) -> Answer {
    let changes: Map<String, Value> = match read(body) {
        Ok(changes) => changes,
        Err(refusal) => return *refusal,
    };
    let mut book = shared.idp.book.lock();
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&book.config) else {
        return problem(500, "the config can't be shown");
    };
    fields.extend(changes);
    match serde_json::from_value::<IdpConfig>(Value::Object(fields)) {
        Ok(mut config) => {
            restore_secret(&mut config, &book.config);
            if let Err((field, message)) = config.check() {
                return problem(400, &format!("`{field}`: {message}"));
            }
            book.set_config(config);
            show(&json!({"ok": true}))
        }
        Err(error) => problem(400, &error.to_string()),
    }
}

/// A secret that was shown by its fingerprint stands for the one that is known.
pub(in crate::emulator) fn restore_secret(config: &mut IdpConfig, before: &IdpConfig) {
    let stands_for = |secret: &crate::emulator::KeySecret| secret.expose().starts_with(FINGERPRINT_PREFIX);
    if config.client_secret.as_ref().is_some_and(stands_for) {
        config.client_secret.clone_from(&before.client_secret);
    }
}
