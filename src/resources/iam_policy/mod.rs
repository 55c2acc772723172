//! A managed IAM policy; the name of the resource is its ARN.

facts! {
    /// What is known of a managed IAM policy.
    IamPolicy IamPolicyFacts {
        document::ManagedDocument,
    }
}
