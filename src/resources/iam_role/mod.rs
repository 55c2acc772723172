//! An IAM role: who may assume it and what it may do.

facts! {
    /// What is known of an IAM role.
    IamRole IamRoleFacts {
        permissions::RolePermissions,
    }
}
