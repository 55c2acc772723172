//! The services beyond S3, IAM and STS: one client for each Region, made when it is first asked.
//!
//! Each is behind a Cargo feature of its own. It must never make a client without the guard.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::region::Region;

use crate::aws::session::Session;
use crate::aws::{AccountReader, Failure};

/// Declares the services: feature, method, SDK crate.
macro_rules! services {
    ($($(#[$doc:meta])* $feature:literal $method:ident $sdk:ident),* $(,)?) => {
        /// The clients of a session, by Region.
        #[derive(Debug, Default)]
        pub(super) struct Services {
            $(#[cfg(feature = $feature)] $method: Mutex<HashMap<String, $sdk::Client>>,)*
        }

        impl Session {
            $($(#[$doc])*
            #[cfg(feature = $feature)]
            pub fn $method(&self, region: &str) -> $sdk::Client {
                let mut clients = self.services.$method.lock().unwrap_or_else(PoisonError::into_inner);
                let make = || {
                    let (base, named, guard) = self.of_region(region);
                    let mut config =
                        $sdk::config::Builder::from(base).region(Region::new(region.to_owned())).interceptor(guard);
                    if named.is_some() {
                        config.set_endpoint_url(named);
                    }
                    $sdk::Client::from_conf(config.build())
                };
                clients.entry(region.to_owned()).or_insert_with(make).clone()
            })*
        }

        impl AccountReader {
            $($(#[$doc])*
            ///
            /// Sends one request in a Region; `call` is named as in `kms:DescribeKey`.
            #[cfg(feature = $feature)]
            pub async fn $method<F, Fut, O, E>(&self, region: &str, call: &str, send: F) -> Result<O, Failure>
            where
                F: FnOnce($sdk::Client) -> Fut,
                Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
                E: ProvideErrorMetadata + std::error::Error + 'static,
            {
                let _room = self.session.room(region, call).await;
                send(self.session.$method(region)).await.map_err(|error| Failure::of(&error))
            })*
        }
    };
}

services! {
    /// AWS Account Management.
    "account" account aws_sdk_account,
    /// IAM Access Analyzer.
    "access-analyzer" access_analyzer aws_sdk_accessanalyzer,
    /// AWS Backup.
    "backup" backup aws_sdk_backup,
    /// AWS CloudTrail.
    "cloudtrail" cloudtrail aws_sdk_cloudtrail,
    /// Amazon CloudWatch.
    "cloudwatch" cloudwatch aws_sdk_cloudwatch,
    /// AWS Key Management Service.
    "kms" kms aws_sdk_kms,
    /// AWS Organizations.
    "organizations" organizations aws_sdk_organizations,
}

impl AccountReader {
    /// Asks in each Region of the account's buckets. One Region that cannot be read leaves the whole unread.
    pub async fn in_regions<T, Fut>(&self, ask: impl Fn(String) -> Fut) -> Result<BTreeMap<String, T>, Failure>
    where
        Fut: Future<Output = Result<T, Failure>>,
    {
        let asked = self.regions.iter().map(|region| {
            let answer = ask(region.clone());
            async move {
                answer.await.map(|found| (region.clone(), found)).map_err(|mut failure| {
                    failure.detail = Some(match failure.detail {
                        Some(detail) => format!("in {region}: {detail}"),
                        None => format!("in {region}"),
                    });
                    failure
                })
            }
        });
        futures_util::future::try_join_all(asked).await.map(|found| found.into_iter().collect())
    }
}
