//! A session of one account: credentials, identity, and clients that cannot write.
//!
//! Every client is made here with the guard in it. It must never hand out a client without one.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_config::StalledStreamProtectionConfig;

use crate::aws::failure::Failure;
use crate::aws::guard::Guard;
use crate::aws::ledger::Ledger;
use crate::aws::limiter::{Limiter, Permit};
use crate::aws::services::Services;
use crate::estate::{Account, AccountKey};
use crate::fact::{Gap, Why};
use crate::resources::FactType;
use crate::resources::account::identity::Identity;

/// How to reach an account, when it is not what the policy says.
#[derive(Clone, Default)]
pub struct Connection {
    pub endpoint: Option<String>,
    pub profile: Option<String>,
    pub role_arn: Option<String>,
    /// Neither the policy's profile nor its role: the credentials of the environment.
    pub ambient: bool,
    /// Access key id and secret.
    pub credentials: Option<(String, String)>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("profile", &self.profile)
            .field("role_arn", &self.role_arn)
            .field("ambient", &self.ambient)
            .field("credentials", &self.credentials.as_ref().map(|_| "(hidden)"))
            .finish()
    }
}

/// What all sessions of a run share.
#[derive(Clone, Debug)]
pub struct Shared {
    pub ledger: Arc<Ledger>,
    pub limiter: Limiter,
    /// Time for one attempt, and for a call with its retries.
    pub attempt_timeout: Duration,
    pub call_timeout: Duration,
}

impl Shared {
    /// At most `most` calls in flight.
    pub fn new(most: usize) -> Self {
        Self {
            ledger: Arc::default(),
            limiter: Limiter::new(most),
            attempt_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_secs(120),
        }
    }
}

/// An account that can be read.
#[derive(Debug)]
pub struct Session {
    pub key: AccountKey,
    /// The Region to begin with.
    pub region: String,
    /// Who the credentials are; `None` off AWS.
    pub identity: Option<Identity>,
    shared: Shared,
    base: SdkConfig,
    endpoint: Option<String>,
    /// The endpoint, when the policy or the command line names it.
    named: Option<String>,
    health: Mutex<Health>,
    s3: Mutex<HashMap<String, aws_sdk_s3::Client>>,
    iam: aws_sdk_iam::Client,
    control: Mutex<HashMap<String, aws_sdk_s3control::Client>>,
    pub(super) services: Services,
}

impl Session {
    /// Enters an account: finds credentials, assumes the role, asks STS who they are and compares with the pinned id.
    pub async fn open(key: &AccountKey, account: &Account, connection: &Connection, shared: &Shared) -> Result<Self, Gap> {
        let lends = connection.credentials.is_some() || connection.profile.is_some() || connection.ambient;
        if !account.is_aws() && account.profile.is_none() && !lends {
            let detail = format!(
                "account {key} is not run by AWS and names no profile; the credentials of the environment are not shown to other \
                 providers unless --account {key}=ambient says so"
            );
            return Err(Gap::new(Why::Credentials, "enter account").with_detail(detail));
        }
        let base = base(account, connection, shared).await;
        let region = base.region().map_or_else(|| "us-east-1".to_owned(), |region| region.to_string());
        let guard = guard(key, &region, shared);
        // An endpoint that the policy or the command line names must win over AWS_ENDPOINT_URL_S3 and its kin.
        let named = connection.endpoint.clone().or_else(|| account.endpoint.clone());
        let endpoint = named.clone().or_else(|| base.endpoint_url().map(str::to_owned));
        let role = if connection.ambient { None } else { connection.role_arn.clone().or_else(|| account.role_arn.clone()) };
        let base = match role {
            None => base,
            Some(arn) => {
                let sts = sts(&base, &named, &guard);
                let provider = AssumedRole { sts, arn, external_id: account.external_id.clone() };
                base.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
            }
        };
        let identity = if account.is_aws() { Some(identify(key, account, sts(&base, &named, &guard)).await?) } else { None };
        let mut iam = aws_sdk_iam::config::Builder::from(&base).interceptor(guard);
        if named.is_some() {
            iam.set_endpoint_url(named.clone());
        }
        let iam = aws_sdk_iam::Client::from_conf(iam.build());
        Ok(Self {
            key: key.clone(),
            region,
            identity,
            shared: shared.clone(),
            base,
            endpoint,
            named,
            health: Mutex::default(),
            s3: Mutex::default(),
            iam,
            control: Mutex::default(),
            services: Services::default(),
        })
    }

