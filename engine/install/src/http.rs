//! One client for everything that is fetched: bounded answers, resumed downloads, secrets only for their host.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::ResponseExt as _;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::error::InstallError;
use crate::settings::Settings;

/// No list of versions or page is larger.
const MAX_ANSWER: u64 = 16 << 20;
/// A download may break off so often without any byte before it is given up.
const MAX_FRUITLESS: u32 = 4;

/// An answer whose body is in memory.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where it came from in the end.
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Result<serde_json::Value, InstallError> {
        serde_json::from_slice(&self.body).map_err(|error| InstallError::Answer {
            url: shown(&self.url),
            expected: "JSON".to_owned(),
            reason: error.to_string(),
        })
    }
}

/// The client.
pub(crate) struct Http {
    agent: ureq::Agent,
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Self {
        let seconds = settings
            .variable("TF_REGISTRY_CLIENT_TIMEOUT")
            .and_then(|text| text.parse().ok())
            .unwrap_or(10);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(10)
            .user_agent(concat!("stratiform/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(seconds)))
            .timeout_recv_response(Some(Duration::from_secs(seconds.saturating_mul(3))))
            .timeout_per_read(Some(Duration::from_secs(30)))
            .tls_config(TlsConfig::builder().root_certs(roots()).build())
            .build();
        Self { agent: config.into() }
    }

    /// Gets a small answer, whatever its status. Tries again where the host does not answer.
    pub(crate) fn get(&self, url: &str, token: Option<&str>) -> Result<Answer, InstallError> {
        self.get_as(url, token.map(|token| format!("Bearer {token}")).as_deref())
    }

    /// The same with the whole `Authorization` header.
    fn get_as(&self, url: &str, authorization: Option<&str>) -> Result<Answer, InstallError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.get_once(url, authorization) {
                Ok(answer) if answer.status < 500 && answer.status != 429 => return Ok(answer),
                Ok(answer) if tries > 2 => return Ok(answer),
                Err(error) if tries > 2 || !worth_repeating(&error) => {
                    return Err(failed(url, &error));
                }
                _ => std::thread::sleep(Duration::from_millis(200 << tries)),
            }
        }
    }

    fn get_once(&self, url: &str, authorization: Option<&str>) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.call()?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()?;
        Ok(Answer {
            status: response.status().as_u16(),
            url: response.get_uri().to_string(),
            headers: response.headers().clone(),
            body,
        })
    }

    /// Gets an answer that must be a success.
    pub(crate) fn get_ok(&self, url: &str, token: Option<&str>) -> Result<Answer, InstallError> {
        success(url, self.get(url, token)?)
    }

    /// The same with the whole `Authorization` header.
    pub(crate) fn get_ok_as(
        &self,
        url: &str,
        authorization: Option<&str>,
    ) -> Result<Answer, InstallError> {
        success(url, self.get_as(url, authorization)?)
    }

    /// Fetches a file. Where the connection breaks, the rest is asked for; a host that cannot give a part gives all.
    pub(crate) fn download(
        &self,
        url: &str,
        headers: &[(String, String)],
        to: &Path,
        limit: u64,
        progress: &dyn Fn(u64, Option<u64>),
    ) -> Result<(), InstallError> {
        let mut file = File::create(to).map_err(|error| InstallError::write(to, &error))?;
        let (mut done, mut fruitless) = (0u64, 0u32);
        // A part is only asked for of the very same thing.
        let mut validator: Option<String> = None;
        loop {
            let before = done;
            match self.part(url, headers, &mut file, &mut done, &mut validator, limit, progress) {
                Ok(()) => return file.flush().map_err(|error| InstallError::write(to, &error)),
                Err(Broken::Finally(error)) => return Err(error),
                Err(Broken::Write(error)) => return Err(InstallError::write(to, &error)),
                Err(Broken::Again(reason)) => {
                    fruitless = if done > before { 0 } else { fruitless + 1 };
                    if fruitless >= MAX_FRUITLESS {
                        let help = format!(
                            "{done} bytes had come; run the command again when the connection is stable"
                        );
                        return Err(InstallError::Network { url: shown(url), reason, help });
                    }
                    std::thread::sleep(Duration::from_millis(200 << fruitless));
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one download")]
    fn part(
        &self,
        url: &str,
        headers: &[(String, String)],
        file: &mut File,
        done: &mut u64,
        validator: &mut Option<String>,
        limit: u64,
        progress: &dyn Fn(u64, Option<u64>),
    ) -> Result<(), Broken> {
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if *done > 0 {
            request = request.header("Range", format!("bytes={done}-"));
            if let Some(validator) = &validator {
                request = request.header("If-Range", validator);
            }
        }
        let mut response = request.call().map_err(|error| {
            if worth_repeating(&error) {
                Broken::Again(cause(&error))
            } else {
                Broken::Finally(failed(url, &error))
            }
        })?;
        match response.status().as_u16() {
            206 if *done > 0 && starts_at(&response, *done) => {}
            200..300 => {
                *done = 0;
                file.set_len(0)
                    .and_then(|()| file.seek(SeekFrom::Start(0)))
                    .map_err(Broken::Write)?;
            }
            status @ (429 | 500..) => {
                return Err(Broken::Again(format!("the host answers {status}")));
            }
            status => return Err(Broken::Finally(refused(url, status))),
        }
        let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        *validator =
            text("etag").filter(|tag| !tag.starts_with("W/")).or_else(|| text("last-modified"));
        let total = response.body().content_length().map(|rest| rest + *done);
        let too_big = || {
            Broken::Finally(InstallError::Archive {
                file: shown(url),
                reason: format!("it has more than {limit} bytes"),
            })
        };
        if total.is_some_and(|total| total > limit) {
            return Err(too_big());
        }
        let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    file.write_all(&buffer[..read]).map_err(Broken::Write)?;
                    *done += read as u64;
                    if *done > limit {
                        return Err(too_big());
                    }
                    progress(*done, total);
                }
                Err(error) => return Err(Broken::Again(error.to_string())),
            }
        }
        match total {
            Some(total) if *done < total => {
                Err(Broken::Again(format!("{done} of {total} bytes came")))
            }
            _ => Ok(()),
        }
    }
}

