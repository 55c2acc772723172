//! The account's public access block, which holds for all of its buckets. Absent: nothing is blocked at account level.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::resources::{FactType, Printed};

/// The four settings, at account level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct AccountPublicAccessBlock(pub PublicAccessBlock);

impl FactType for AccountPublicAccessBlock {
    const SPEC: FactId = &FactSpec {
        id: "account.public-access-block",
        kind: Kind::Account,
        operation: "GetAccountPublicAccessBlock",
        also: &[],
        actions: &["s3:GetAccountPublicAccessBlock"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for AccountPublicAccessBlock {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        let id = from.account_id()?;
        let answer = from
            .s3control(|control| {
                let id = id.clone();
                async move { control.get_public_access_block().account_id(id).send().await }
            })
            .await;
        let Some(found) = crate::aws::absent_on(answer, Self::ABSENT)? else { return Ok(None) };
        let Some(found) = found.public_access_block_configuration else {
            return Err(crate::aws::Failure::malformed("no PublicAccessBlockConfiguration in the answer"));
        };
        Ok(Some(Self(PublicAccessBlock::answered(
            found.block_public_acls,
            found.ignore_public_acls,
            found.block_public_policy,
            found.restrict_public_buckets,
        ))))
    }
}

/// `aws s3control get-public-access-block`, which prints what the command for a bucket does.
impl Printed for AccountPublicAccessBlock {
    const OPERATION: &'static str = "GetPublicAccessBlock";
    const ABSENT: &'static [&'static str] = PublicAccessBlock::ABSENT;

    fn printed(answer: &[u8]) -> Result<Option<Self>, String> {
        Ok(PublicAccessBlock::printed(answer)?.map(Self))
    }
}
