//! The operations that functions call, by the types that the SDKs have for them.

use std::error::Error;
use std::fmt::Debug;
use std::sync::OnceLock;

use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{SharedRequestSerializer, SharedResponseDeserializer};
use aws_smithy_schema::protocol::{ServiceShapeName, SharedClientProtocol};
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer, Layer};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ProvideErrorKind;

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The identity pools of Amazon Cognito.
    CognitoIdentity,
    /// The user pools of Amazon Cognito.
    CognitoIdentityProvider,
    /// Amazon DynamoDB.
    DynamoDb,
    /// Amazon EventBridge.
    EventBridge,
    /// AWS Secrets Manager.
    SecretsManager,
    /// Amazon SQS.
    Sqs,
    /// AWS Security Token Service.
    Sts,
}

impl Service {
    /// All of them.
    pub(super) const ALL: [Self; 7] = [
        Self::CognitoIdentity,
        Self::CognitoIdentityProvider,
        Self::DynamoDb,
        Self::EventBridge,
        Self::SecretsManager,
        Self::Sqs,
        Self::Sts,
    ];

    /// The name that its calls are signed for, and that its address begins with.
    /// <https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html>
    pub(super) fn name(self) -> &'static str {
        self.names().0
    }

    /// The setting of its address.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
    pub(super) fn endpoint_key(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::CognitoIdentity => ("cognito-identity", "AWS_ENDPOINT_URL_COGNITO_IDENTITY"),
            Self::CognitoIdentityProvider => ("cognito-idp", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"),
            Self::DynamoDb => ("dynamodb", "AWS_ENDPOINT_URL_DYNAMODB"),
            Self::EventBridge => ("events", "AWS_ENDPOINT_URL_EVENTBRIDGE"),
            Self::SecretsManager => ("secretsmanager", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            Self::Sqs => ("sqs", "AWS_ENDPOINT_URL_SQS"),
            Self::Sts => ("sts", "AWS_ENDPOINT_URL_STS"),
        }
    }
}

/// What a call says: the input of one operation, which tells what may come back.
pub trait Operation: Debug + Send + Sync + 'static {
    /// The answer.
    type Output: Debug + Send + Sync + 'static;
    /// The service's own refusals.
    type Error: Error + ProvideErrorKind + ProvideErrorMetadata + Send + Sync + 'static;
    /// Who is called.
    const SERVICE: Service;
    /// Whether it is signed. What a client calls before it has credentials is not.
    const SIGNED: bool;

    /// The SDK's code that writes the input and reads the answer.
    fn codec() -> &'static Codec;
}

/// The SDK's code that writes one operation's input and reads its answer.
#[derive(Debug)]
pub struct Codec {
    operation: Option<FrozenLayer>,
    service: FrozenLayer,
}

impl Codec {
    fn new(operation: &dyn RuntimePlugin, service: Service) -> Self {
        Self { operation: operation.config(), service: service.protocol() }
    }

    pub(super) fn serializer(&self) -> Option<&SharedRequestSerializer> {
        self.operation.as_ref()?.load::<SharedRequestSerializer>()
    }

    pub(super) fn deserializer(&self) -> Option<&SharedResponseDeserializer> {
        self.operation.as_ref()?.load::<SharedResponseDeserializer>()
    }

    /// What both of them look things up in.
    pub(super) fn config(&self) -> ConfigBag {
        let mut config = ConfigBag::base();
        for layer in [Some(&self.service), self.operation.as_ref()].into_iter().flatten() {
            config.push_shared_layer(layer.clone());
        }
        config
    }
}

impl Service {
    /// What an SDK's own client would say of the service. Some SDKs carry the code
    /// for each operation; others are told here how JSON is written.
    fn protocol(self) -> FrozenLayer {
        let mut layer = Layer::new("service");
        let json = match self {
            Self::CognitoIdentity => Some(("AWSCognitoIdentityService", "com.amazonaws.cognitoidentity")),
            Self::CognitoIdentityProvider => {
                Some(("AWSCognitoIdentityProviderService", "com.amazonaws.cognitoidentityprovider"))
            }
            Self::DynamoDb | Self::EventBridge | Self::SecretsManager | Self::Sqs | Self::Sts => None,
        };
        if let Some((name, namespace)) = json {
            layer.store_put(ServiceShapeName::new(name));
            let protocol = AwsJsonRpcProtocol::aws_json_1_1().with_default_namespace(namespace);
            layer.store_put(SharedClientProtocol::new(protocol));
        }
        layer.freeze()
    }
}

