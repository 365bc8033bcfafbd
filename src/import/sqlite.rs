//! The newest older tool's databases, read without leaving a trace.
//!
//! SQLite makes a `-shm` file even to read where the journal is a write-ahead log. A database whose log is empty is
//! therefore opened as one that nobody changes; where changes wait in the log, database and log are copied to a folder
//! of our own and read there. The crate rusqlite brings SQLite itself, so that nothing has to be installed.

use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

/// What stays as it is in the path of a `file:` address.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');
/// No database is copied that is larger: 4 GiB.
const COPY_BYTES_MAX: u64 = 4 << 30;
/// No text is taken that is longer: 64 MiB.
const TEXT_BYTES_MAX: i64 = 64 << 20;
/// So often is a database read anew that changes while it is read.
const READS_MAX: u32 = 3;

/// One text of a table that has one row a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) table: &'static str,
    pub(super) key_column: &'static str,
    pub(super) text_column: &'static str,
    pub(super) key: &'static str,
}

/// Reads some cells; `None` for a table or a row that isn't there.
///
/// # Errors
/// Why it can't be read, in words for people.
pub(super) fn read<const N: usize>(path: &Path, cells: [Cell; N]) -> Result<[Option<String>; N], String> {
    for _ in 1..READS_MAX {
        let before = stamp(path);
        let texts = read_once(path, cells);
        if before == stamp(path) {
            return texts;
        }
    }
    Err("it is being written to: stop the older tool, and run this again".to_owned())
}

fn read_once<const N: usize>(path: &Path, cells: [Cell; N]) -> Result<[Option<String>; N], String> {
    if size(&log_of(path)) == 0 {
        return texts(path, cells);
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copy = folder.path().join("copy.sqlite");
    if size(path) + size(&log_of(path)) > COPY_BYTES_MAX {
        return Err("changes wait in its log: stop the older tool, and run this again".to_owned());
    }
    fs::copy(path, &copy).map_err(|error| error.to_string())?;
    fs::copy(log_of(path), log_of(&copy)).map_err(|error| error.to_string())?;
    // Opening it for writing merges the log into the copy.
    let merged = Connection::open(&copy).and_then(|database| {
        database.query_row("SELECT count(*) FROM sqlite_master", [], |row| {
            row.get::<_, i64>(0)
        })?;
        get(&database, cells)
    });
    merged.map_err(|error| error.to_string())
}

fn texts<const N: usize>(path: &Path, cells: [Cell; N]) -> Result<[Option<String>; N], String> {
    let path = path.to_str().ok_or("its path is not UTF-8")?;
    let address = format!("file:{}?immutable=1", utf8_percent_encode(path, IN_ADDRESS));
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = Connection::open_with_flags(address, flags).and_then(|database| get(&database, cells));
    read.map_err(|error| error.to_string())
}

fn get<const N: usize>(
    database: &Connection,
    cells: [Cell; N],
) -> Result<[Option<String>; N], rusqlite::Error> {
    let mut texts = [const { None }; N];
    for (text, cell) in texts.iter_mut().zip(cells) {
        let known = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1";
        let tables: i64 = database.query_row(known, [cell.table], |row| row.get(0))?;
        if tables == 0 {
            continue;
        }
        let query = format!(
            "SELECT {text} FROM {table} WHERE {key} = ?1 AND length({text}) <= {TEXT_BYTES_MAX}",
            text = cell.text_column,
            table = cell.table,
            key = cell.key_column,
        );
        *text = database
            .query_row(&query, [cell.key], |row| row.get(0))
            .optional()?;
    }
    Ok(texts)
}

/// The write-ahead log beside a database.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// What changes when the database or its log does.
fn stamp(path: &Path) -> [Option<(u64, std::time::SystemTime)>; 2] {
    [path.to_owned(), log_of(path)].map(|path| {
        let meta = fs::metadata(path).ok()?;
        Some((meta.len(), meta.modified().ok()?))
    })
}
