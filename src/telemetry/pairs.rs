//! The fields of a log line as text: `name=value`, cheap enough for one line a request.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// Writes fields as pairs, with a space between them; the message stands alone.
///
/// The default writer styles every field and escapes every string character by character, which costs a busy
/// gateway more than the rest of the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs;

impl<'writer> FormatFields<'writer> for Pairs {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = PairVisitor {
            writer,
            first: true,
            result: Ok(()),
        };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct PairVisitor<'writer> {
    writer: Writer<'writer>,
    first: bool,
    /// Once a pair could not be written, none is tried any more.
    result: fmt::Result,
}

impl PairVisitor<'_> {
    fn pair(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_ok() {
            self.result = self.write(field, value);
        }
    }

    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) -> fmt::Result {
        if !std::mem::take(&mut self.first) {
            self.writer.write_char(' ')?;
        }
        if field.name() != "message" {
            self.writer.write_str(field.name())?;
            self.writer.write_char('=')?;
        }
        value(&mut self.writer)
    }
}

impl Visit for PairVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field, |writer| write!(writer, "{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.pair(field, |writer| quote(writer, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.pair(field, |writer| {
            writer.write_str(itoa::Buffer::new().format(value))
        });
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.pair(field, |writer| {
            writer.write_str(itoa::Buffer::new().format(value))
        });
    }
}

/// `value` in quotes. Whatever could end the quotes or the line is escaped, as in Rust's own strings.
fn quote(writer: &mut Writer<'_>, value: &str) -> fmt::Result {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if value.bytes().all(plain) {
        writer.write_char('"')?;
        writer.write_str(value)?;
        writer.write_char('"')
    } else {
        write!(writer, "{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::super::sink::Sink;
    use super::*;

    fn line(log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let layer = tracing_subscriber::fmt::layer().with_writer(sink.clone());
        let layer = layer.without_time().with_ansi(false).fmt_fields(Pairs);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        sink.text()
    }

    #[test]
    fn fields_are_pairs_and_the_message_stands_alone() {
        let line = line(|| {
            tracing::info!(target: "t", id = %7, model = "a/b c", none = None::<u64>, ok = true, ms = 3_u128, "request");
        });
        assert_eq!(line, " INFO t: request id=7 model=\"a/b c\" ok=true ms=3\n");
    }

    #[test]
    fn no_value_can_end_its_line_or_its_quotes() {
        for value in [
            "a\nb",
            "a\r\nb",
            "a\" ok=\"b",
            "a\\",
            "\u{1b}[31m",
            "\u{2028}",
            "é\u{7f}",
        ] {
            let line = line(|| tracing::info!(target: "t", value, "m"));
            assert_eq!(line, format!(" INFO t: m value={value:?}\n"));
        }
    }
}
