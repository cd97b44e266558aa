//! An API's authorizers and routes, all pages of both.
//!
//! HTTP and WebSocket APIs answer in one service, REST APIs in another; an id
//! tells nothing of its kind, so the second is asked where the first knows none.

use aws_config::SdkConfig;
use serde_json::Value;
use shared::inspection::{Documents, Look};

use super::recorder::Recorder;

/// The most resources that a page of a REST API may hold.
const RESOURCES_ON_A_PAGE: i32 = 500;

/// Looks at the API of this id.
pub(super) async fn look(config: &SdkConfig, id: &str, documents: &mut Documents) {
    documents.authorizers = authorizers(config, id).await;
    if documents.authorizers == Look::Missing {
        documents.rest_authorizers = rest_authorizers(config, id).await;
        documents.rest_resources = rest_resources(config, id).await;
        if documents.rest_authorizers != Look::Missing {
            documents.authorizers = Look::NotAsked;
        }
    } else {
        documents.routes = routes(config, id).await;
    }
}

async fn authorizers(config: &SdkConfig, id: &str) -> Look {
    let (client, recorder) = client(config);
    let mut pages = Pages::default();
    while pages.has_more() {
        let answer = client.get_authorizers().api_id(id).set_next_token(pages.token.clone()).send().await;
        pages.add(recorder.look("apigateway:GET (authorizers)", answer), "items", "nextToken");
    }
    pages.into_look()
}

async fn routes(config: &SdkConfig, id: &str) -> Look {
    let (client, recorder) = client(config);
    let mut pages = Pages::default();
    while pages.has_more() {
        let answer = client.get_routes().api_id(id).set_next_token(pages.token.clone()).send().await;
        pages.add(recorder.look("apigateway:GET (routes)", answer), "items", "nextToken");
    }
    pages.into_look()
}

async fn rest_authorizers(config: &SdkConfig, id: &str) -> Look {
    let (client, recorder) = rest_client(config);
    let mut pages = Pages::default();
    while pages.has_more() {
        let answer = client.get_authorizers().rest_api_id(id).set_position(pages.token.clone()).send().await;
        pages.add(recorder.look("apigateway:GET (authorizers)", answer), "item", "position");
    }
    pages.into_look()
}

async fn rest_resources(config: &SdkConfig, id: &str) -> Look {
    let (client, recorder) = rest_client(config);
    let mut pages = Pages::default();
    while pages.has_more() {
        let page = client.get_resources().rest_api_id(id).embed("methods").limit(RESOURCES_ON_A_PAGE);
        let answer = page.set_position(pages.token.clone()).send().await;
        pages.add(recorder.look("apigateway:GET (resources)", answer), "item", "position");
    }
    pages.into_look()
}

fn client(config: &SdkConfig) -> (aws_sdk_apigatewayv2::Client, Recorder) {
    let recorder = Recorder::default();
    let builder = aws_sdk_apigatewayv2::config::Builder::from(config).interceptor(recorder.clone());
    (aws_sdk_apigatewayv2::Client::from_conf(builder.build()), recorder)
}

fn rest_client(config: &SdkConfig) -> (aws_sdk_apigateway::Client, Recorder) {
    let recorder = Recorder::default();
    let builder = aws_sdk_apigateway::config::Builder::from(config).interceptor(recorder.clone());
    (aws_sdk_apigateway::Client::from_conf(builder.build()), recorder)
}

/// The items of a list that comes in pages.
#[derive(Default)]
struct Pages {
    items: Vec<Value>,
    token: Option<String>,
    asked: bool,
    failed: Option<Look>,
}

impl Pages {
    fn has_more(&self) -> bool {
        !self.asked || (self.failed.is_none() && self.token.is_some())
    }

    /// Adds a page, whose items and whose place of the next page have these names.
    fn add(&mut self, page: Look, items: &str, next: &str) {
        self.asked = true;
        match page {
            Look::Seen(page) => {
                self.items.extend(page.get(items).and_then(Value::as_array).cloned().unwrap_or_default());
                let next = page.get(next).and_then(Value::as_str).filter(|token| !token.is_empty());
                self.token = next.map(str::to_owned);
            }
            failed => self.failed = Some(failed),
        }
    }

    fn into_look(self) -> Look {
        self.failed.unwrap_or(Look::Seen(Value::Array(self.items)))
    }
}
