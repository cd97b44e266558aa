//! Requests and answers as AWS services write them.
//!
//! Errors are shaped as each protocol has it:
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization>,
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.

#![expect(clippy::indexing_slicing, reason = "the ranges end where the head does")]

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::Fault;

/// The most that a signature's time may be away, in seconds.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>
const MOST_SKEW_S: u64 = 300;

/// A request's head.
pub(super) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    /// Such as `DynamoDB_20120810.Query`; empty for what is no call of AWS.
    pub(super) operation: String,
    pub(super) body_length: usize,
}

impl Request {
    pub(super) fn read(head: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(head)?;
        let mut lines = text.split("\r\n");
        let line = lines.next().context("no request line")?.to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let find = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let is_form = find("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
        let operation = find("x-amz-target").unwrap_or(if is_form { "AssumeRole" } else { "" }).to_owned();
        let body_length = find("content-length").map_or(Ok(0), str::parse)?;
        Ok(Self { line, headers, operation, body_length })
    }

    pub(super) fn is_of_the_database(&self) -> bool {
        self.operation.starts_with("DynamoDB")
    }

    fn is_query_protocol(&self) -> bool {
        self.operation == "AssumeRole"
    }

    /// The same for a server that is asked once.
    pub(super) fn head_for_upstream(&self) -> Vec<u8> {
        let mut head = format!("{}\r\nconnection: close\r\n", self.line);
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "connection") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// An answer.
#[derive(Clone, Default)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    length: Option<usize>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
        let head = std::str::from_utf8(&bytes[..end])?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
        let own = ["connection", "content-length", "transfer-encoding"];
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .collect();
        Ok(Self { status, headers, length: None, body: bytes[end + 4..].to_vec() })
    }

    fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned()), ("date".to_owned(), http_date())];
        Self { status, headers, length: None, body: body.into() }
    }

    /// The same under another length.
    pub(super) fn with_length(&self, length: usize) -> Self {
        Self { length: Some(length), status: self.status.max(200), ..self.clone() }
    }

    /// The same with this header in the place of the one it had.
    pub(super) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut answer = self.clone();
        answer.headers.retain(|(known, _)| known != name);
        answer.headers.push((name.to_owned(), value.to_owned()));
        answer
    }

    pub(super) fn head(&self) -> Vec<u8> {
        let length = self.length.unwrap_or(self.body.len());
        let mut head = format!("HTTP/1.1 {} -\r\ncontent-length: {length}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}

/// The answer of a fault that is one.
pub(super) fn refusal(fault: Fault, request: &Request) -> Option<Answer> {
    let pool = request.operation.starts_with("AWSCognitoIdentity");
    let (status, name) = match fault {
        Fault::Throttled if request.is_query_protocol() => (400, "Throttling"),
        Fault::Throttled => (400, "ThrottlingException"),
        Fault::OverCapacity if request.is_of_the_database() => (400, "ProvisionedThroughputExceededException"),
        Fault::OverCapacity if request.is_query_protocol() => (400, "RequestLimitExceeded"),
        Fault::OverCapacity => (400, "TooManyRequestsException"),
        Fault::Invalid if pool => (400, "NotAuthorizedException"),
        Fault::Invalid if request.is_query_protocol() => (400, "ValidationError"),
        Fault::Invalid => (400, "ValidationException"),
        Fault::Denied if request.is_query_protocol() => (403, "AccessDenied"),
        Fault::Denied => (400, "AccessDeniedException"),
        Fault::Failing if pool => (500, "InternalErrorException"),
        Fault::Failing if request.is_query_protocol() => (500, "InternalFailure"),
        Fault::Failing => (500, "InternalServerError"),
        Fault::Unavailable => {
            let body = "<html><body><h1>503 Service Unavailable</h1></body></html>";
            return Some(Answer::new(503, "text/html", body));
        }
        Fault::NotJson => {
            return Some(Answer::new(200, "text/html", "<html><body>Sign in to the network</body></html>"));
        }
        _ => return None,
    };
    Some(named(status, name, "it is a test", request))
}

/// The answer to a signature of another time.
pub(super) fn skewed(request: &Request, now: SystemTime) -> Option<Answer> {
    let signed = request.headers.iter().find(|(name, _)| name == "x-amz-date")?;
    let (signed, now) = (seconds(&signed.1)?, now.duration_since(UNIX_EPOCH).ok()?.as_secs());
    if signed.abs_diff(now) <= MOST_SKEW_S {
        return None;
    }
    let name = if request.is_query_protocol() { "SignatureDoesNotMatch" } else { "InvalidSignatureException" };
    let message = if signed < now { "Signature expired" } else { "Signature not yet current" };
    Some(named(if request.is_query_protocol() { 403 } else { 400 }, name, message, request))
}

fn named(status: u16, name: &str, message: &str, request: &Request) -> Answer {
    if request.is_query_protocol() {
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{name}</Code><Message>{message}</Message></Error>\
             <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>"
        );
        return Answer::new(status, "text/xml", body);
    }
    let (space, kind) = match request.operation.split_once('.').map_or("", |(service, _)| service) {
        service if service.starts_with("DynamoDB") && name.starts_with("Provisioned") => {
            ("com.amazonaws.dynamodb.v20120810#", "application/x-amz-json-1.0")
        }
        service if service.starts_with("DynamoDB") => ("com.amazon.coral.service#", "application/x-amz-json-1.0"),
        "AmazonSQS" => ("com.amazonaws.sqs#", "application/x-amz-json-1.0"),
        _ => ("", "application/x-amz-json-1.1"),
    };
    let body = json!({"__type": format!("{space}{name}"), "message": message}).to_string();
    Answer::new(status, kind, body).with_header("x-amzn-errortype", &format!("{name}:"))
}

/// The seconds since 1970 of a time such as `20261128T172227Z`.
fn seconds(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    // Years that begin in March: the leap day is their last.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some(days * 86_400 + number(8, 10)? * 3_600 + number(10, 12)? * 60 + number(12, 14)?)
}

/// Now, as the header `Date` has it; clients correct their clocks by it.
fn http_date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (now / 86_400, now % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let months = ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];
    // The inverse of `seconds`, <https://howardhinnant.github.io/date_algorithms.html>.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400 + u64::from(month >= 10);
    let name =
        |names: &[&'static str], index: u64| names.get(usize::try_from(index).unwrap_or(0)).copied().unwrap_or("");
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        name(&weekday, days % 7),
        name(&months, month),
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_aws_does() {
        for (text, expected) in [
            ("19700101T000000Z", Some(0)),
            ("20000229T235959Z", Some(951_868_799)),
            ("20261128T172227Z", Some(1_795_886_547)),
            ("2026", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        let written = http_date();
        assert!(written.ends_with(" GMT") && written.len() == 29, "{written}");
    }
}
