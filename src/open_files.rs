//! How many files the process may have open: a stream needs two, and many systems allow a thousand unless asked.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Room for the connections of callers and to providers of a busy machine.
const OPEN_FILES_WANTED: u64 = 131_072;

/// Raises the process's own limit as far as the system lets it. A server serves on under the old one, and says so.
pub(crate) fn raise_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let wanted = OPEN_FILES_WANTED.min(hard);
    if soft >= wanted {
        return;
    }
    if let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        tracing::warn!(limit = soft, error = %error, "the limit of open files can't be raised: about half as many streams fit");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let wanted = OPEN_FILES_WANTED.min(hard);
        setrlimit(Resource::RLIMIT_NOFILE, wanted - 1, hard).unwrap();
        raise_limit();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (wanted, hard));
    }
}
