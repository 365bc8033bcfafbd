//! `coderclaw import`: moving over from an older tool.

use std::io;
use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use serde_json::json;

use super::exit::Failure;
use super::options::GlobalOptions;
use super::printer::{FAINT, GOOD, Printer, STRONG, WAITING};
use super::table::Rows;
use crate::config::edit::EditError;
use crate::config::{ConfigError, Settings};
use crate::credentials::environment::ProcessEnvironment;
use crate::credentials::store::StoreError;
use crate::files::FileError;
use crate::import::{
    ApplyError, Line, Old, Ours, OursError, Plan, ReadError, Source, SourceError, Verdict, apply,
};

const EXAMPLES: &str = "\
Examples:
  coderclaw import                                   what would be taken, changed and left; changes nothing
  coderclaw import --from openclaw --apply           take it; secrets stay where they are, and are referred to
  coderclaw import --apply --copy-secrets            copy the secrets too, before the older tool is removed
  coderclaw import --from ~/.openclaw/.env --copy-secrets

What stands here already always wins, so importing again does nothing. The older tool's files are never changed.";

/// Take over credentials, orders, agents and models of OpenClaw or the older CoderClaw
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportCommand {
    /// `openclaw`, `coderclaw`, or a state folder, store, database or credential file [default: the one that is there]
    #[arg(long, value_name = "TOOL|PATH")]
    from: Option<String>,
    /// Do it; without this nothing is changed
    #[arg(long)]
    apply: bool,
    /// Copy secrets into coderclaw's own files instead of referring to the older tool's
    #[arg(long)]
    copy_secrets: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ImportCommand {
    pub(super) fn run(&self, options: &GlobalOptions, printer: &mut Printer) -> Result<ExitCode, Failure> {
        let settings = options.settings()?;
        // The older CoderClaw's variables have our names: a flag of ours says nothing of it.
        let process = ProcessEnvironment::read();
        let source = match Source::find(self.from.as_deref(), &process, &settings.state_dir) {
            Ok(source) => source,
            Err(SourceError::Ours { path }) => return self.tell_of_own(&path, printer),
            Err(error) => return Err(error.into()),
        };
        let old = Old::read(&source, &|provider| prefixes(&settings, provider))?;
        let ours = Ours::read(&settings, &old)?;
        let plan = Plan::make(&old, &ours, self.copy_secrets);
        if self.apply {
            apply(&plan, &ours)?;
        }
        if self.json {
            self.print_json(&source, &old, &plan, printer)?;
        } else {
            self.print(&source, &old, &plan, printer)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The older CoderClaw's state folder may be the one that is used now.
    fn tell_of_own(&self, path: &std::path::Path, printer: &mut Printer) -> Result<ExitCode, Failure> {
        if self.json {
            let counts = json!({ "taken": 0, "changed": 0, "left": 0, "present": 0 });
            let report = json!({ "source": null, "applied": self.apply, "counts": counts, "entries": [] });
            printer.json(&report)?;
        } else {
            printer.line(format_args!(
                "{} is coderclaw's own state folder: its config and stores are used as they are, and there is \
                 nothing to import",
                path.display()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn print_json(&self, source: &Source, old: &Old, plan: &Plan, printer: &mut Printer) -> io::Result<()> {
        let count = |verdict| plan.count(verdict);
        printer.json(&json!({
            "source": {
                "tool": source.tool,
                "path": source.path,
                "config": source.config,
                "version": old.version(),
            },
            "applied": self.apply,
            "copySecrets": self.copy_secrets,
            "counts": {
                "taken": count(Verdict::Taken),
                "changed": count(Verdict::Changed),
                "left": count(Verdict::Left),
                "present": count(Verdict::Present),
            },
            "entries": plan.lines,
        }))
    }

    fn print(&self, source: &Source, old: &Old, plan: &Plan, printer: &mut Printer) -> io::Result<()> {
        let tool = source
            .tool
            .map(|tool| format!("{} ", tool.name()))
            .unwrap_or_default();
        let version = old
            .version()
            .map(|version| format!("{version} "))
            .unwrap_or_default();
        printer.styled(STRONG, format_args!("{tool}{version}{}", source.path.display()))?;
        printer.line("")?;
        let mut rows = Rows::new(&["", "WHAT", "NAME", "AGENT", "FINGERPRINT", "HOW, OR WHY NOT"]);
        for verdict in [Verdict::Taken, Verdict::Changed, Verdict::Present, Verdict::Left] {
            for line in plan.lines.iter().filter(|line| line.verdict == verdict) {
                rows.push(style(verdict), cells(line));
            }
        }
        rows.print(printer)?;
        printer.line("")?;
        let count = |verdict| plan.count(verdict);
        printer.line(format_args!(
            "{} taken, {} changed, {} here already, {} left",
            count(Verdict::Taken),
            count(Verdict::Changed),
            count(Verdict::Present),
            count(Verdict::Left)
        ))?;
        match (plan.is_empty(), self.apply) {
            (true, _) => printer.line("Nothing had to be changed."),
            (false, true) => printer.line("Done. The older tool's files are as they were."),
            (false, false) => printer.line(format_args!(
                "Nothing was changed yet. To do it: coderclaw import{}{} --apply",
                self.from
                    .as_deref()
                    .map(|from| format!(" --from {from}"))
                    .unwrap_or_default(),
                if self.copy_secrets { " --copy-secrets" } else { "" },
            )),
        }
    }
}

fn prefixes(settings: &Settings, provider: &str) -> &'static [&'static str] {
    settings
        .provider(provider)
        .map_or(&[], |provider| provider.key_prefixes)
}

const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Taken | Verdict::Changed => GOOD,
        Verdict::Present => FAINT,
        Verdict::Left => WAITING,
    }
}

fn cells(line: &Line) -> Vec<String> {
    let show =
        |fingerprint: Option<_>| fingerprint.map_or_else(|| "-".to_owned(), |shown: _| format!("{shown}"));
    let fingerprint = match line.ours {
        Some(ours) => format!("{} (ours {ours})", show(line.fingerprint)),
        None => show(line.fingerprint),
    };
    vec![
        line.verdict.as_str().to_owned(),
        line.what.to_owned(),
        line.name.clone(),
        line.agent.clone().unwrap_or_else(|| "-".to_owned()),
        fingerprint,
        line.why.clone(),
    ]
}

// === impl Failure ===

const UNTOUCHED: &str = "correct what is named above and run the command again; no file was changed";

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let help = match &error {
            SourceError::Both { .. } => {
                "say which: `coderclaw import --from openclaw`, or `--from coderclaw`"
            }
            SourceError::NotFound { .. } | SourceError::NoSuchPath { .. } | SourceError::NoState { .. } => {
                "name the state folder, or a file in it: `coderclaw import --from PATH`"
            }
            SourceError::Ours { .. } => "nothing is to be done: it is used as it is",
        };
        Self::new(error, help)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::new(
            error,
            "name a state folder, a store, a database, an .env file, or a file of API keys",
        )
    }
}

impl From<OursError> for Failure {
    fn from(error: OursError) -> Self {
        match error {
            OursError::Config(error) => error.into(),
            OursError::Store(error) => of_store(&error),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Config(error) => error.into(),
            ApplyError::Store(error) => of_store(&error),
            ApplyError::File(error) => of_file(&error),
            error @ ApplyError::Dotenv { .. } => Self::new(error, UNTOUCHED),
        }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Unreadable(error) => error.into(),
            EditError::Refused(problems) => ConfigError::Refused(problems).into(),
            EditError::File(error) => of_file(&error),
            error @ (EditError::Misplaced { .. } | EditError::Entangled { .. }) => {
                Self::new(error, UNTOUCHED)
            }
        }
    }
}

fn of_store(error: &StoreError) -> Failure {
    Failure::new(error, error.help())
}

fn of_file(error: &FileError) -> Failure {
    Failure::new(error, error.help())
}
