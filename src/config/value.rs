//! Typed values of the config: numbers, sizes, durations, texts, each within its limits.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use coderclaw_actors::domain::credential::CredentialLimits;
use jsonc_parser::ast::Value;

use super::document::{Field, Reader, Section};
use crate::nearest::did_you_mean;

/// No configured duration is longer: a year is a typing error.
const DURATION_MAX: Duration = Duration::from_hours(366 * 24);

/// The largest count that may be asked for.
const COUNT_MAX: u64 = 1_000_000;

impl Reader<'_> {
    /// A text, trimmed; a blank one is refused.
    pub(super) fn text(&mut self, field: &Field<'_>, expected: &str) -> Option<String> {
        let text = field
            .value
            .as_string_lit()
            .map(|text| text.value.trim())
            .filter(|text| !text.is_empty());
        if text.is_none() {
            self.expected(field, expected);
        }
        text.map(str::to_owned)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, field: &Field<'_>) -> Option<bool> {
        let boolean = field.value.as_boolean_lit().map(|literal| literal.value);
        if boolean.is_none() {
            self.expected(field, "true or false");
        }
        boolean
    }

    /// A whole number within limits.
    pub(super) fn integer<N>(
        &mut self,
        field: &Field<'_>,
        range: RangeInclusive<u64>,
        expected: &str,
    ) -> Option<N>
    where
        N: TryFrom<u64>,
    {
        let number = whole_number(field.value)
            .filter(|number| range.contains(number))
            .and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            self.expected(field, expected);
        }
        number
    }

    /// How many of something there may be: at least one, since none would stop everything.
    pub(super) fn count(&mut self, field: &Field<'_>) -> Option<NonZeroUsize> {
        let count = self.integer(field, 1..=COUNT_MAX, "a whole number from 1 to 1000000");
        count.and_then(NonZeroUsize::new)
    }

    /// A size: a number of bytes, or text such as `"64MiB"`.
    pub(super) fn size(&mut self, field: &Field<'_>, range: RangeInclusive<u64>) -> Option<usize> {
        let bytes = match field.value {
            Value::StringLit(text) => ByteSize::from_str(text.value.trim())
                .ok()
                .map(|size| size.as_u64()),
            other => whole_number(other),
        };
        let size = bytes
            .filter(|bytes| range.contains(bytes))
            .and_then(|bytes| usize::try_from(bytes).ok());
        if size.is_none() {
            let (least, most) = (ByteSize::b(*range.start()), ByteSize::b(*range.end()));
            self.expected(
                field,
                &format!("a size from {least} to {most}, a number of bytes or text such as \"64MiB\""),
            );
        }
        size
    }

    /// A duration: a number of milliseconds, or text such as `"10s"`; at least one millisecond.
    pub(super) fn duration(&mut self, field: &Field<'_>) -> Option<Duration> {
        let duration = match field.value {
            Value::StringLit(text) => humantime::parse_duration(text.value.trim()).ok(),
            other => whole_number(other).map(Duration::from_millis),
        };
        let duration =
            duration.filter(|duration| (Duration::from_millis(1)..=DURATION_MAX).contains(duration));
        if duration.is_none() {
            self.expected(
                field,
                "a duration from 1ms to 366 days, a number of milliseconds or text such as \"10s\"",
            );
        }
        duration
    }

    /// A duration in hours, as the older tools write some.
    pub(super) fn hours(&mut self, field: &Field<'_>) -> Option<Duration> {
        let hours: Option<f64> = field
            .value
            .as_number_lit()
            .and_then(|number| number.value.parse().ok());
        let duration = hours
            .and_then(|hours| Duration::try_from_secs_f64(hours * 3600.0).ok())
            .filter(|duration| (Duration::from_secs(1)..=DURATION_MAX).contains(duration));
        if duration.is_none() {
            self.expected(field, "a number of hours above 0 and at most 8784");
        }
        duration
    }

    /// One of some names.
    pub(super) fn one_of<T: Copy>(&mut self, field: &Field<'_>, names: &[(&str, T)]) -> Option<T> {
        let text = field.value.as_string_lit().map(|text| text.value.trim());
        let found = text.and_then(|text| names.iter().find(|(name, _)| *name == text));
        if found.is_none() {
            let list: Vec<String> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let hint = text.map_or_else(String::new, |text| {
                did_you_mean(text, names.iter().map(|(name, _)| *name))
            });
            self.expected(field, &format!("one of {}{hint}", list.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// Either one text or a list of them, as fields.
    pub(super) fn one_or_many<'v>(&mut self, field: &Field<'v>, expected: &str) -> Vec<Field<'v>> {
        match field.value {
            Value::StringLit(_) => vec![field.clone()],
            _ => self.list(field, expected).unwrap_or_default(),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, field: &Field<'_>, expected: &str) -> Vec<String> {
        let list = self.list(field, &format!("a list, each {expected}"));
        let list = list.unwrap_or_default();
        list.iter()
            .filter_map(|element| self.text(element, expected))
            .collect()
    }

    /// `limits: { rpm, concurrency }` of one credential; each is optional.
    pub(super) fn credential_limits(&mut self, section: &mut Section<'_>) -> CredentialLimits {
        let Some(mut limits) = section.section("limits", self) else {
            return CredentialLimits::default();
        };
        let mut limit = |name, reader: &mut Self| -> Option<NonZeroU32> {
            let field = limits.take(name)?;
            reader
                .integer(
                    &field,
                    1..=u64::from(u32::MAX),
                    "a whole number from 1 to 4294967295",
                )
                .and_then(NonZeroU32::new)
        };
        let read = CredentialLimits {
            rpm: limit("rpm", self),
            concurrency: limit("concurrency", self),
        };
        limits.finish(self);
        read
    }
}

/// A whole number of JSON5, none if it is negative, broken or too large.
fn whole_number(value: &Value<'_>) -> Option<u64> {
    let literal = value.as_number_lit()?.value;
    let literal = literal.strip_prefix('+').unwrap_or(literal);
    let hex = literal.strip_prefix("0x").or_else(|| literal.strip_prefix("0X"));
    if let Some(digits) = hex {
        return u64::from_str_radix(digits, 16).ok();
    }
    if let Ok(number) = literal.parse() {
        return Some(number);
    }
    // `1e3` and `10.` are whole numbers too; past 2^53 a float no longer tells which.
    let number: f64 = literal.parse().ok()?;
    if number.fract() == 0.0 && (0.0..=9e15).contains(&number) {
        format!("{number:.0}").parse().ok()
    } else {
        None
    }
}
