//! Device codes: asked for here, approved by a control call, polled for at the token endpoint.

use std::time::Duration;

use actix_http::{HttpMessage as _, Request};
use serde_json::json;

use super::account::{Login, random};
use super::book::Book;
use super::refuse;
use super::token::Form;
use crate::emulator::answer::{Answer, JSON};
use crate::emulator::clock::{EmulatorClock, millis};

/// What a poll that came too early adds to the interval.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// What became of a device code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approval {
    Pending,
    Approved,
    Denied,
    Spent,
}

/// A device code.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) login: Login,
    pub(super) user_code: String,
    pub(super) approval: Approval,
    expires: Duration,
    interval: Duration,
    polled: Option<Duration>,
}

pub(super) fn answer(book: &mut Book, clock: &dyn EmulatorClock, request: &Request, body: &[u8]) -> Answer {
    let form = Form::read(request, body);
    if let Err(refusal) = form.admit(book) {
        return *refusal;
    }
    if book.is_full() {
        return refuse(503, "temporarily_unavailable", "too many codes");
    }
    let login = book.new_login(
        form.get("login_hint"),
        form.client(),
        form.get("scope").unwrap_or_default(),
    );
    let mut user_code = random(8).to_uppercase();
    user_code.insert(4, '-');
    let device_code = format!("dc_{}", random(40));
    let lifetime = Duration::from_millis(book.config.device_lifetime_ms);
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let page = format!("http://{}/__emulator/idp/approve", host.unwrap_or("localhost"));
    let shown = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?userCode={user_code}"),
        "expires_in": millis(clock.real(lifetime)).div_ceil(1000),
        "interval": book.config.interval_s,
    });
    let device = Device {
        login,
        user_code,
        approval: Approval::Pending,
        expires: clock.now() + lifetime,
        interval: Duration::from_secs(book.config.interval_s),
        polled: None,
    };
    book.devices.insert(device_code, device);
    book.counts.device_codes += 1;
    Answer::new(200, JSON, shown.to_string())
}

impl Book {
    /// Approves or denies a device by the code that its user sees; false if none waits under it.
    pub(in crate::emulator) fn decide_device(&mut self, user_code: &str, approves: bool) -> bool {
        let waiting = self
            .devices
            .values_mut()
            .find(|device| device.user_code == user_code && device.approval == Approval::Pending);
        let Some(device) = waiting else {
            return false;
        };
        device.approval = if approves {
            Approval::Approved
        } else {
            Approval::Denied
        };
        true
    }

    /// The user codes that wait for approval.
    pub(in crate::emulator) fn waiting_devices(&self) -> Vec<String> {
        self.devices
            .values()
            .filter(|device| device.approval == Approval::Pending)
            .map(|device| device.user_code.clone())
            .collect()
    }

    /// A poll: the login, or the error code that it is told.
    pub(super) fn poll_device(
        &mut self,
        code: &str,
        client: &str,
        clock: &dyn EmulatorClock,
    ) -> Result<Login, &'static str> {
        let now = clock.now();
        let device = self.devices.get_mut(code).ok_or("invalid_grant")?;
        if device.login.client != client {
            return Err("invalid_grant");
        }
        if now >= device.expires {
            return Err("expired_token");
        }
        let since = device
            .polled
            .replace(now)
            .map(|last| clock.real(now.saturating_sub(last)));
        if since.is_some_and(|since| since < device.interval) {
            device.interval += SLOW_DOWN;
            self.counts.early_polls += 1;
            return Err("slow_down");
        }
        match device.approval {
            Approval::Pending => Err("authorization_pending"),
            Approval::Denied => Err("access_denied"),
            Approval::Spent => Err("invalid_grant"),
            Approval::Approved => {
                device.approval = Approval::Spent;
                Ok(device.login.clone())
            }
        }
    }
}
