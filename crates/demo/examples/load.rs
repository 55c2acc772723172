//! How many requests per second the server answers: `cargo run --release -p lastcopy-demo --example load`.
//! One runtime serves and asks, over keep-alive connections, so the number is a lower bound.

use std::io::{self, Write, stdout};
use std::time::Instant;

use lastcopy_demo::{Options, PRODUCTION_KEY, Server, World};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const EACH: usize = 5_000;

#[tokio::main]
async fn main() -> io::Result<()> {
    let running = Server::start(World::many(10_000), Options::default()).await?;
    let begun = Instant::now();
    let asking: Vec<_> = (0..CONNECTIONS).map(|at| tokio::spawn(ask(running.addr(), at))).collect();
    for task in asking {
        task.await??;
    }
    let (requests, seconds) = (CONNECTIONS * EACH, begun.elapsed().as_secs_f64());
    writeln!(stdout(), "{requests} requests in {seconds:.2} s; seen: {:?}", running.calls())?;
    running.stop().await;
    Ok(())
}

async fn ask(addr: std::net::SocketAddr, at: usize) -> io::Result<()> {
    let stream = TcpStream::connect(addr).await?;
    let mut buffer = vec![0; 64 * 1024];
    let subs = ["versioning", "lifecycle", "policy", "publicAccessBlock", "tagging"];
    for (i, sub) in subs.iter().cycle().take(EACH).enumerate() {
        let bucket = (at * 311 + i / subs.len()) % 10_000;
        let request = format!(
            "GET /bucket-{bucket:05}?{sub} HTTP/1.1\r\nhost: x\r\nauthorization: AWS4-HMAC-SHA256 Credential={}/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            PRODUCTION_KEY.0
        );
        let mut sent = 0;
        while sent < request.len() {
            stream.writable().await?;
            sent += again(stream.try_write(&request.as_bytes()[sent..]))?;
        }
        let mut got = 0;
        while !complete(&buffer[..got]) {
            stream.readable().await?;
            got += again(stream.try_read(&mut buffer[got..]))?;
        }
    }
    Ok(())
}

fn again(done: io::Result<usize>) -> io::Result<usize> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        other => other,
    }
}

fn complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}
