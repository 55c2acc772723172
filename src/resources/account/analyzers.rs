//! Who watches for access from outside: the analyzers of IAM Access Analyzer, in each Region of the account's buckets. One of
//! the organization shows only in the account that runs it.
//!
//! <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListAnalyzers.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The analyzers by Region, every Region that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Analyzers(pub BTreeMap<String, Vec<Analyzer>>);

/// One analyzer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Analyzer {
    pub name: String,
    pub finds: Finds,
    /// It looks at every account of the organization.
    pub organization: bool,
    pub status: Status,
}

/// What an analyzer looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finds {
    /// Resources that somebody outside can use.
    #[default]
    ExternalAccess,
    /// Permissions that nobody uses.
    UnusedAccess,
    /// Who inside can use a resource.
    InternalAccess,
}

/// Whether it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Active,
    #[default]
    Creating,
    Disabled,
    Failed,
}

impl FactType for Analyzers {
    const SPEC: FactId = &FactSpec {
        id: "account.analyzers",
        kind: Kind::Account,
        operation: "accessanalyzer:ListAnalyzers",
        also: &[],
        actions: &["access-analyzer:ListAnalyzers"],
        per: Per::Region,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for Analyzers {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "access-analyzer")]
        {
            from.in_regions(|region| of_region(from, region)).await.map(|found| Some(Self(found)))
        }
        #[cfg(not(feature = "access-analyzer"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("access-analyzer"))
        }
    }
}

#[cfg(feature = "access-analyzer")]
async fn of_region(from: &crate::aws::AccountReader, region: String) -> Result<Vec<Analyzer>, crate::aws::Failure> {
    let found = crate::aws::pages(|token| {
        let region = region.clone();
        async move {
            let ask = |analyzer: aws_sdk_accessanalyzer::Client| async move {
                analyzer.list_analyzers().set_next_token(token).send().await
            };
            let answer = from.access_analyzer(&region, Analyzers::SPEC.operation, ask).await?;
            Ok((answer.analyzers, answer.next_token))
        }
    })
    .await?;
    found.into_iter().map(analyzer).collect()
}

#[cfg(feature = "access-analyzer")]
fn analyzer(found: aws_sdk_accessanalyzer::types::AnalyzerSummary) -> Result<Analyzer, crate::aws::Failure> {
    use crate::aws::Failure;

    let (finds, organization) = match found.r#type.as_str() {
        "ACCOUNT" => (Finds::ExternalAccess, false),
        "ORGANIZATION" => (Finds::ExternalAccess, true),
        "ACCOUNT_UNUSED_ACCESS" => (Finds::UnusedAccess, false),
        "ORGANIZATION_UNUSED_ACCESS" => (Finds::UnusedAccess, true),
        "ACCOUNT_INTERNAL_ACCESS" => (Finds::InternalAccess, false),
        "ORGANIZATION_INTERNAL_ACCESS" => (Finds::InternalAccess, true),
        other => return Err(Failure::malformed(format!("analyzer {} has the type `{other}`", found.name))),
    };
    let status = match found.status.as_str() {
        "ACTIVE" => Status::Active,
        "CREATING" => Status::Creating,
        "DISABLED" => Status::Disabled,
        "FAILED" => Status::Failed,
        other => return Err(Failure::malformed(format!("analyzer {} has the status `{other}`", found.name))),
    };
    Ok(Analyzer { name: found.name, finds, organization, status })
}