    /// The S3 client of a Region.
    pub fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        let mut clients = self.s3.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(region.to_owned())
            .or_insert_with(|| {
                let custom = self.endpoint.is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
                let mut config = aws_sdk_s3::config::Builder::from(&self.base)
                    .region(Region::new(region.to_owned()))
                    .force_path_style(custom)
                    // Directory buckets would open sessions of their own, past the guard.
                    .disable_s3_express_session_auth(true)
                    .interceptor(guard(&self.key, region, &self.shared));
                if self.named.is_some() {
                    config.set_endpoint_url(self.named.clone());
                }
                aws_sdk_s3::Client::from_conf(config.build())
            })
            .clone()
    }

    /// The IAM client.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        self.iam.clone()
    }

    /// The S3 Control client of a Region.
    pub fn s3control(&self, region: &str) -> aws_sdk_s3control::Client {
        let mut clients = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let mut config = aws_sdk_s3control::config::Builder::from(&self.base)
                .region(Region::new(region.to_owned()))
                .interceptor(guard(&self.key, region, &self.shared));
            if let Some(url) = &self.endpoint {
                config = config.endpoint_resolver(AsGiven(url.clone()));
            }
            aws_sdk_s3control::Client::from_conf(config.build())
        };
        clients.entry(region.to_owned()).or_insert_with(make).clone()
    }

    /// What a client of a Region is made of: configuration, the endpoint if one is named, and the guard.
    pub(super) fn of_region(&self, region: &str) -> (&SdkConfig, Option<String>, Guard) {
        (&self.base, self.named.clone(), guard(&self.key, region, &self.shared))
    }

    /// The credentials are those of the root user, who is in no list of principals.
    pub fn is_root(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.arn.ends_with(":root"))
    }

    /// The account number, where known.
    pub fn account_id(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.account.as_str())
    }

    /// Why nothing at all could be read, when every call failed alike.
    pub fn never_answered(&self) -> Option<Failure> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.last.clone().filter(|_| !health.answered)
    }

    /// The failure of an endpoint that has never answered, once enough calls found it so: asking on would only take time.
    pub fn given_up(&self) -> Option<Failure> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.last.clone().filter(|_| !health.answered && health.silent >= GIVE_UP)
    }

    /// Notes whether the endpoint answered at all.
    pub fn heard<T>(&self, answer: &Result<T, Failure>) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(failure) if matches!(failure.why, Why::Unreachable | Why::TimedOut | Why::Credentials) => {
                health.silent += 1;
                health.last = Some(failure.clone());
            }
            Ok(_) | Err(_) => health.answered = true,
        }
    }

    /// Waits for room to send `service:Operation`.
    pub async fn room(&self, region: &str, call: &str) -> Permit {
        self.shared.limiter.acquire(&guard(&self.key, region, &self.shared).key(call)).await
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>; a bucket's ARN is made with it.
const PARTITIONS: [&str; 8] = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// So many silent calls, each with its retries, before an endpoint counts as gone.
const GIVE_UP: u32 = 3;

#[derive(Debug, Default)]
struct Health {
    answered: bool,
    silent: u32,
    last: Option<Failure>,
}

fn guard(key: &AccountKey, region: &str, shared: &Shared) -> Guard {
    Guard { account: key.0.clone(), region: region.into(), ledger: shared.ledger.clone(), limiter: shared.limiter.clone() }
}

async fn base(account: &Account, connection: &Connection, shared: &Shared) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(shared.attempt_timeout)
        .operation_timeout(shared.call_timeout)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(200)))
        .timeout_config(timeouts)
        // Answers are small, and the timeouts above cover a stalled one; the SDK's protection has known false positives.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(region) = &account.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let profile = connection.profile.as_ref().or(if connection.ambient { None } else { account.profile.as_ref() });
    if let Some(profile) = profile.filter(|_| connection.credentials.is_none()) {
        // A profile that somebody names is meant: keys in the environment must not win over it.
        let region = match &account.region {
            Some(region) => Some(Region::new(region.clone())),
            None => RegionProviderChain::default_provider().or_else("us-east-1").region().await,
        };
        let found = ProviderConfig::without_region().with_region(region);
        let credentials = ProfileFileCredentialsProvider::builder().configure(&found).profile_name(profile).build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    if let Some(endpoint) = connection.endpoint.as_ref().or(account.endpoint.as_ref()) {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some((id, secret)) = &connection.credentials {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "given"));
    }
    let base = loader.load().await;
    match base.region() {
        Some(_) => base,
        None => base.into_builder().region(Region::new("us-east-1")).build(),
    }
}

