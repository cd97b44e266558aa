//! The directory table: profiles, memberships and invitations in DynamoDB.
