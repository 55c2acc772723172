//! What a reader of a KMS key's fact calls: KMS in the Region that the key's ARN names, by the account that it names.
//!
//! It must never take an answer about another key for one about this.

use std::sync::Arc;

use crate::aws::AccountReader;
use crate::aws::session::Session;
use crate::fact::FactId;
use crate::keys::KeyArn;

/// Reads one fact of one key.
#[derive(Clone, Debug)]
pub struct KeyReader {
    #[cfg_attr(not(feature = "kms"), expect(dead_code, reason = "nothing is asked without KMS"))]
    account: AccountReader,
    key: KeyArn,
}

impl KeyReader {
    /// A reader of one fact.
    pub fn new(session: Arc<Session>, spec: FactId, key: KeyArn) -> Self {
        Self { account: AccountReader::new(session, spec), key }
    }

    /// Whether a key's ARN can be what was asked for: the same ARN, or that of a key behind the alias.
    pub fn is_of_key(&self, arn: &str) -> bool {
        self.key.may_stand_for(arn)
    }

    /// Sends one request about the key; `send` gets the client and the ARN.
    #[cfg(feature = "kms")]
    pub async fn ask<F, Fut, O, E>(&self, call: &str, send: F) -> Result<O, crate::aws::Failure>
    where
        F: FnOnce(aws_sdk_kms::Client, String) -> Fut,
        Fut: Future<
            Output = Result<
                O,
                aws_smithy_runtime_api::client::result::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
            >,
        >,
        E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
    {
        let arn = self.key.text.clone();
        self.account.kms(&self.key.region, call, |kms| send(kms, arn)).await
    }
}
