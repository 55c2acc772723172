//! An AWS account as a whole: who it is, its root user and the settings above its buckets.

facts! {
    /// What is known of an account.
    Account AccountFacts read by AccountReader {
        identity::Identity,
        summary::Summary,
        password_policy::PasswordPolicy,
        public_access_block::AccountPublicAccessBlock,
        root_credentials::RootCredentials,
        backup_vaults::BackupVaults,
        replication_metrics::ReplicationMetrics,
        organization::Organization,
        organization_policies::OrganizationPolicies,
        virtual_mfa::VirtualMfa,
        identity_providers::IdentityProviders,
        root_management::RootManagement,
        contacts::Contacts,
        analyzers::Analyzers,
        trails::Trails,
    }
}
