//! A client that speaks raw HTTP/1.1, so that what arrives is seen as it is.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{OFFSITE_KEY, Options, PRODUCTION_KEY, Running, Server, World};

/// One answer, as it came.
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(super) fn element(&self, tag: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(text, _)| text)
    }

    pub(super) fn code(&self) -> (u16, &str) {
        (self.status, self.element("Code").unwrap_or("-"))
    }
}

/// A signer: access key, region, service, and a session token.
#[derive(Clone)]
pub(super) struct As<'a>(pub(super) &'a str, pub(super) &'a str, pub(super) &'a str, pub(super) Option<&'a str>);

pub(super) const S3: As<'static> = As(PRODUCTION_KEY.0, "eu-west-1", "s3", None);
pub(super) const IAM: As<'static> = As(PRODUCTION_KEY.0, "us-east-1", "iam", None);
pub(super) const STS: As<'static> = As(PRODUCTION_KEY.0, "eu-west-1", "sts", None);
pub(super) const OFFSITE: As<'static> = As(OFFSITE_KEY.0, "anywhere", "s3", None);

pub(super) async fn raw(running: &Running, request: String) -> io::Result<Seen> {
    let mut stream = TcpStream::connect(running.addr()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(ended.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
    };
    let status = head[9..12].parse().unwrap();
    Ok(Seen { status, head: head.to_owned(), body: body.to_owned() })
}

pub(super) async fn ask(
    running: &Running,
    signer: &As<'_>,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> io::Result<Seen> {
    let As(key, region, service, token) = signer;
    let token = token.map(|token| format!("x-amz-security-token: {token}\r\n")).unwrap_or_default();
    let length = body.len();
    raw(
        running,
        format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{token}{headers}authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}"
        ),
    )
    .await
}

pub(super) async fn get(running: &Running, target: &str) -> Seen {
    ask(running, &S3, "GET", target, "", "").await.unwrap()
}

pub(super) async fn query(running: &Running, signer: &As<'_>, form: &str) -> Seen {
    ask(running, signer, "POST", "/", "", form).await.unwrap()
}

pub(super) async fn start(world: World) -> Running {
    Server::start(world, Options::default()).await.unwrap()
}
