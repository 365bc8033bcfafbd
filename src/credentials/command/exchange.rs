//! The life of one run: started, fed, read, awaited, and killed if it must be.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use super::complaint::complaint;
use super::{CommandError, ExternalCommand, Output};

/// What is kept of a program's complaints, in bytes; the rest is read and thrown away.
const COMPLAINT_BYTES_MAX: usize = 4 << 10;

/// Once a program has ended, what it wrote is in the pipe: reading it takes no longer than 250 ms. Another process
/// that still holds the pipe open is not waited for.
const LEFTOVER_TIME_MAX: Duration = Duration::from_millis(250);

/// A killed program is gone within this time, unless the system holds it: 1 s.
const GONE_TIME_MAX: Duration = Duration::from_secs(1);

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 8 << 10;

/// What a program has printed so far.
#[derive(Default)]
struct Printed {
    output: Vec<u8>,
    complaints: Vec<u8>,
}

/// Why reading ended early.
enum Stopped {
    TooMuch,
    Broken(std::io::Error),
}

/// Runs `command` on this thread, which must not be one of a runtime.
pub(super) fn run(command: &ExternalCommand) -> Result<Output, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| command.not_run(error))?;
    runtime.block_on(lifetime(command))
}

async fn lifetime(command: &ExternalCommand) -> Result<Output, CommandError> {
    let mut child = spawn(command)?;
    let mut printed = Printed::default();
    let exchange = exchange(command, &mut child, &mut printed);
    let error = match timeout(command.time_max, exchange).await {
        Ok(Ok(status)) => return outcome(command, status, printed),
        Ok(Err(Stopped::TooMuch)) => CommandError::TooMuchOutput {
            program: command.program.clone(),
            bytes_max: u64::try_from(command.output_bytes_max).unwrap_or(u64::MAX),
        },
        Ok(Err(Stopped::Broken(error))) => command.not_run(error),
        Err(_) => CommandError::TimeOver {
            program: command.program.clone(),
            time_max: command.time_max,
        },
    };
    kill(&mut child).await;
    Err(error)
}

fn spawn(command: &ExternalCommand) -> Result<Child, CommandError> {
    let mut building = tokio::process::Command::new(&command.program);
    let stdin = command
        .input
        .as_ref()
        .map_or_else(Stdio::null, |_| Stdio::piped());
    building
        .args(&command.arguments)
        .env_clear()
        .envs(&command.environment)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(folder) = &command.folder {
        building.current_dir(folder);
    }
    building.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CommandError::NotFound {
            program: command.program.clone(),
        },
        _ => command.not_run(error),
    })
}

/// Feeds the program and reads from it until it ends.
async fn exchange(
    command: &ExternalCommand,
    child: &mut Child,
    printed: &mut Printed,
) -> Result<ExitStatus, Stopped> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk = async {
        tokio::try_join!(
            feed(stdin, command.input.as_deref()),
            read(stdout, &mut printed.output, command.output_bytes_max),
            read_some(stderr, &mut printed.complaints),
        )
    };
    tokio::pin!(talk);
    tokio::select! {
        said = &mut talk => {
            said?;
            child.wait().await.map_err(Stopped::Broken)
        }
        status = child.wait() => {
            // Who holds the pipe open now is not the program.
            if let Ok(said) = timeout(LEFTOVER_TIME_MAX, &mut talk).await {
                said?;
            }
            status.map_err(Stopped::Broken)
        }
    }
}

/// A program that doesn't want its input may close it.
async fn feed(stdin: Option<ChildStdin>, input: Option<&str>) -> Result<(), Stopped> {
    if let (Some(mut stdin), Some(input)) = (stdin, input) {
        let _closed_early = stdin.write_all(input.as_bytes()).await;
    }
    Ok(())
}

async fn read<R>(pipe: Option<R>, into: &mut Vec<u8>, bytes_max: usize) -> Result<(), Stopped>
where
    R: AsyncRead + Unpin,
{
    let Some(mut pipe) = pipe else { return Ok(()) };
    while pipe.read_buf(into).await.map_err(Stopped::Broken)? > 0 {
        if into.len() > bytes_max {
            return Err(Stopped::TooMuch);
        }
    }
    Ok(())
}

/// Keeps the first bytes and reads on, so that the program never waits for a reader.
async fn read_some<R>(pipe: Option<R>, into: &mut Vec<u8>) -> Result<(), Stopped>
where
    R: AsyncRead + Unpin,
{
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    while pipe.read_buf(&mut chunk).await.map_err(Stopped::Broken)? > 0 {
        let room = COMPLAINT_BYTES_MAX.saturating_sub(into.len());
        into.extend(chunk.drain(..).take(room));
    }
    Ok(())
}

fn outcome(command: &ExternalCommand, status: ExitStatus, printed: Printed) -> Result<Output, CommandError> {
    if status.success() {
        return Ok(Output(printed.output));
    }
    Err(CommandError::Failed {
        program: command.program.clone(),
        ending: ending(status),
        complaint: complaint(&printed.complaints, &printed.output, command.input.as_deref()),
    })
}

fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;

    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".to_owned(),
    }
}

/// Kills the program and all of its group, which is there as long as the program has not been awaited.
async fn kill(child: &mut Child) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _gone_already = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _held_by_the_system = timeout(GONE_TIME_MAX, child.wait()).await;
}
