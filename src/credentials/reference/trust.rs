//! Whether a configured provider's file or program is one that nobody else can read or change: the older tools' rule,
//! kept for their configs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::Why;
use crate::config::ExecProvider;

/// Bits that let others read or write.
const OPEN_TO_OTHERS: u32 = 0o066;
/// Bits that let others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Refuses a file that others may read or write, or that is another user's.
pub(super) fn private_file(path: &Path) -> Result<(), Why> {
    // One that is not there is told of by who reads it.
    let Ok(meta) = fs::metadata(path) else {
        return Ok(());
    };
    refuse_strangers(&meta, path)?;
    if meta.mode() & OPEN_TO_OTHERS != 0 {
        return Err(Why::Provider(format!(
            "others may read or write {0}; run `chmod 600 {0}`, or set `allowInsecurePath` if that is meant",
            path.display()
        )));
    }
    Ok(())
}

/// The program of a provider, once it is one to trust.
pub(super) fn program(path: PathBuf, provider: &ExecProvider) -> Result<PathBuf, Why> {
    let refuse = |what: String| Err(Why::Provider(what));
    let shown = path.display().to_string();
    let Ok(link) = fs::symlink_metadata(&path) else {
        return refuse(format!("there is no program {shown}"));
    };
    if link.is_symlink() && !provider.symlink_allowed {
        return refuse(format!(
            "{shown} is a symbolic link; name its target, or set `allowSymlinkCommand`"
        ));
    }
    let path = fs::canonicalize(&path).unwrap_or(path);
    if !provider.trusted_folders.is_empty()
        && !provider
            .trusted_folders
            .iter()
            .any(|folder| path.starts_with(folder))
    {
        return refuse(format!("{shown} is outside `trustedDirs`"));
    }
    match fs::metadata(&path) {
        Ok(meta) if !meta.is_file() => return refuse(format!("{shown} is not a file")),
        Ok(_) if provider.insecure_allowed => {}
        Ok(meta) => {
            refuse_strangers(&meta, &path)?;
            if meta.mode() & WRITABLE_BY_OTHERS != 0 {
                return refuse(format!(
                    "others may change {shown}; run `chmod go-w {shown}`, or set `allowInsecurePath` if that is meant"
                ));
            }
        }
        Err(error) => return refuse(format!("{shown} cannot be examined: {error}")),
    }
    Ok(path)
}

fn refuse_strangers(meta: &fs::Metadata, path: &Path) -> Result<(), Why> {
    let owner = meta.uid();
    if owner == 0 || owner == geteuid().as_raw() {
        return Ok(());
    }
    Err(Why::Provider(format!(
        "{} belongs to another user; own it, or set `allowInsecurePath` if that is meant",
        path.display()
    )))
}