macro_rules! operations {
    ($signed:literal $service:ident $feature:literal $sdk:ident: $($module:ident $operation:ident $input:ident $output:ident $error:ident,)*) => {
        $(
            #[cfg(feature = $feature)]
            impl Operation for $sdk::operation::$module::$input {
                type Output = $sdk::operation::$module::$output;
                type Error = $sdk::operation::$module::$error;
                const SERVICE: Service = Service::$service;
                const SIGNED: bool = $signed;

                fn codec() -> &'static Codec {
                    static CODEC: OnceLock<Codec> = OnceLock::new();
                    CODEC.get_or_init(|| Codec::new(&$sdk::operation::$module::$operation::new(), Service::$service))
                }
            }
        )*
    };
}

operations! { true DynamoDb "dynamodb" aws_sdk_dynamodb:
    delete_item DeleteItem DeleteItemInput DeleteItemOutput DeleteItemError,
    get_item GetItem GetItemInput GetItemOutput GetItemError,
    put_item PutItem PutItemInput PutItemOutput PutItemError,
    query Query QueryInput QueryOutput QueryError,
    transact_write_items TransactWriteItems TransactWriteItemsInput TransactWriteItemsOutput TransactWriteItemsError,
    update_item UpdateItem UpdateItemInput UpdateItemOutput UpdateItemError,
}

operations! { true CognitoIdentityProvider "cognito-idp" aws_sdk_cognitoidentityprovider:
    admin_add_user_to_group AdminAddUserToGroup AdminAddUserToGroupInput AdminAddUserToGroupOutput AdminAddUserToGroupError,
    admin_create_user AdminCreateUser AdminCreateUserInput AdminCreateUserOutput AdminCreateUserError,
    admin_get_user AdminGetUser AdminGetUserInput AdminGetUserOutput AdminGetUserError,
    admin_initiate_auth AdminInitiateAuth AdminInitiateAuthInput AdminInitiateAuthOutput AdminInitiateAuthError,
    admin_link_provider_for_user AdminLinkProviderForUser AdminLinkProviderForUserInput AdminLinkProviderForUserOutput AdminLinkProviderForUserError,
    admin_list_groups_for_user AdminListGroupsForUser AdminListGroupsForUserInput AdminListGroupsForUserOutput AdminListGroupsForUserError,
    admin_set_user_password AdminSetUserPassword AdminSetUserPasswordInput AdminSetUserPasswordOutput AdminSetUserPasswordError,
    list_users ListUsers ListUsersInput ListUsersOutput ListUsersError,
}

operations! { true SecretsManager "secret" aws_sdk_secretsmanager:
    get_secret_value GetSecretValue GetSecretValueInput GetSecretValueOutput GetSecretValueError,
}

operations! { true Sts "sts" aws_sdk_sts:
    assume_role AssumeRole AssumeRoleInput AssumeRoleOutput AssumeRoleError,
}

operations! { true EventBridge "events" aws_sdk_eventbridge:
    put_events PutEvents PutEventsInput PutEventsOutput PutEventsError,
}

operations! { true Sqs "sqs" aws_sdk_sqs:
    send_message SendMessage SendMessageInput SendMessageOutput SendMessageError,
}

operations! { true CognitoIdentity "cognito-identity" aws_sdk_cognitoidentity:
    delete_identities DeleteIdentities DeleteIdentitiesInput DeleteIdentitiesOutput DeleteIdentitiesError,
}

// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html>,
// <https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html>:
// public, the login itself is the evidence.
operations! { false CognitoIdentity "cognito-identity" aws_sdk_cognitoidentity:
    get_credentials_for_identity GetCredentialsForIdentity GetCredentialsForIdentityInput GetCredentialsForIdentityOutput GetCredentialsForIdentityError,
    get_id GetId GetIdInput GetIdOutput GetIdError,
}