fn sts(base: &SdkConfig, endpoint: &Option<String>, guard: &Guard) -> aws_sdk_sts::Client {
    let mut config = aws_sdk_sts::config::Builder::from(base).interceptor(guard.clone());
    if endpoint.is_some() {
        config.set_endpoint_url(endpoint.clone());
    }
    aws_sdk_sts::Client::from_conf(config.build())
}

async fn identify(key: &AccountKey, account: &Account, sts: aws_sdk_sts::Client) -> Result<Identity, Gap> {
    let operation = Identity::SPEC.operation;
    let answer = match sts.get_caller_identity().send().await {
        Ok(answer) => answer,
        Err(error) => {
            let mut gap = not_assumed(&error).unwrap_or_else(|| Failure::of(&error).gap_of(operation, None));
            gap.detail = Some(match gap.detail {
                Some(detail) => format!("account {key} cannot be entered: {detail}"),
                None => format!("account {key} cannot be entered"),
            });
            return Err(gap);
        }
    };
    let (Some(number), Some(arn)) = (answer.account, answer.arn) else {
        return Err(Gap::new(Why::Malformed, operation).with_detail("the answer names no account"));
    };
    let partition = arn.split(':').nth(1).unwrap_or_default();
    if !PARTITIONS.contains(&partition) || arn.split(':').nth(4) != Some(&number) {
        let detail = format!("account {key} cannot be entered: the caller is `{arn}`, which is no ARN of account {number}");
        return Err(Gap::new(Why::Malformed, operation).with_detail(detail));
    }
    match &account.id {
        Some(pinned) if *pinned != number => {
            let detail = format!("the policy pins {key} to {pinned}, the credentials belong to {number}");
            Err(Gap::new(Why::WrongAccount, operation).with_detail(detail))
        }
        Some(_) | None => Ok(Identity { account: number, arn }),
    }
}

fn not_assumed(error: &(dyn std::error::Error + 'static)) -> Option<Gap> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(NotAssumed(gap)) = error.downcast_ref() {
            return Some(gap.clone());
        }
        next = error.source();
    }
    None
}

/// Assumes the audit role through a guarded client, so that the ledger counts it; renewed by the SDK before it expires.
#[derive(Debug)]
struct AssumedRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    external_id: Option<String>,
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let request = self
                .sts
                .assume_role()
                .role_arn(&self.arn)
                .role_session_name("lastcopy-audit")
                .set_external_id(self.external_id.clone());
            let answer = request.send().await.map_err(|error| {
                let gap = Failure::of(&error).gap_of("AssumeRole", Some("sts:AssumeRole"));
                CredentialsError::provider_error(NotAssumed(gap.with_detail(format!("role {}", self.arn))))
            })?;
            let got =
                answer.credentials.ok_or_else(|| CredentialsError::provider_error("AssumeRole answered without credentials"))?;
            let expiry = std::time::SystemTime::try_from(got.expiration).ok();
            Ok(Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), expiry, "assumed role"))
        })
    }
}

/// A role that could not be assumed.
#[derive(Debug)]
pub struct NotAssumed(pub Gap);

impl fmt::Display for NotAssumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NotAssumed {}

/// S3 Control puts the account number before the host name, which an endpoint given by hand does not have.
#[derive(Debug)]
struct AsGiven(String);

impl aws_sdk_s3control::config::endpoint::ResolveEndpoint for AsGiven {
    fn resolve_endpoint<'a>(
        &'a self,
        _: &'a aws_sdk_s3control::config::endpoint::Params,
    ) -> aws_sdk_s3control::config::endpoint::EndpointFuture<'a> {
        let endpoint = aws_smithy_types::endpoint::Endpoint::builder().url(self.0.clone()).build();
        aws_sdk_s3control::config::endpoint::EndpointFuture::ready(Ok(endpoint))
    }
}
