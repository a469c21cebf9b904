//! Mutual TLS as go-plugin does it: each side makes a certificate for this one run and trusts exactly the
//! peer's, which it got through the handshake.
//!
//! The peer's certificate is compared byte by byte. Building a path would fail: it is its own authority and
//! an end entity at once. Go's keys are P-521, and one Python implementation's are short RSA keys; neither can be
//! verified by the TLS library's own code, so that two more crates verify these.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

/// A certificate with its key, made for one run.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Identity {
    /// Makes one.
    pub(crate) fn new() -> Result<Self, String> {
        let made = Self::make().map_err(|error| format!("no certificate can be made: {error}"))?;
        Ok(made)
    }

    fn make() -> Result<Self, rcgen::Error> {
        use rcgen::{
            BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
            KeyUsagePurpose,
        };
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.distinguished_name.push(DnType::OrganizationName, "Stratiform");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::KeyCertSign,
        ];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()) })
    }

    /// The certificate as text, for the environment.
    pub(crate) fn pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap_or_default())
            .collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }
}

/// Reads the first certificate of a PEM text.
pub(crate) fn from_pem(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let begin = "-----BEGIN CERTIFICATE-----";
    let inner = &text[text.find(begin)? + begin.len()..];
    let inner = &inner[..inner.find("-----END CERTIFICATE-----")?];
    let packed: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(packed).ok()
}

/// TLS of a host that talks to the provider with this certificate.
pub(crate) fn client(identity: &Identity, peer: Vec<u8>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pinned = Arc::new(Pinned::new(peer, &provider));
    let build = || -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(pinned)
            .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    };
    build().map_err(|error| format!("TLS cannot be set up: {error}"))
}

/// TLS of a provider that serves the host with this certificate alone.
pub(crate) fn server(identity: &Identity, peer: Vec<u8>) -> Result<ServerConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pinned = Arc::new(Pinned::new(peer, &provider));
    let build = || -> Result<ServerConfig, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(pinned)
            .with_single_cert(vec![identity.certificate.clone()], identity.key())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    };
    build().map_err(|error| format!("TLS cannot be set up: {error}"))
}

/// Accepts one certificate and no other.
#[derive(Debug)]
struct Pinned {
    peer: Vec<u8>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn new(peer: Vec<u8>, provider: &Arc<CryptoProvider>) -> Self {
        Self { peer, provider: Arc::clone(provider) }
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if certificate.as_ref() == self.peer {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        if !schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512) {
            schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        }
        schemes
    }

    /// Verifies what the TLS library cannot; `None` where it can.
    fn special(
        certificate: &CertificateDer<'_>,
        message: &[u8],
        signed: &DigitallySignedStruct,
    ) -> Option<Result<HandshakeSignatureValid, Error>> {
        let key = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
        let valid = match signed.scheme {
            SignatureScheme::ECDSA_NISTP521_SHA512 => p521_valid(&key, message, signed.signature()),
            SignatureScheme::RSA_PSS_SHA256 => short_rsa_valid(&key, message, signed.signature())?,
            _ => return None,
        };
        Some(if valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        })
    }
}

fn p521_valid(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use p521::ecdsa::signature::Verifier;
    use p521::ecdsa::{Signature, VerifyingKey};
    use p521::elliptic_curve::sec1::ToEncodedPoint;
    use p521::pkcs8::DecodePublicKey;
    let check = || {
        let key = p521::PublicKey::from_public_key_der(key).ok()?;
        let key = VerifyingKey::from_encoded_point(&key.to_encoded_point(false)).ok()?;
        let signature = Signature::from_der(signature).ok()?;
        key.verify(message, &signature).ok()
    };
    check().is_some()
}

/// `None` for keys that the TLS library takes itself.
fn short_rsa_valid(key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
    use rsa::pkcs8::DecodePublicKey;
    use rsa::sha2::Sha256;
    use rsa::signature::Verifier;
    use rsa::traits::PublicKeyParts;
    let key = rsa::RsaPublicKey::from_public_key_der(key).ok()?;
    if key.size() >= 256 {
        return None;
    }
    let signature = rsa::pss::Signature::try_from(signature).ok()?;
    Some(rsa::pss::VerifyingKey::<Sha256>::new(key).verify(message, &signature).is_ok())
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::special(certificate, message, signed).unwrap_or_else(|| {
            let algorithms = &self.provider.signature_verification_algorithms;
            verify_tls12_signature(message, certificate, signed, algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::special(certificate, message, signed).unwrap_or_else(|| {
            let algorithms = &self.provider.signature_verification_algorithms;
            verify_tls13_signature(message, certificate, signed, algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_travel_as_text() {
        let identity = Identity::new().expect("a certificate");
        assert_eq!(from_pem(&identity.pem()).as_deref(), Some(identity.certificate.as_ref()));
        assert_eq!(from_pem("nothing"), None);
    }

    #[test]
    fn no_certificate_but_the_peers_is_accepted() {
        let (mine, other) = (Identity::new().expect("one"), Identity::new().expect("another"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pinned = Pinned::new(mine.certificate.to_vec(), &provider);
        assert!(pinned.check(&mine.certificate).is_ok());
        assert!(pinned.check(&other.certificate).is_err());
    }
}
