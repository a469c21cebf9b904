//! Objects in S3 and in Google Cloud Storage: what their addresses mean and how a request shows who asks.
//!
//! Source: the published description of AWS signature version 4.

use sha2::{Digest as _, Sha256};

use super::address::{query_values, split_query, without};
use crate::hash::hex;
use crate::settings::Settings;

/// What is to be asked for.
pub(crate) struct Object {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Whether anything shows who asks.
    pub(crate) signed: bool,
}

/// An object in S3. `now` is the time of day, `20260102T030405Z`.
pub(crate) fn s3(url: &str, settings: &Settings, now: &str) -> Result<Object, String> {
    let given = query_values(url);
    let value =
        |name: &str| given.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let plain = without(
        url,
        &[
            "aws_access_key_id",
            "aws_access_key_secret",
            "aws_access_token",
            "region",
            "aws_profile",
            "archive",
            "checksum",
        ],
    );
    let host = crate::http::host_of(&plain).ok_or("it has no host")?.to_owned();
    let path = split_query(plain.split_once("://").map_or("", |(_, rest)| rest)).0;
    let path = path.find('/').map_or("/", |at| &path[at..]);
    let variable = |name: &str| settings.variable(name).map(str::to_owned);
    let id = value("aws_access_key_id").or_else(|| variable("AWS_ACCESS_KEY_ID"));
    let secret = value("aws_access_key_secret").or_else(|| variable("AWS_SECRET_ACCESS_KEY"));
    let token = value("aws_access_token").or_else(|| variable("AWS_SESSION_TOKEN"));
    let (Some(id), Some(secret)) = (id, secret) else {
        return Ok(Object { url: plain, headers: Vec::new(), signed: false });
    };
    let region = value("region")
        .or_else(|| region_of(&host))
        .or_else(|| variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")))
        .unwrap_or_else(|| "us-east-1".to_owned());
    let query = split_query(&plain).1.trim_start_matches('?').to_owned();
    let signing =
        Signing { id: &id, secret: &secret, token: token.as_deref(), region: &region, now };
    let headers = signing.headers(&host, path, &query);
    Ok(Object { url: plain, headers, signed: true })
}

/// `s3-eu-west-1.amazonaws.com`, `s3.eu-west-1.amazonaws.com`, `bucket.s3.eu-west-1.amazonaws.com`
fn region_of(host: &str) -> Option<String> {
    let inner = host.strip_suffix(".amazonaws.com")?;
    let last = inner.rsplit('.').next()?;
    let region = last.strip_prefix("s3-").unwrap_or(last);
    (region != "s3").then(|| region.to_owned())
}

struct Signing<'a> {
    id: &'a str,
    secret: &'a str,
    token: Option<&'a str>,
    region: &'a str,
    now: &'a str,
}

impl Signing<'_> {
    fn headers(&self, host: &str, path: &str, query: &str) -> Vec<(String, String)> {
        let nothing = hex(&Sha256::digest(b""));
        let mut signed = vec![
            ("host".to_owned(), host.to_owned()),
            ("x-amz-content-sha256".to_owned(), nothing.clone()),
            ("x-amz-date".to_owned(), self.now.to_owned()),
        ];
        signed
            .extend(self.token.map(|token| ("x-amz-security-token".to_owned(), token.to_owned())));
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String =
            signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        pairs.sort_unstable();
        let request = format!("GET\n{path}\n{}\n{lines}\n{names}\n{nothing}", pairs.join("&"));
        let day = &self.now[..self.now.len().min(8)];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text =
            format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.now, hex(&Sha256::digest(request)));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, self.region, "s3", "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex(&hmac(&key, text.as_bytes()));
        let proof = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        );
        signed.retain(|(name, _)| name != "host");
        signed.push(("authorization".to_owned(), proof));
        signed
    }
}

/// HMAC with SHA-256.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// An object in Google Cloud Storage: `https://www.googleapis.com/storage/v1/BUCKET/PATH`.
pub(crate) fn gcs(url: &str, settings: &Settings) -> Result<Object, String> {
    let plain = without(url, &["archive", "checksum"]);
    let (path, query) = split_query(&plain);
    let (base, rest) = path
        .split_once("/storage/v1/")
        .ok_or("it is not of the form `https://www.googleapis.com/storage/v1/BUCKET/PATH`")?;
    let (bucket, object) = rest
        .split_once('/')
        .filter(|(bucket, object)| !bucket.is_empty() && !object.is_empty())
        .ok_or("it names no object in a bucket")?;
    let object = object.replace('%', "%25").replace('/', "%2F");
    let extra = query.trim_start_matches('?');
    let extra = if extra.is_empty() { String::new() } else { format!("&{extra}") };
    let token = settings.variable("GOOGLE_OAUTH_ACCESS_TOKEN");
    let headers: Vec<(String, String)> = token
        .map(|token| ("authorization".to_owned(), format!("Bearer {token}")))
        .into_iter()
        .collect();
    Ok(Object {
        url: format!("{base}/storage/v1/b/{bucket}/o/{object}?alt=media{extra}"),
        signed: !headers.is_empty(),
        headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed_as_the_published_example_says() {
        // From the AWS documentation of signature version 4 for S3, "GET Object" without its range.
        let signing = Signing {
            id: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            token: None,
            region: "us-east-1",
            now: "20130524T000000Z",
        };
        let headers = signing.headers("examplebucket.s3.amazonaws.com", "/", "lifecycle=");
        let proof = &headers.last().expect("a proof").1;
        assert!(
            proof.ends_with("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            "{proof}"
        );
    }

    #[test]
    fn addresses_of_objects_are_read() {
        let settings = Settings::default();
        let object =
            s3("https://s3-eu-west-1.amazonaws.com/b/c.zip?region=x", &settings, "").expect("one");
        assert_eq!(
            (object.url.as_str(), object.signed),
            ("https://s3-eu-west-1.amazonaws.com/b/c.zip", false)
        );
        for (host, region) in [
            ("s3-eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("b.s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("b.s3.amazonaws.com", None),
            ("minio.example.com", None),
        ] {
            assert_eq!(region_of(host).as_deref(), region, "{host}");
        }
        let object =
            gcs("https://www.googleapis.com/storage/v1/b/d/c.zip", &settings).expect("one");
        assert_eq!(object.url, "https://www.googleapis.com/storage/v1/b/b/o/d%2Fc.zip?alt=media");
        assert!(gcs("https://www.googleapis.com/storage/v1/b", &settings).is_err());
    }
}
