//! The multipart uploads of a bucket that were begun and not yet completed. Absent: there are none.
//!
//! No key is kept: the names of documents do not belong in a snapshot.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Uploads {
    /// So many were seen.
    pub count: u64,
    /// When the oldest of those seen was begun.
    #[schemars(with = "Option<String>")]
    pub oldest: Option<Timestamp>,
    /// There are more than were looked at; S3 lists them by key, so an older one may be among them.
    pub truncated: bool,
}

/// So many pages of a thousand are looked at.
#[cfg(feature = "aws")]
const MOST_PAGES: usize = 10;

impl FactType for Uploads {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.uploads",
        kind: Kind::S3Bucket,
        operation: "ListMultipartUploads",
        also: &[],
        actions: &["s3:ListBucketMultipartUploads"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Uploads {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

        use crate::aws::Failure;
        let (asked, truncated) = (&AtomicUsize::new(0), &AtomicBool::new(false));
        let begun: Vec<Timestamp> = crate::aws::pages(|token| async move {
            let (upload, key) = markers(token)?;
            let page = from
                .ask(|s3, of| {
                    let (upload, key) = (upload.clone(), key.clone());
                    async move {
                        s3.list_multipart_uploads()
                            .bucket(of.name)
                            .set_expected_bucket_owner(of.owner)
                            .max_uploads(1000)
                            // A key may hold what XML cannot.
                            .encoding_type(aws_sdk_s3::types::EncodingType::Url)
                            .set_upload_id_marker(upload)
                            .set_key_marker(key)
                            .send()
                            .await
                    }
                })
                .await?;
            let times = page.uploads.unwrap_or_default().into_iter().map(|upload| {
                let begun = upload.initiated.and_then(|at| Timestamp::new(at.secs(), 0).ok());
                begun.ok_or_else(|| Failure::malformed("an upload without the time when it was begun"))
            });
            let times = times.collect::<Result<Vec<_>, _>>()?;
            // The markers of the last page are answered too.
            let token = page.next_upload_id_marker.zip(page.next_key_marker).filter(|_| page.is_truncated != Some(false));
            let next = crate::aws::pages::next(page.is_truncated, token.map(|(upload, key)| format!("{upload}\n{key}")))?;
            if next.is_some() && asked.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_PAGES {
                truncated.store(true, Ordering::Relaxed);
                return Ok((times, None));
            }
            Ok((times, next))
        })
        .await?;
        let truncated = truncated.load(Ordering::Relaxed);
        let found = Self { count: begun.len() as u64, oldest: begun.into_iter().min(), truncated };
        Ok(Some(found).filter(|found| *found != Self::default()))
    }
}

/// Upload id and key of a token of ours. The key was answered URL-encoded.
#[cfg(feature = "aws")]
fn markers(token: Option<String>) -> Result<(Option<String>, Option<String>), crate::aws::Failure> {
    let Some(token) = token else { return Ok((None, None)) };
    let (upload, key) = token.split_once('\n').unwrap_or((&token, ""));
    let key = key.replace('+', " ");
    let key = percent_encoding::percent_decode_str(&key)
        .decode_utf8()
        .map_err(|_| crate::aws::Failure::malformed("the list goes on at a key that is not UTF-8"))?;
    Ok((Some(upload.to_owned()), Some(key.into_owned())))
}
