//! The groups of a real pool.

use aws_sdk_cognitoidentityprovider::operation::admin_add_user_to_group::{
    AdminAddUserToGroupError as ServiceError, AdminAddUserToGroupInput,
};
use shell::aws::Client;

use crate::{AddError, AddFailure, Groups, PoolUser};

/// The groups of whichever pool an event names.
#[derive(Clone, Debug)]
pub struct PoolGroups(Client);

impl PoolGroups {
    /// Behind a client. Makes no call.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Groups for PoolGroups {
    // Cognito says nothing when the user is in the group already.
    // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminAddUserToGroup.html
    async fn add(&self, user: PoolUser<'_>, group: &str) -> Result<(), AddError> {
        let call = AdminAddUserToGroupInput::builder().user_pool_id(user.pool_id).username(user.name).group_name(group);
        let Err(error) = self.0.send(call.build()).await else {
            return Ok(());
        };
        let reason = match error.as_service_error() {
            Some(ServiceError::ResourceNotFoundException(_)) => AddFailure::GroupMissing,
            Some(ServiceError::UserNotFoundException(_)) => AddFailure::UserMissing,
            _ => AddFailure::Unreachable,
        };
        Err(AddError::new(group, reason, error))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What the client makes of one answer of the service.
    async fn add(status: &str, body: &str) -> Result<(), AddError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let groups = PoolGroups::new(Client::local(&format!("http://{}", listener.local_addr().unwrap())));
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let serve = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 16 * 1024];
            let mut read = 0;
            while !String::from_utf8_lossy(&request[..read]).contains("\"GroupName\":\"users\"") {
                let more = connection.read(&mut request[read..]).await.unwrap();
                assert!(more > 0, "the request names the group");
                read += more;
            }
            connection.write_all(answer.as_bytes()).await.unwrap();
        };
        let call = groups.add(PoolUser { pool_id: "us-east-1_pool", name: "ann" }, "users");
        tokio::join!(call, serve).0
    }

    #[tokio::test]
    async fn the_service_s_answers_have_names() {
        let table = [
            ("200 OK", r"{}", None),
            (
                "400 Bad Request",
                r#"{"__type":"ResourceNotFoundException","message":"Group not found."}"#,
                Some("GroupMissing"),
            ),
            (
                "400 Bad Request",
                r#"{"__type":"UserNotFoundException","message":"User does not exist."}"#,
                Some("UserMissing"),
            ),
            ("400 Bad Request", r#"{"__type":"NotAuthorizedException","message":"no"}"#, Some("PoolUnreachable")),
            (
                "500 Internal Server Error",
                r#"{"__type":"InternalErrorException","message":"x"}"#,
                Some("PoolUnreachable"),
            ),
        ];
        for (status, body, expected) in table {
            let added = add(status, body).await;
            assert_eq!(added.as_ref().err().map(AddError::code), expected, "O05 {body}");
        }
    }
}
