//! Everything that is written to stdout and stderr. Colour only where a terminal reads it, and never as the only
//! sign.

mod tame;

use std::fmt::Display;
use std::io::{self, Stderr, Stdout, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

use crate::upstream::scrub::mask_keys;
use tame::Tame;

/// Titles and what matters most.
pub(super) const STRONG: Style = Style::new().bold();
/// What works.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What will work again.
pub(super) const WAITING: Style = AnsiColor::Yellow.on_default();
/// What does not work.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What matters least.
pub(super) const FAINT: Style = Style::new().dimmed();

/// The way out.
pub(super) struct Printer {
    out: AutoStream<Stdout>,
    err: AutoStream<Stderr>,
}

impl Printer {
    /// The process's stdout and stderr.
    pub(super) fn new() -> Self {
        Self {
            out: anstream::stdout(),
            err: anstream::stderr(),
        }
    }

    /// A line of what was asked for.
    pub(super) fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{}", Tame(line))
    }

    /// A line in one style.
    pub(super) fn styled(&mut self, style: Style, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{style}{}{style:#}", Tame(line))
    }

    /// Lines that end as they are.
    pub(super) fn text(&mut self, text: impl Display) -> io::Result<()> {
        write!(self.out, "{text}")?;
        self.out.flush()
    }

    /// A value as indented JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        writeln!(self.out)
    }

    /// A line for whoever sits at the terminal, which is no part of what was asked for.
    pub(super) fn aside(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.err, "{}", Tame(line))
    }

    /// Something to know that stops nothing.
    pub(super) fn warning(&mut self, what: impl Display) -> io::Result<()> {
        writeln!(self.err, "{WAITING}warning:{WAITING:#} {}", Tame(what))
    }

    /// What went wrong, one line each, and what to do.
    pub(super) fn error(&mut self, what: &[String], help: &str) -> io::Result<()> {
        for what in what {
            writeln!(self.err, "{BAD}error:{BAD:#} {}", Tame(what))?;
        }
        writeln!(self.err, "{GOOD}help:{GOOD:#} {}", Tame(help))
    }

    /// What clap says about what was typed. It repeats that, and may so repeat a key that was typed where none belongs.
    pub(super) fn usage(&mut self, error: &clap::Error) -> io::Result<()> {
        let said = error.render();
        let plain = said.to_string();
        let masked = mask_keys(&plain);
        if masked == plain {
            write!(self.err, "{}", said.ansi())
        } else {
            write!(self.err, "{masked}")
        }
    }
}
