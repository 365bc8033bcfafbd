//! The addresses that the gateway listens on: all of them, or none.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::config::Bind;

/// Connections that may wait to be accepted: thousands of streams may begin at once.
const BACKLOG: i32 = 4096;

/// Why an address is not listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has it.
    #[error("{address} is in use by another program: stop it, or choose another port with `--port`")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The system refuses it.
    #[error(
        "can't listen on {address}: {source}; choose another address with `--bind` or port with `--port`"
    )]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Sockets that listen.
#[derive(Debug)]
pub struct Listening {
    /// The sockets.
    pub sockets: Vec<TcpListener>,
    /// Their addresses, with the real port where any was asked for.
    pub addresses: Vec<SocketAddr>,
}

impl Listening {
    /// Listens on every address of `bind`; port 0 takes any free one, the same for all. A caller that takes nothing
    /// of what is sent to it for longer than `unread_for` loses its connection, where the system can do that.
    ///
    /// A machine without an IPv6 loopback is only told so.
    ///
    /// # Errors
    /// If an address is taken or can't be bound.
    pub fn bind(bind: Bind, port: u16, unread_for: Duration) -> Result<Self, ListenError> {
        let mut listening = Self {
            sockets: Vec::new(),
            addresses: Vec::new(),
        };
        for ip in bind.addresses() {
            let port = listening.addresses.first().map_or(port, SocketAddr::port);
            let address = SocketAddr::new(ip, port);
            match listen(address, unread_for) {
                Ok((socket, address)) => {
                    listening.sockets.push(socket);
                    listening.addresses.push(address);
                }
                Err(error) if bind == Bind::Loopback && is_missing_ipv6(ip, &error) => {
                    tracing::info!("this machine has no IPv6 loopback: listening on IPv4 only");
                }
                Err(source) if source.kind() == io::ErrorKind::AddrInUse => {
                    return Err(ListenError::InUse { address });
                }
                Err(source) => return Err(ListenError::Refused { address, source }),
            }
        }
        Ok(listening)
    }
}

fn is_missing_ipv6(ip: IpAddr, error: &io::Error) -> bool {
    let missing = [
        io::ErrorKind::AddrNotAvailable,
        io::ErrorKind::Unsupported,
        io::ErrorKind::NetworkUnreachable,
    ];
    // EAFNOSUPPORT has no kind of its own.
    ip.is_ipv6() && (missing.contains(&error.kind()) || error.raw_os_error() == Some(nix::libc::EAFNOSUPPORT))
}

fn listen(address: SocketAddr, unread_for: Duration) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    limit_unread(&socket, unread_for)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The connections that `socket` accepts break off when what was sent on them is not taken for so long. Nothing else
/// notices: a body is asked for no more bytes while those before wait, so its own time limits never come up.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_unread(socket: &Socket, unread_for: Duration) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(unread_for))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_unread(_socket: &Socket, _unread_for: Duration) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(5);

    #[test]
    fn a_taken_address_is_refused_with_the_flag_that_helps() {
        let taken = Listening::bind(Bind::Address("127.0.0.1".parse().unwrap()), 0, IDLE).unwrap();
        let port = taken.addresses[0].port();
        let error = Listening::bind(Bind::Loopback, port, IDLE)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("127.0.0.1:{port}")) && error.contains("`--port`"),
            "{error}"
        );
    }

    #[test]
    fn any_port_is_the_same_one_on_both_loopbacks() {
        let listening = Listening::bind(Bind::Loopback, 0, IDLE).unwrap();
        let port = listening.addresses[0].port();
        assert!(port != 0 && listening.addresses.iter().all(|address| address.port() == port));
    }
}
