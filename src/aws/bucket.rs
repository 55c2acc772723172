//! What a reader of a bucket's fact calls: finds the bucket's Region once, sends the expected owner with
//! every call whose answer is used.
//!
//! It must never read a bucket of another account as if it were ours.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::account::AccountReader;
use crate::aws::failure::Failure;
use crate::aws::session::Session;
use crate::fact::{FactId, Why};

/// One bucket, shared by the readers of its facts.
#[derive(Debug)]
pub struct Bucket {
    pub session: Arc<Session>,
    pub name: String,
    /// It came from a listing, so it exists and is ours.
    pub listed: bool,
    region: Mutex<Option<String>>,
    /// The first call of a bucket whose Region is not known goes alone, so that at most one is redirected.
    first: tokio::sync::Mutex<()>,
    foreign: AtomicBool,
    missing: AtomicBool,
    answered: AtomicBool,
}

/// What every request of a bucket carries.
#[derive(Clone, Debug)]
pub struct Of {
    pub name: String,
    /// The account that must own the bucket.
    pub owner: Option<String>,
}

/// Reads one fact of one bucket.
#[derive(Clone, Debug)]
pub struct BucketReader {
    pub bucket: Arc<Bucket>,
    call: String,
}

impl Bucket {
    /// A bucket, with its Region when a listing told it.
    pub fn new(session: Arc<Session>, name: &str, region: Option<String>, listed: bool) -> Self {
        Self {
            session,
            name: name.to_owned(),
            listed,
            region: Mutex::new(region),
            first: tokio::sync::Mutex::default(),
            foreign: AtomicBool::default(),
            missing: AtomicBool::default(),
            answered: AtomicBool::default(),
        }
    }

    /// The Region, once known.
    pub fn region(&self) -> Option<String> {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It belongs to another account.
    pub fn is_foreign(&self) -> bool {
        self.foreign.load(Ordering::Relaxed)
    }

    /// The provider said that it does not exist.
    pub fn is_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// At least one call was answered as the bucket's owner is.
    pub fn is_known(&self) -> bool {
        self.listed || self.answered.load(Ordering::Relaxed)
    }

    fn found_region(&self, region: &str) {
        *self.region.lock().unwrap_or_else(PoisonError::into_inner) = Some(region.to_owned());
    }
}

impl BucketReader {
    /// A reader of one fact.
    pub fn new(bucket: Arc<Bucket>, spec: FactId) -> Self {
        Self { bucket, call: crate::collect::plan::call_of(spec, spec.operation) }
    }

    /// Sends one request, in the bucket's Region, as the owner that we expect.
    pub async fn ask<F, Fut, O, E>(&self, send: F) -> Result<O, Failure>
    where
        F: Fn(aws_sdk_s3::Client, Of) -> Fut,
        Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let bucket = &*self.bucket;
        let owner = bucket.session.account_id().map(str::to_owned);
        let answer = if bucket.region().is_some() {
            self.in_region(&send, owner.clone()).await
        } else {
            let alone = bucket.first.lock().await;
            let known = bucket.region().is_some();
            if known {
                drop(alone);
            }
            self.in_region(&send, owner.clone()).await
        };
        match &answer {
            Err(failure) if failure.is_no_such_bucket() => bucket.missing.store(true, Ordering::Relaxed),
            // The owner header and a missing permission are refused alike: only asking without the header tells them apart.
            Err(failure) if failure.why == Why::Denied && owner.is_some() && !bucket.listed => {
                let without = self.in_region(&send, None).await;
                let answered = match &without {
                    Ok(_) => true,
                    Err(failure) => absent_code(failure),
                };
                if answered {
                    bucket.foreign.store(true, Ordering::Relaxed);
                }
            }
            Ok(_) => bucket.answered.store(true, Ordering::Relaxed),
            Err(failure) if absent_code(failure) => bucket.answered.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
        answer
    }

    /// The Region of the bucket, and a reader of its account, for calls to other services about it. S3 is asked first where the
    /// bucket lies and whether it is ours, if that is not known: other services answer an empty list where it is not.
    pub async fn place(&self) -> Result<(String, AccountReader), Failure> {
        let (bucket, session) = (&*self.bucket, &self.bucket.session);
        if !bucket.is_known() || bucket.region().is_none() {
            let asking = Self { call: "s3:GetPublicAccessBlock".to_owned(), ..self.clone() };
            let answer = asking.ask(|s3, of| async move {
                s3.get_public_access_block().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            });
            if let Err(failure) = answer.await
                && !absent_code(&failure)
            {
                return Err(failure);
            }
        }
        let Some(region) = bucket.region() else { return Err(Failure::malformed("the Region of the bucket is not known")) };
        Ok((region, AccountReader::of(session.clone())))
    }

    /// Sends one request about the bucket to S3 Control, in the bucket's Region, as its account.
    pub async fn control<F, Fut, O, E>(&self, call: &str, send: F) -> Result<O, Failure>
    where
        F: FnOnce(aws_sdk_s3control::Client, Of) -> Fut,
        Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (region, _) = self.place().await?;
        let session = &self.bucket.session;
        let Some(owner) = session.account_id() else { return Err(Failure::malformed("the account of the bucket is not known")) };
        let of = Of { name: self.bucket.name.clone(), owner: Some(owner.to_owned()) };
        let _room = session.room(&region, call).await;
        send(session.s3control(&region), of).await.map_err(|error| Failure::of(&error))
    }

    async fn in_region<F, Fut, O, E>(&self, send: &F, owner: Option<String>) -> Result<O, Failure>
    where
        F: Fn(aws_sdk_s3::Client, Of) -> Fut,
        Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let bucket = &*self.bucket;
        let of = Of { name: bucket.name.clone(), owner };
        let guess = bucket.region().unwrap_or_else(|| bucket.session.region.clone());
        let failure = match self.once(send, &guess, of.clone()).await {
            Ok(answer) => {
                bucket.found_region(&guess);
                return Ok(answer);
            }
            Err(failure) => failure,
        };
        match &failure.region {
            Some(region) if *region != guess => {
                bucket.found_region(region);
                self.once(send, region, of).await
            }
            Some(_) | None => {
                if absent_code(&failure) {
                    bucket.found_region(&guess);
                }
                Err(failure)
            }
        }
    }

    async fn once<F, Fut, O, E>(&self, send: &F, region: &str, of: Of) -> Result<O, Failure>
    where
        F: Fn(aws_sdk_s3::Client, Of) -> Fut,
        Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let session = &self.bucket.session;
        let _room = session.room(region, &self.call).await;
        if let Some(failure) = session.given_up() {
            return Err(failure);
        }
        let answer = send(session.s3(region), of).await.map_err(|error| Failure::of(&error));
        session.heard(&answer);
        answer
    }
}

/// A code by which the bucket itself answered: its Region is right and it is ours to read.
fn absent_code(failure: &Failure) -> bool {
    let absent = |code: &str| (code.starts_with("NoSuch") && code != "NoSuchBucket") || code.ends_with("NotFoundError");
    failure.status == Some(404) && failure.code.as_deref().is_some_and(absent)
}
