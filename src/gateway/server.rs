//! The gateway as a whole: bound, supervised, serving, drained.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};
use arc_swap::ArcSwap;
use coderclaw_actors::domain::credential::ProviderId;
use coderclaw_actors::{ControlPlane, Members, ProviderSpec, RestartPolicy, SavedState, SharedClock, View};

use super::in_flight::InFlight;
use super::listen::{ListenError, Listening};
use super::live::Live;
use super::logins::KeptLogins;
use super::reload::{ReloadAsks, Reloads};
use super::serve::serve;
use super::session::Sessions;
use super::stand_ins::StandIns;
use super::worker::{Shared, Worker};
use crate::config::Settings;
use crate::telemetry::metrics::Metrics;
use crate::upstream::{Client, client};

/// How long an idle connection of a caller is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a caller may take to send the head of a request.
const REQUEST_HEAD_MAX: Duration = Duration::from_secs(30);
/// How long the end of a connection is waited for after its last answer.
const DISCONNECT_MAX: Duration = Duration::from_secs(1);
/// How long a graceful stop waits for connections after the last request has ended, in seconds.
const SHUTDOWN_MAX_S: u64 = 2;

/// A gateway that listens. Nothing is served until `server` is awaited.
pub struct Gateway {
    /// The server; ends when it is stopped.
    pub server: Server,
    /// What it serves with.
    pub shared: Arc<Shared>,
    /// Who asks for reloads.
    pub reload_asks: ReloadAsks,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Others could reach it, and it asks for no token.
    #[error(
        "binding to {address} lets other machines call: set a token first (`gateway.auth.token` or \
         CODERCLAW_GATEWAY_TOKEN), or bind to loopback with `--bind loopback`"
    )]
    NoToken {
        /// The address that was asked for.
        address: IpAddr,
    },
    /// An address is taken or can't be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The server did not start.
    #[error("the HTTP server did not start: {0}")]
    Server(#[from] io::Error),
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made: {0}")]
    Client(io::Error),
    /// The actors did not start.
    #[error("the providers' actors did not start: {0}")]
    Actors(#[from] coderclaw_actors::StartError),
}

/// Binds and builds everything; must be called inside an actix system.
///
/// # Errors
/// If an address is refused or taken, or something can't be built.
pub fn start(
    settings: Settings,
    saved: &SavedState,
    logins: KeptLogins,
    clock: SharedClock,
) -> Result<Gateway, StartError> {
    let gateway = &settings.gateway;
    if let (None, Some(address)) = (
        &gateway.token,
        gateway
            .bind
            .addresses()
            .into_iter()
            .find(|address| !address.is_loopback()),
    ) {
        return Err(StartError::NoToken { address });
    }
    // Built here once to fail early; every worker then builds its own.
    let client = client::build(gateway.timeouts.connect).map_err(StartError::Client)?;
    let listening = Listening::bind(gateway.bind, gateway.port(), gateway.timeouts.idle)?;
    let addresses = listening.addresses.clone();
    let (reloads, reload_asks) = Reloads::new();
    let shared = Arc::new(share(settings, saved, &addresses, clock, (reloads, logins))?);
    let server = serve_on(listening, &shared, client)?;
    Ok(Gateway {
        server,
        shared,
        reload_asks,
        addresses,
    })
}

fn serve_on(listening: Listening, shared: &Arc<Shared>, client: Client) -> Result<Server, StartError> {
    let live = shared.live();
    let gateway = &live.settings.gateway;
    let workers = gateway
        .workers
        .or_else(|| available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let for_workers = Arc::clone(shared);
    let mut server = HttpServer::new(move || {
        // Runs on the worker's own thread: its router and its connections stay there.
        let worker = web::Data::new(Worker::new(Arc::clone(&for_workers), &client));
        App::new().app_data(worker).default_service(web::to(serve))
    })
    .workers(workers)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(REQUEST_HEAD_MAX)
    .client_disconnect_timeout(DISCONNECT_MAX)
    .max_connections(gateway.limits.connections)
    .h1_allow_half_closed(false)
    .shutdown_timeout(SHUTDOWN_MAX_S)
    .disable_signals();
    for listener in listening.sockets {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}

fn share(
    settings: Settings,
    saved: &SavedState,
    addresses: &[SocketAddr],
    clock: SharedClock,
    (reloads, logins): (Reloads, KeptLogins),
) -> Result<Shared, StartError> {
    let control = ControlPlane::start(
        specs(&settings),
        Arc::clone(&clock),
        saved,
        RestartPolicy::default(),
    )?;
    Ok(Shared {
        reloads,
        logins,
        control,
        sessions: Sessions::open(&settings.state_dir, settings.gateway.limits.sessions),
        in_flight: InFlight::new(),
        stand_ins: StandIns::default(),
        metrics: Arc::new(Metrics::new()),
        addresses: addresses.to_vec(),
        started: clock.now(),
        clock,
        live: ArcSwap::from_pointee(Live::of(settings, addresses)),
    })
}

/// The pools and their policies, as the control plane takes them.
pub(crate) fn specs(settings: &Settings) -> Vec<ProviderSpec> {
    let views = |provider: &ProviderId| {
        let others = settings.others.iter().filter_map(|others| {
            Some(View {
                agents: others.agents.clone(),
                profiles: others.pool(provider.as_str())?.members.clone(),
            })
        });
        others.collect()
    };
    settings
        .pools
        .iter()
        .map(|pool| ProviderSpec {
            id: pool.provider.clone(),
            members: Members {
                profiles: pool.members.clone(),
                views: views(&pool.provider),
            },
            strategy: settings.strategy,
            cooldowns: settings.cooldowns.clone(),
        })
        .collect()
}
