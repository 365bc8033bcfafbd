//! Why a text is no credential: what it is instead, and what to do.

use coderclaw_actors::domain::credential::ProviderId;

/// What a text is that is no credential of the provider. It says nothing of what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing.
    #[error("it is empty")]
    Empty,
    /// A line of a shell or of a `.env` file.
    #[error("it is a whole line that sets a variable")]
    Assignment,
    /// A header of HTTP.
    #[error("it is a whole header")]
    Header,
    /// More than a credential.
    #[error("it is {what}")]
    Document {
        /// What.
        what: &'static str,
    },
    /// Several credentials.
    #[error("it holds {keys} keys")]
    Several {
        /// How many.
        keys: usize,
    },
    /// Words.
    #[error("it has white space inside, as no credential has")]
    WhiteSpace,
    /// What consoles show of a key.
    #[error("it is shortened, as keys are shown")]
    Shortened,
    /// It can't be sent.
    #[error("its character {place} is U+{code:04X}, which no HTTP header can carry")]
    NoHeader {
        /// Which character, from 1.
        place: usize,
        /// What it is.
        code: u32,
    },
    /// A part of a credential.
    #[error("it has {chars} characters and should have {least} or more: it was cut off")]
    Short {
        /// How long it is.
        chars: usize,
        /// How long it is at least.
        least: usize,
    },
    /// A key of another provider.
    #[error("it looks like a key of {owners}, not of {provider}")]
    Foreign {
        /// Whose it may be.
        owners: String,
        /// Whose it should be.
        provider: ProviderId,
    },
    /// A secret that serves no model.
    #[error("it is {what}")]
    Useless {
        /// What.
        what: &'static str,
    },
    /// Nothing that is known.
    #[error("it does not begin with {start}")]
    Unlike {
        /// How it should begin.
        start: &'static str,
    },
}

impl Unfit {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        let plain = match self {
            Self::Empty => "copy the credential again and give it whole",
            Self::Assignment => "give only what follows the `=`",
            Self::Header => "give only the credential, without the name of the header and without `Bearer`",
            Self::Document { .. } => "give only the credential itself",
            Self::Several { .. } => "give one at a time, each with a `--profile-id` of its own",
            Self::WhiteSpace => "copy only the credential",
            Self::Shortened => "copy the whole credential: a console shows it once, when it is made",
            Self::NoHeader { .. } => "copy it again, from where it was first shown",
            Self::Short { .. } => "copy it whole; `--force` stores it all the same",
            Self::Foreign { owners, .. } if !owners.contains(' ') => {
                return format!("give `--provider {owners}`; `--force` stores it all the same");
            }
            Self::Foreign { .. } => "give the `--provider` that it is of; `--force` stores it all the same",
            Self::Useless { .. } => {
                "make an API key in the provider's console; `--force` stores it all the same"
            }
            Self::Unlike { .. } => "copy what `claude setup-token` printed; `--force` stores it all the same",
        };
        plain.to_owned()
    }
}
