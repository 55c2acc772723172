//! The inventory configurations of a bucket: lists of its objects that S3 writes regularly. Absent: there are none.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketInventoryConfigurations.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All configurations, the disabled ones too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Inventory {
    pub configs: Vec<Config>,
}

/// One configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Config {
    pub id: String,
    pub enabled: bool,
    /// All versions are listed, not only the current ones.
    pub all_versions: bool,
    pub frequency: Frequency,
    /// `CSV`, `ORC` or `Parquet`.
    pub format: String,
    /// The name of the bucket that the lists are written to.
    pub bucket: String,
    /// The account of that bucket, when the configuration names it.
    pub account: Option<String>,
    /// What the keys of the lists begin with.
    pub to_prefix: String,
    /// Columns besides bucket, key and version: `Size`, `ReplicationStatus` and the like.
    pub fields: Vec<String>,
    /// Only keys that begin so are listed.
    pub prefix: String,
}

/// How often a list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    Daily,
    #[default]
    Weekly,
}

impl Frequency {
    /// In days.
    pub fn days(self) -> u64 {
        match self {
            Self::Daily => 1,
            Self::Weekly => 7,
        }
    }

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }
}

impl FactType for Inventory {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.inventory",
        kind: Kind::S3Bucket,
        operation: "ListBucketInventoryConfigurations",
        also: &[],
        actions: &["s3:GetInventoryConfiguration"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Inventory {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let found = crate::aws::pages(|token| async move {
            let page = from
                .ask(|s3, of| {
                    let token = token.clone();
                    async move {
                        s3.list_bucket_inventory_configurations()
                            .bucket(of.name)
                            .set_expected_bucket_owner(of.owner)
                            .set_continuation_token(token)
                            .send()
                            .await
                    }
                })
                .await?;
            let next = crate::aws::pages::next(page.is_truncated, page.next_continuation_token)?;
            Ok((page.inventory_configuration_list.unwrap_or_default(), next))
        })
        .await?;
        let configs: Vec<Config> = found.into_iter().map(config).collect::<Result<_, _>>()?;
        Ok(Some(Self { configs }).filter(|found| !found.configs.is_empty()))
    }
}

#[cfg(feature = "aws")]
fn config(found: aws_sdk_s3::types::InventoryConfiguration) -> Result<Config, crate::aws::Failure> {
    use aws_sdk_s3::types::InventoryFrequency;

    use crate::aws::Failure;
    let bad = |what: &str| Failure::malformed(format!("inventory configuration {}: {what}", found.id));
    let all_versions = match found.included_object_versions.as_str() {
        "All" => true,
        "Current" => false,
        other => return Err(bad(&format!("unknown versions `{other}`"))),
    };
    let frequency = match found.schedule.as_ref().map(|schedule| &schedule.frequency) {
        Some(InventoryFrequency::Daily) => Frequency::Daily,
        Some(InventoryFrequency::Weekly) => Frequency::Weekly,
        Some(other) => return Err(bad(&format!("unknown frequency `{other}`"))),
        None => return Err(bad("no schedule")),
    };
    let Some(to) = found.destination.as_ref().and_then(|to| to.s3_bucket_destination.as_ref()) else {
        return Err(bad("no destination"));
    };
    let format = match to.format.as_str() {
        known @ ("CSV" | "ORC" | "Parquet") => known.to_owned(),
        other => return Err(bad(&format!("unknown format `{other}`"))),
    };
    if to.bucket.is_empty() {
        return Err(bad("a destination without a name"));
    }
    Ok(Config {
        id: found.id.clone(),
        enabled: found.is_enabled,
        all_versions,
        frequency,
        format,
        bucket: super::replication::bucket_of(&to.bucket),
        account: to.account_id.clone(),
        to_prefix: to.prefix.clone().unwrap_or_default(),
        fields: found.optional_fields.iter().flatten().map(|field| field.as_str().to_owned()).collect(),
        prefix: found.filter.as_ref().map(|filter| filter.prefix.clone()).unwrap_or_default(),
    })
}
