//! An IAM user: its credentials, the policies that give it permissions, and which it uses.

facts! {
    /// What is known of an IAM user.
    IamUser IamUserFacts read by PrincipalReader {
        credentials::UserCredentials,
        permissions::UserPermissions,
        service_last_accessed::UserLastAccessed,
    }
}
