//! An IAM role: who may assume it, what it may do, and what it uses.

facts! {
    /// What is known of an IAM role.
    IamRole IamRoleFacts read by PrincipalReader {
        permissions::RolePermissions,
        service_last_accessed::RoleLastAccessed,
    }
}
