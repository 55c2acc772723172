//! The interceptor of every client that an audit uses: refuses writes before signing, counts requests, reports throttling.
//!
//! It must never let an operation pass that no fact reader lists.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::aws::failure::never_tell;
use crate::aws::ledger::{Ledger, service_key};
use crate::aws::limiter::{Key, Limiter};
use crate::aws::whole::{Cut, is_whole};
use crate::collect::plan::call_of;
use crate::resources::all_specs;

/// An operation that an audit must not send.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused before signing: {} is not an operation that an audit reads with", self.0)
    }
}

impl std::error::Error for Refused {}

/// Everything an audit may send: what facts are read with, and how an account is entered.
pub fn allowed() -> &'static BTreeSet<String> {
    static ALLOWED: OnceLock<BTreeSet<String>> = OnceLock::new();
    ALLOWED.get_or_init(|| {
        let facts = all_specs().flat_map(|spec| {
            std::iter::once(spec.operation).chain(spec.also.iter().copied()).map(move |operation| call_of(spec, operation))
        });
        facts.chain(["sts:AssumeRole".to_owned()]).collect()
    })
}

/// The interceptor, one for each account and Region.
#[derive(Clone, Debug)]
pub struct Guard {
    pub account: Arc<str>,
    pub region: Arc<str>,
    pub ledger: Arc<Ledger>,
    pub limiter: Limiter,
}

impl Guard {
    /// The limiter's key of an operation.
    pub fn key(&self, call: &str) -> Key {
        Key { account: self.account.clone(), region: self.region.clone(), operation: call.into() }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "read-only guard"
    }

    // Before execution the operation has no name yet; nothing is serialized or signed before this.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.load::<Metadata>().map(|m| format!("{}:{}", service_key(m.service()), m.name()));
        match call {
            Some(call) if allowed().contains(&call) => Ok(()),
            Some(call) => Err(Box::new(Refused(call))),
            None => Err(Box::new(Refused("an operation without a name".to_owned()))),
        }
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(token) = context.request().headers().get("x-amz-security-token") {
            never_tell(token);
        }
        if let Some(metadata) = config.load::<Metadata>() {
            self.ledger.note(metadata.service(), metadata.name());
        }
        Ok(())
    }

    // The body is read by now, and nothing has been made of it that could be returned.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // CBOR tells the length of everything in it: its own reader notices a missing end.
        let cbor = response.headers().get("content-type") == Some("application/cbor");
        let whole = !response.status().is_success() || cbor || is_whole(response.body().bytes().unwrap_or_default());
        if whole { Ok(()) } else { Err(Box::new(Cut)) }
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = config.load::<Metadata>() else { return Ok(()) };
        let key = self.key(&format!("{}:{}", service_key(metadata.service()), metadata.name()));
        let Some(response) = context.response() else { return Ok(()) };
        let status = response.status().as_u16();
        let body = response.body().bytes().unwrap_or_default();
        let says = |word: &str| body.windows(word.len()).any(|window| window == word.as_bytes());
        let throttled = status == 429
            || (status == 503 && (says("SlowDown") || says("Throttl") || says("RequestLimitExceeded")))
            || (status == 400 && (says("Throttl") || says("RequestLimitExceeded") || says("TooManyRequests")));
        if throttled {
            self.limiter.throttled(&key);
        } else if status < 500 {
            self.limiter.succeeded(&key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn nothing_that_is_allowed_writes() {
        for call in allowed() {
            let operation = call.split(':').nth(1).unwrap();
            let reads = ["Get", "List", "Head", "Describe"].iter().any(|verb| operation.starts_with(verb));
            // None changes anything that is kept: two reports that AWS makes for the caller, and a session.
            let exempt = ["GenerateCredentialReport", "GenerateServiceLastAccessedDetails", "AssumeRole"].contains(&operation);
            assert!(reads || exempt, "{call}");
        }
    }
}
