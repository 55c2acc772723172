//! The archive tiers of S3 Intelligent-Tiering that a bucket opted into: objects there must be restored before they can be
//! read. Absent: no configuration.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketIntelligentTieringConfigurations.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All configurations, the disabled ones too. They concern objects of the storage class `INTELLIGENT_TIERING` only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct IntelligentTiering {
    pub configs: Vec<Config>,
}

/// One configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Config {
    pub id: String,
    pub enabled: bool,
    /// Only keys that begin so.
    pub prefix: String,
    /// It selects by tags: it *may* apply to a key.
    pub narrowed: bool,
    pub tiers: Vec<Tiering>,
}

/// After so many days without access an object moves to this tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tiering {
    pub tier: Tier,
    pub days: u32,
}

/// The tiers that must be restored from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Restored within minutes or hours.
    #[default]
    ArchiveAccess,
    /// Restored within hours or two days.
    DeepArchiveAccess,
}

impl FactType for IntelligentTiering {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.intelligent-tiering",
        kind: Kind::S3Bucket,
        operation: "ListBucketIntelligentTieringConfigurations",
        also: &[],
        actions: &["s3:GetIntelligentTieringConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for IntelligentTiering {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let found = crate::aws::pages(|token| async move {
            let page = from
                .ask(|s3, of| {
                    let token = token.clone();
                    async move {
                        s3.list_bucket_intelligent_tiering_configurations()
                            .bucket(of.name)
                            .set_expected_bucket_owner(of.owner)
                            .set_continuation_token(token)
                            .send()
                            .await
                    }
                })
                .await?;
            let next = crate::aws::pages::next(page.is_truncated, page.next_continuation_token)?;
            Ok((page.intelligent_tiering_configuration_list.unwrap_or_default(), next))
        })
        .await?;
        let configs: Vec<Config> = found.into_iter().map(config).collect::<Result<_, _>>()?;
        Ok(Some(Self { configs }).filter(|found| !found.configs.is_empty()))
    }
}

#[cfg(feature = "aws")]
fn config(found: aws_sdk_s3::types::IntelligentTieringConfiguration) -> Result<Config, crate::aws::Failure> {
    use crate::aws::Failure;
    let id = found.id;
    let bad = |what: &str| Failure::malformed(format!("tiering configuration {id}: {what}"));
    let enabled = match found.status.as_str() {
        "Enabled" => true,
        "Disabled" => false,
        other => return Err(bad(&format!("unknown status `{other}`"))),
    };
    let (mut prefix, mut narrowed) = (None, false);
    if let Some(filter) = found.filter {
        narrowed = filter.tag.is_some();
        prefix = filter.prefix;
        if let Some(and) = filter.and {
            // An And that names nothing we know asks for something we do not.
            narrowed |= and.tags.is_some_and(|tags| !tags.is_empty()) || and.prefix.is_none();
            prefix = and.prefix.or(prefix);
        }
    }
    let tiering = |of: aws_sdk_s3::types::Tiering| {
        let tier = match of.access_tier.as_str() {
            "ARCHIVE_ACCESS" => Tier::ArchiveAccess,
            "DEEP_ARCHIVE_ACCESS" => Tier::DeepArchiveAccess,
            other => return Err(bad(&format!("unknown tier `{other}`"))),
        };
        match u32::try_from(of.days) {
            Ok(days @ 1..) => Ok(Tiering { tier, days }),
            Ok(0) | Err(_) => Err(bad(&format!("{} days", of.days))),
        }
    };
    let tiers = found.tierings.into_iter().map(tiering).collect::<Result<Vec<_>, _>>()?;
    if tiers.is_empty() {
        return Err(bad("no tiers"));
    }
    Ok(Config { enabled, prefix: prefix.unwrap_or_default(), narrowed, tiers, id })
}