fn success(url: &str, answer: Answer) -> Result<Answer, InstallError> {
    match answer.status {
        200..300 => Ok(answer),
        status => Err(refused(url, status)),
    }
}

enum Broken {
    Again(String),
    Finally(InstallError),
    Write(std::io::Error),
}

fn starts_at(response: &ureq::http::Response<ureq::Body>, wanted: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {wanted}-")))
}

/// The system's certificate authorities, so that a company's own are known; else those of the web.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return RootCerts::WebPki;
    }
    let certificates = found.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned());
    RootCerts::Specific(Arc::new(certificates.collect()))
}

fn worth_repeating(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed)
        || matches!(error, ureq::Error::Protocol(_))
}

fn cause(error: &ureq::Error) -> String {
    error.to_string()
}

fn failed(url: &str, error: &ureq::Error) -> InstallError {
    let help = match error {
        ureq::Error::HostNotFound => {
            "check the network and the host's name; where there is no network, name a mirror in a \
             `provider_installation` block of `~/.terraformrc`"
        }
        _ => {
            "check the network, the proxy (`HTTPS_PROXY`) and the certificates (`SSL_CERT_FILE`), then run the \
             command again"
        }
    };
    InstallError::Network { url: shown(url), reason: cause(error), help: help.to_owned() }
}

fn refused(url: &str, status: u16) -> InstallError {
    let help = match status {
        401 | 403 => {
            "give a token: `credentials \"HOST\" { token = … }` in `~/.terraformrc`, or `TF_TOKEN_HOST` with `_` \
             for each dot"
        }
        404 => "check the address and the version",
        _ => "try again later, or ask whoever runs the host",
    };
    let reason = format!("the host answers {status}");
    InstallError::Network { url: shown(url), reason, help: help.to_owned() }
}

/// An address as it may be shown: without user, password and query, where secrets may stand.
pub(crate) fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// The host of an address, with its port where one is named.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    rest.split(['/', '?', '#']).next()?.rsplit('@').next()
}

/// Resolves a reference against the address that it was found at.
pub(crate) fn join(base: &str, reference: &str) -> String {
    if reference.contains("://") {
        return reference.to_owned();
    }
    let Some((scheme, rest)) = base.split_once("://") else { return reference.to_owned() };
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let mut parts: Vec<&str> = Vec::new();
    let (reference, query) =
        reference.find('?').map_or((reference, ""), |at| reference.split_at(at));
    let joined = match reference.strip_prefix('/') {
        Some(_) => reference.to_owned(),
        None => format!("{}{reference}", &path[..=path.rfind('/').unwrap_or(0)]),
    };
    for part in joined.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("{scheme}://{host}/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        let table = [
            ("https://a.b/x/y.json", "z.zip", "https://a.b/x/z.zip"),
            ("https://a.b/x/y.json?q=1", "./z.zip?v=2", "https://a.b/x/z.zip?v=2"),
            ("https://a.b/x/y/", "../z", "https://a.b/x/z"),
            ("https://a.b", "/v1/", "https://a.b/v1/"),
            ("https://a.b/x", "//c.d/e", "https://c.d/e"),
            ("https://a.b/x", "http://c.d/e", "http://c.d/e"),
        ];
        for (base, reference, expected) in table {
            assert_eq!(join(base, reference), expected, "{base} + {reference}");
        }
    }

    #[test]
    fn secrets_in_addresses_are_not_shown() {
        assert_eq!(shown("https://u:p@a.b/c?token=x#y"), "https://a.b/c");
        assert_eq!(host_of("https://u:p@a.b:8/c"), Some("a.b:8"));
    }
}
