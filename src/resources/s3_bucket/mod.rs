//! An S3 bucket: its protections, each read by one call.

facts! {
    /// What is known of a bucket.
    S3Bucket S3BucketFacts read by BucketReader {
        region::Region,
        tags::Tags,
        versioning::Versioning,
        lifecycle::Lifecycle,
        object_lock::ObjectLock,
        replication::Replication,
        policy::BucketPolicy,
        public_access_block::PublicAccessBlock,
        encryption::Encryption,
        ownership::Ownership,
    }
}
