//! Listening on loopback, and the life of one request: understand, count, wait, perhaps go wrong, answer.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::faults::{Fault, FaultKind};
use crate::reply::{Answer, Fail, Pace, Payload, Reply, RequestId, wire};
use crate::route::{Call, Service};
use crate::state::State;
use crate::world::{AccountKind, World};
use crate::{iam, other, s3, s3control, sts};

/// Largest request body that is read; a read-only client sends forms of a few hundred bytes.
const MAX_BODY: usize = 1 << 20;

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// 0 takes a free port.
    pub port: u16,
    /// Added before every answer.
    pub latency: Duration,
}

/// The loopback AWS.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Serves a world on 127.0.0.1, on the runtime of the caller.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(world: World, options: Options) -> io::Result<Running> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State::new(world, options));
        let (stop, stopped) = watch::channel(());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state), stopped));
        Ok(Running { state, addr, stop, accepting })
    }
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    state: Arc<State>,
    addr: SocketAddr,
    /// Dropped or signalled: everybody stops.
    stop: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Running {
    /// The endpoint for all four services, such as `http://127.0.0.1:39219`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Requests seen on the wire, by operation, faulty ones and refused ones included. Operations that are not served are
    /// there too (`PutBucketVersioning`); the one of S3 Control is `s3control:GetPublicAccessBlock`.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state.calls()
    }

    /// Replaces all faults and forgets which requests were seen.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.state.faults.set(faults);
    }

    /// Closes every connection and the port.
    pub async fn stop(self) {
        self.stop.send_replace(());
        // An error here is the accepting task's own panic or cancellation: either way it is over.
        let _ended = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&state), stopped.clone()));
            }
            // Out of file descriptors, mostly: let some connections end.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>, mut stopped: watch::Receiver<()>) {
    // Without it small answers wait for an acknowledgement; where it cannot be set they are merely late.
    let _late = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| answer(Arc::clone(&state), request, Arc::clone(&reset)));
    let mut serving = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = stopped.changed() => return,
        // A client that went away, or a fault of ours.
        _ended = &mut serving => {}
    }
    if reset.load(Ordering::Relaxed) {
        // Closing now sends RST instead of FIN; where that fails the client sees an early end, which is as bad.
        let _closed = serving.into_parts().io.into_inner().set_zero_linger();
    }
}

/// One request. An error closes the connection without an answer.
async fn answer(state: Arc<State>, request: Request<Incoming>, reset: Arc<AtomicBool>) -> io::Result<Response<Payload>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
    let id = state.next_request();
    let mut call = Call::read(&parts, &body);
    state.count(&call);
    if !state.options.latency.is_zero() {
        tokio::time::sleep(state.options.latency).await;
    }
    let struck = {
        let caller = state.caller(&call).ok();
        let account = caller.as_ref().map(|caller| state.account(caller));
        state.faults.strike(&call, account.map(|account| (account.id.as_str(), account.name.as_str())))
    };
    let mut pace = Pace::Whole;
    let mut forged = None;
    if let Some(kind) = struck {
        forged = kind.fail(call.service, call.resource()).map(Err);
        match kind {
            FaultKind::Reset => {
                reset.store(true, Ordering::Relaxed);
                return Err(io::Error::other("reset on purpose"));
            }
            FaultKind::Hang => std::future::pending::<()>().await,
            FaultKind::SlowFirstByte(wait) => tokio::time::sleep(wait).await,
            FaultKind::SlowBody(wait) => pace = Pace::Slow(wait),
            FaultKind::Truncate => pace = Pace::Cut,
            FaultKind::RepeatToken => call.repeat_token = true,
            FaultKind::Html(status) => forged = Some(Ok(html(status))),
            FaultKind::MalformedXml => forged = Some(Ok(Reply::xml("<?xml version=\"1.0\"?>\n<Result><Broken attr".to_owned()))),
            FaultKind::Empty200 => forged = Some(Ok(Reply::xml(String::new()))),
            FaultKind::Deny
            | FaultKind::Throttle
            | FaultKind::SlowDown503
            | FaultKind::Internal500
            | FaultKind::Redirect301(_)
            | FaultKind::ExpiredToken
            | FaultKind::ClockSkew
            | FaultKind::NoSuchBucket => {}
        }
    }
    let answer = forged.unwrap_or_else(|| dispatch(&state, &call, &id));
    let reply = answer.unwrap_or_else(|fail| fail.render(call.service, &id));
    Ok(wire(reply, call.service, &id, call.head, pace))
}

fn html(status: u16) -> Reply {
    let body = "<html><head><title>Gateway</title></head><body><h1>Please sign in</h1></body></html>".to_owned();
    Reply { status, content_type: "text/html", headers: Vec::new(), body: body.into() }
}

fn dispatch(state: &State, call: &Call, id: &RequestId) -> Answer {
    let caller = state.caller(call)?;
    if state.account(&caller).kind == AccountKind::Provider && call.service != Service::S3 {
        return Err(Fail::new(501, "NotImplemented", "This store speaks S3 only."));
    }
    match call.service {
        Service::S3 => s3::answer(state, call, &caller),
        Service::S3Control => s3control::answer(state, call, &caller),
        Service::Iam => iam::answer(state, call, &caller, id),
        Service::Sts => sts::answer(state, call, &caller, id),
        Service::Other(_) => other::answer(state, call, &caller),
    }
}
