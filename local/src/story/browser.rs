//! The browser's part of a sign-in: it follows redirects, keeps cookies, and
//! fills in the provider's own forms as a person would.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, Url};

/// A browser with nothing in it.
#[derive(Debug)]
pub(super) struct Browser {
    http: Client,
    /// By host and port. Paths are not told apart: the pages here need it not.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// More redirects and forms than any sign-in has.
const LONGEST: usize = 20;

impl Browser {
    pub(super) fn new() -> Result<Self> {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, cookies: BTreeMap::new() })
    }

    /// Opens `start` and goes on as `login` until the app's own address is
    /// reached, which nobody serves; answers that address.
    pub(super) async fn sign_in(&mut self, start: Url, login: &str, app: &str) -> Result<Url> {
        let (mut url, mut form) = (start, None);
        for _ in 0..LONGEST {
            if url.as_str().starts_with(app) {
                return Ok(url);
            }
            let answer = self.send(&url, form.take()).await?;
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
            if let Some(to) = to {
                url = url.join(&to)?;
                continue;
            }
            let (status, page) = (answer.status(), answer.text().await?);
            let Some((action, prompt)) = form_of(&page) else {
                bail!("a page without a form: {status} {}", page.chars().take(200).collect::<String>());
            };
            url = url.join(&action)?;
            form = Some(query(&[("prompt", &prompt), ("login", login), ("password", "whatever")])?);
        }
        bail!("the sign-in does not come to an end")
    }

    async fn send(&mut self, url: &Url, form: Option<String>) -> Result<Response> {
        let site = format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or_default());
        let mut request = match form {
            Some(form) => {
                self.http.post(url.clone()).header("content-type", "application/x-www-form-urlencoded").body(form)
            }
            None => self.http.get(url.clone()),
        };
        let jar = self.cookies.entry(site).or_default();
        if !jar.is_empty() {
            let all: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        let answer = request.send().await?;
        for cookie in answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()) {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            match pair {
                Some((name, "")) => jar.remove(name),
                Some((name, value)) => jar.insert(name.to_owned(), value.to_owned()),
                None => None,
            };
        }
        Ok(answer)
    }
}

/// Where the page's form goes, and which prompt it answers.
fn form_of(page: &str) -> Option<(String, String)> {
    let (_, form) = page.split_once("<form")?;
    let action = between(form, "action=\"", "\"")?.replace("&amp;", "&");
    let prompt = between(form, "name=\"prompt\" value=\"", "\"")?;
    Some((action, prompt.to_owned()))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

/// Pairs as a form or a query has them.
pub(super) fn query(pairs: &[(&str, &str)]) -> Result<String> {
    let mut url = Url::parse("http://localhost")?;
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().map(str::to_owned).context("no pairs")
}

/// One member of an address' query.
pub(super) fn member(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_page_is_found() {
        let login = r#"<p><form autocomplete="off" action="/a?b=1&amp;c=2" method="post">
            <input type="hidden" name="prompt" value="login"/></form>"#;
        assert_eq!(form_of(login), Some(("/a?b=1&c=2".to_owned(), "login".to_owned())));
        assert_eq!(form_of("<p>error</p>"), None);
        assert_eq!(form_of(r#"<form action="/a">"#), None);
    }

    #[test]
    fn pairs_are_written_and_read_whatever_they_hold() {
        let url = Url::parse(&format!("http://localhost/?{}", query(&[("a b", "1&2=ü"), ("c", "")]).unwrap())).unwrap();
        assert_eq!(member(&url, "a b").as_deref(), Some("1&2=ü"));
        assert_eq!(member(&url, "c").as_deref(), Some(""));
        assert_eq!(member(&url, "d"), None);
    }
}
