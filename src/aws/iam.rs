//! What readers of IAM facts share, and what a reader of one user or role calls.
//!
//! It must never take a report that AWS is still making for one that found nothing.

use std::time::Duration;

use jiff::Timestamp;

use crate::aws::{AccountReader, Failure};
use crate::fact::Why;
use crate::resources::iam_user::credentials::LastUsed;
use crate::resources::iam_user::service_last_accessed::{LastAccessed, SERVICES};

/// A time as AWS says it.
pub fn time(at: &aws_smithy_types::DateTime) -> Result<Timestamp, Failure> {
    Timestamp::from_second(at.secs()).map_err(|_| Failure::malformed(format!("{} s after 1970 is no date", at.secs())))
}

/// The marker of the next page, if what IAM says of it is of a piece.
pub fn next(is_truncated: bool, marker: Option<String>) -> Result<Option<String>, Failure> {
    let cut = |detail: &str| Err(Failure { detail: Some(detail.to_owned()), ..Failure::new(Why::Truncated) });
    match marker.filter(|marker| !marker.is_empty()) {
        None if is_truncated => cut("the list goes on, and the service does not say where"),
        Some(_) if !is_truncated => cut("the service names a next page of a list that it says is complete"),
        marker => Ok(marker),
    }
}

/// Reads one fact of one user or role.
#[derive(Clone, Debug)]
pub struct PrincipalReader {
    account: AccountReader,
    arn: Option<String>,
}

impl PrincipalReader {
    /// Of the principal with this ARN, if it is known.
    pub fn new(account: AccountReader, arn: Option<String>) -> Self {
        Self { account, arn: arn.filter(|arn| !arn.is_empty()) }
    }

    /// Asks AWS to find out which services the principal used, and waits for it, for at most a minute.
    pub async fn last_accessed(&self) -> Result<LastAccessed, Failure> {
        let Some(arn) = self.arn.clone() else {
            let detail = "the ARN of the principal is not known";
            return Err(Failure { detail: Some(detail.to_owned()), ..Failure::new(Why::NotCollected) });
        };
        const GENERATE: &str = "iam:GenerateServiceLastAccessedDetails";
        let generate = self.account.calling(GENERATE);
        let asked = generate.iam(|iam| async move { iam.generate_service_last_accessed_details().arn(arn).send().await }).await;
        let Some(job) = asked.map_err(|failure| failure.during(GENERATE))?.job_id.filter(|job| !job.is_empty()) else {
            return Err(Failure::malformed("no JobId in the answer").during(GENERATE));
        };
        let mut wait = Duration::from_millis(200);
        // 0.2 + 0.4 + … + 6.4 s, then eight seconds each: about a minute.
        for _ in 0..12 {
            let page = self.page(&job, None).await?;
            match page.job_status.as_str() {
                "IN_PROGRESS" => {}
                "COMPLETED" => return self.found(&job, page).await,
                "FAILED" => {
                    let detail = page.error.map(|error| error.code).unwrap_or_default();
                    return Err(Failure { detail: Some(format!("the job failed: {detail}")), ..Failure::new(Why::Failed) });
                }
                other => return Err(Failure::malformed(format!("the status of the job is `{other}`"))),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(8));
        }
        Err(Failure { detail: Some("AWS did not finish the report".to_owned()), ..Failure::new(Why::TimedOut) })
    }

    async fn page(&self, job: &str, marker: Option<String>) -> Result<Page, Failure> {
        let job = job.to_owned();
        let ask = |iam: aws_sdk_iam::Client| async move {
            iam.get_service_last_accessed_details().job_id(job).max_items(1000).set_marker(marker).send().await
        };
        self.account.iam(ask).await
    }

    /// What the pages of a finished job say, of which the first was read.
    async fn found(&self, job: &str, first: Page) -> Result<LastAccessed, Failure> {
        // The SDK fills in 1970 where AWS says nothing.
        if first.job_completion_date.secs() <= 0 {
            return Err(Failure::malformed("the job does not say when it was completed"));
        }
        let mut found = LastAccessed { generated: time(&first.job_completion_date)?, ..LastAccessed::default() };
        let mut first = Some(first);
        let services = crate::aws::pages(|token| {
            let read = first.take();
            async move {
                let page = match read {
                    Some(page) => page,
                    None => self.page(job, token).await?,
                };
                Ok((page.services_last_accessed, next(page.is_truncated, page.marker)?))
            }
        });
        for service in services.await? {
            let name = service.service_namespace;
            if !SERVICES.contains(&name.as_str()) {
                continue;
            }
            let used = match &service.last_authenticated {
                Some(at) => LastUsed::At(time(at)?),
                None => LastUsed::Never,
            };
            if found.services.insert(name.clone(), used).is_some() {
                return Err(Failure::malformed(format!("{name} is in the answer twice")));
            }
        }
        Ok(found)
    }
}

type Page = aws_sdk_iam::operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput;
