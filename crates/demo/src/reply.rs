//! An answer before it is bytes, the error answers of each service, and the body type that can be slow or cut short.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Response;
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{HeaderName, HeaderValue};
use tokio::time::Sleep;

use crate::route::Service;
use crate::xml::Xml;

/// A finished answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// An error answer, rendered in the dialect of the service that was asked.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Elements besides `Code` and `Message`.
    pub(crate) details: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

pub(crate) type Answer = Result<Reply, Fail>;

impl Reply {
    pub(crate) fn xml(body: String) -> Self {
        Self { status: 200, content_type: "application/xml", headers: Vec::new(), body: body.into() }
    }

    /// What a service beyond S3, IAM and STS answers, in its protocol.
    pub(crate) fn of(service: Service, json: &str) -> Self {
        if service != Service::Other("cloudwatch") {
            return Self::json(json);
        }
        let headers = vec![("smithy-protocol", "rpc-v2-cbor".to_owned())];
        Self { status: 200, content_type: "application/cbor", headers, body: crate::cbor::of(json).into() }
    }

    fn json(body: &str) -> Self {
        Self { status: 200, content_type: "application/x-amz-json-1.1", headers: Vec::new(), body: body.to_owned().into() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Fail {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn detail(mut self, name: &'static str, value: &str) -> Self {
        self.details.push((name, value.to_owned()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The bytes of this error: `<Error>` for S3, `<ErrorResponse>` for the others.
    pub(crate) fn render(mut self, service: Service, id: &RequestId) -> Reply {
        if let Service::Other(_) = service {
            self.headers.push(("x-amzn-errortype", self.code.to_owned()));
            let message = self.message.replace(['"', '\\'], "'");
            let body = format!("{{\"__type\":\"{}\",\"message\":\"{message}\"}}", self.code);
            let mut reply = Reply::of(service, &body);
            reply.headers.append(&mut self.headers);
            return Reply { status: self.status, ..reply };
        }
        let error = |x: &mut Xml| {
            if matches!(service, Service::Iam | Service::Sts) {
                x.leaf("Type", if self.status < 500 { "Sender" } else { "Receiver" });
            }
            x.leaf("Code", self.code);
            x.leaf("Message", &self.message);
            self.details.iter().for_each(|(name, value)| x.leaf(name, value));
        };
        let (content_type, body) = match service {
            Service::S3 => (
                "application/xml",
                Xml::document("Error", "", |x| {
                    error(x);
                    x.leaf("RequestId", &id.short());
                    x.leaf("HostId", &id.host());
                }),
            ),
            Service::S3Control => (
                "application/xml",
                Xml::document("ErrorResponse", "", |x| {
                    x.node("Error", error);
                    x.leaf("RequestId", &id.short());
                    x.leaf("HostId", &id.host());
                }),
            ),
            Service::Iam | Service::Sts | Service::Other(_) => (
                "text/xml",
                Xml::bare("ErrorResponse", service.namespace(), |x| {
                    x.node("Error", error);
                    x.leaf("RequestId", &id.long());
                }),
            ),
        };
        Reply { status: self.status, content_type, headers: self.headers, body: body.into() }
    }
}

/// Identifies one request in answers and errors; the same sequence in every run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestId(pub(crate) u64);

impl RequestId {
    /// `x-amz-request-id`.
    pub(crate) fn short(self) -> String {
        format!("{:016X}", mix(self.0))
    }

    /// `x-amz-id-2`.
    pub(crate) fn host(self) -> String {
        format!("{:016x}{:016x}{:016x}{:016x}=", mix(self.0 ^ 1), mix(self.0 ^ 2), mix(self.0 ^ 3), mix(self.0 ^ 4))
    }

    /// `x-amzn-RequestId`, in the form of a UUID.
    pub(crate) fn long(self) -> String {
        let (a, b) = (mix(self.0), mix(self.0 ^ 5));
        format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff)
    }
}

/// A well spread 64-bit hash of a number (the finalizer of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of bytes (FNV-1a), the same in every run.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How the bytes of a body arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Whole,
    /// Half of it, a wait, then the rest.
    Slow(Duration),
    /// Half of it, then the connection closes.
    Cut,
}

/// A body that may stall or break off.
pub(crate) struct Payload {
    first: Option<Bytes>,
    wait: Option<Pin<Box<Sleep>>>,
    rest: Option<Bytes>,
    cut: bool,
}

impl Payload {
    fn new(body: Bytes, pace: Pace) -> Self {
        let mut first = body;
        match pace {
            Pace::Whole => Self { first: Some(first), wait: None, rest: None, cut: false },
            Pace::Slow(wait) => {
                let rest = first.split_off(first.len() / 2);
                Self { first: Some(first), wait: Some(Box::pin(tokio::time::sleep(wait))), rest: Some(rest), cut: false }
            }
            Pace::Cut => {
                first.truncate(first.len() / 2);
                // The pause lets what there is leave the machine before the connection breaks.
                let wait = Some(Box::pin(tokio::time::sleep(Duration::from_millis(2))));
                Self { first: Some(first), wait, rest: None, cut: true }
            }
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Some(wait) = &mut self.wait {
            std::task::ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        if let Some(rest) = self.rest.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        if self.cut {
            return Poll::Ready(Some(Err(io::Error::other("cut short on purpose"))));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        let empty = |bytes: &Option<Bytes>| bytes.as_ref().is_none_or(Bytes::is_empty);
        empty(&self.first) && empty(&self.rest) && self.wait.is_none() && !self.cut
    }
}

/// The answer on the wire. A HEAD answer has no body and no content type.
pub(crate) fn wire(reply: Reply, service: Service, id: &RequestId, head: bool, pace: Pace) -> Response<Payload> {
    let (body, pace) = if head { (Bytes::new(), Pace::Whole) } else { (reply.body, pace) };
    let promised = if pace == Pace::Cut { body.len().max(2) } else { body.len() };
    let mut response = Response::new(Payload::new(body, pace));
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if !head {
        set("content-type", reply.content_type);
        set("content-length", &promised.to_string());
    }
    match service {
        Service::S3 | Service::S3Control => {
            set("x-amz-request-id", &id.short());
            set("x-amz-id-2", &id.host());
            set("server", "AmazonS3");
        }
        Service::Iam | Service::Sts | Service::Other(_) => set("x-amzn-requestid", &id.long()),
    }
    reply.headers.iter().for_each(|(name, value)| set(name, value));
    response
}
