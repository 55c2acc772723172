//! An S3 bucket: its protections, and what else is known of it.

facts! {
    /// What is known of a bucket.
    S3Bucket S3BucketFacts read by BucketReader {
        region::Region,
        tags::Tags,
        versioning::Versioning,
        lifecycle::Lifecycle,
        object_lock::ObjectLock,
        lock_sample::LockSample,
        replication::Replication,
        policy::BucketPolicy,
        public_access_block::PublicAccessBlock,
        encryption::Encryption,
        ownership::Ownership,
        recovery_points::RecoveryPoints,
        policy_status::PolicyStatus,
        acl::Acl,
        logging::Logging,
        notification::Notification,
        inventory::Inventory,
        intelligent_tiering::IntelligentTiering,
        uploads::Uploads,
        access_points::AccessPoints,
    }
}
