//! Serves the company until the process is killed: `cargo run -p lastcopy-demo --example serve -- [PORT] [BUCKETS] [MS]`.
//! With BUCKETS it serves that many typical ones instead, and every answer takes MS milliseconds.

use std::io::{Write, stdout};
use std::time::Duration;

use lastcopy_demo::{Options, Server, World, company};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|port| port.parse().ok()).unwrap_or_default();
    let world = args.next().and_then(|n| n.parse().ok()).map_or_else(company, World::many);
    let latency = Duration::from_millis(args.next().and_then(|ms| ms.parse().ok()).unwrap_or_default());
    let running = Server::start(world, Options { port, latency }).await?;
    writeln!(stdout(), "{}", running.url())?;
    std::future::pending().await
}
