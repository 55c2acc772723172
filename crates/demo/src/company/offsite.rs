//! The off-site store: another provider, which speaks S3 and lacks the younger half of it.

use super::{OFFSITE_KEY, ago};
use crate::world::{Account, Bucket};

pub(super) fn account() -> Account {
    Account::provider("offsite")
        .access_key(OFFSITE_KEY)
        .bucket(Bucket::new("acme-documents-offsite").region("eu-north").created(&ago(420)).versioned())
}
