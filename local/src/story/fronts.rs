//! The authorizer before APIs of one's own: REST, WebSocket, GraphQL.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::teller::Teller;
use super::token::Token;
use super::world::World;
use super::{Cast, Stage};

pub(super) async fn tell(teller: &mut Teller<'_>, world: &World<'_>, cast: &Cast, stage: &Stage<'_>) -> Result<()> {
    teller.chapter("An API of one's own: the authorizer before REST, WebSocket and GraphQL");
    teller.note("Deployed from examples/, each with its rule file, for the same user pool.");
    let (ann, alice) = (cast.ann.access()?, cast.alice.access()?);
    let tampered = ann.tampered("roles", json!(["admin"]))?;
    rest(teller, world, stage, [ann, alice, &tampered]).await?;
    web_socket(teller, stage, ann, &tampered).await?;
    graphql(teller, world, stage, ann, &tampered).await
}

async fn rest(teller: &mut Teller<'_>, world: &World<'_>, stage: &Stage<'_>, tokens: [&Token; 3]) -> Result<()> {
    let [ann, alice, tampered] = tokens;
    let rows = [
        ("Ann reads the notes", "GET", "/notes", Some(ann), "Ann's access token", 200),
        ("Ann may not delete one", "DELETE", "/notes/1", Some(ann), "Ann's access token", 403),
        ("Alice, an administrator, may", "DELETE", "/notes/1", Some(alice), "Alice's access token", 200),
        ("A REST API says 401 without a token", "GET", "/notes", None, "no token", 401),
        ("And to a token with another's signature", "GET", "/notes", Some(tampered), "roles admin, old signature", 401),
    ];
    for (text, method, path, token, shown, expected) in rows {
        let url = format!("{}/restapis/{}/prod/_user_request_{path}", stage.cloud, stage.examples.rest);
        let authorization = token.map(|token| format!("Bearer {}", token.as_str()));
        let (status, body) = world.call(method, &url, authorization.as_deref(), None, None).await?;
        let tenant = body.get("tenant").and_then(Value::as_str);
        let back = format!("{status}{}", tenant.map(|tenant| format!("  tenant {tenant}")).unwrap_or_default());
        let right = status == expected && (status != 200 || tenant == Some("acme"));
        teller.step(text, &format!("{method} {path}  {shown}"), &back, right);
    }
    Ok(())
}

async fn web_socket(teller: &mut Teller<'_>, stage: &Stage<'_>, ann: &Token, tampered: &Token) -> Result<()> {
    let path = format!("/_aws/execute-api/{}/prod", stage.examples.web_socket);
    let offered = |token: &Token| Some(format!("bearer, {}", token.as_str()));
    let query = format!("{path}?access_token={}", ann.as_str());
    let rows = [
        (
            "Ann connects, her token among the subprotocols",
            &path,
            offered(ann),
            "subprotocols bearer, Ann's access token",
            true,
        ),
        ("Nobody connects without a token", &path, None, "no subprotocols", false),
        (
            "Nor with another's signature",
            &path,
            offered(tampered),
            "subprotocols bearer, roles admin with the old signature",
            false,
        ),
        (
            "A token in the address is not seen: the rules name another place",
            &query,
            None,
            "?access_token=Ann's access token",
            false,
        ),
    ];
    for (text, path, protocols, shown, expected) in rows {
        let status = handshake(stage.cloud, path, protocols.as_deref()).await?;
        // The local AWS makes a 500 of the answer that is a 401 on AWS.
        let right = if expected { status == 101 } else { matches!(status, 401 | 500) };
        teller.step(text, &format!("GET wss://…/prod  {shown}"), &status.to_string(), right);
    }
    Ok(())
}

/// Asks for a WebSocket; answers the status, 101 for a connection.
/// <https://www.rfc-editor.org/rfc/rfc6455#section-4.1>
async fn handshake(cloud: &str, path: &str, protocols: Option<&str>) -> Result<u16> {
    let host = cloud.strip_prefix("http://").context("the local AWS speaks http")?;
    let mut stream = TcpStream::connect(host).await?;
    let offered = protocols.map(|offered| format!("Sec-WebSocket-Protocol: {offered}\r\n")).unwrap_or_default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offered}\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.context("no answer to a handshake")?;
    let text = String::from_utf8_lossy(&start);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")
}

async fn graphql(
    teller: &mut Teller<'_>,
    world: &World<'_>,
    stage: &Stage<'_>,
    ann: &Token,
    tampered: &Token,
) -> Result<()> {
    let host = format!("{}.appsync-api.us-east-1.amazonaws.com", stage.examples.graphql);
    let rows = [
        ("Ann asks for the notes of her tenant", "{ notes { text } }", ann, "Ann's access token", true),
        ("A field without a rule closes the request", "{ notes { text } secrets }", ann, "Ann's access token", false),
        ("Also under another name", "{ notes: secrets }", ann, "Ann's access token", false),
        ("Nobody asks with another's signature", "{ notes { text } }", tampered, "roles admin, old signature", false),
    ];
    for (text, document, token, shown, allowed) in rows {
        let url = format!("{}/graphql", stage.cloud);
        let body = json!({ "query": document });
        let (status, body) = world.call("POST", &url, Some(token.as_str()), Some(&host), Some(body)).await?;
        let note = body.pointer("/data/notes/0/text").and_then(Value::as_str);
        let back = format!("{status}{}", note.map(|note| format!("  {note}")).unwrap_or_default());
        let right = if allowed { note == Some("a note of acme") } else { status == 401 && note.is_none() };
        teller.step(text, &format!("{document}  {shown}"), &back, right);
    }
    teller.note("The local AWS does not apply deniedFields; events/authorizer/appsync has what AppSync is told.");
    Ok(())
}
