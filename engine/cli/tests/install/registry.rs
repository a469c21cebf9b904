//! A registry of providers with signed packages, as the protocol describes it.

use std::io::{Cursor, Write as _};

use pgp::composed::{
    ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::Password;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::server::{Page, Server};

pub const PLATFORM: &str =
    if cfg!(target_arch = "aarch64") { "linux_arm64" } else { "linux_amd64" };

/// A key that signs lists of hashes.
pub fn key() -> SignedSecretKey {
    let mut builder = SecretKeyParamsBuilder::default();
    builder
        .key_type(KeyType::Rsa(2048))
        .can_certify(true)
        .can_sign(true)
        .primary_user_id("Test <test@example.com>".into());
    builder.build().expect("parameters").generate(rand::thread_rng()).expect("a key")
}

/// An archive of files; names that end in `/` are folders.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        writer.start_file(*name, options).expect("memory");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// The archive of a provider whose program is a script.
pub fn package(type_name: &str, version: &str, size: usize) -> Vec<u8> {
    let name = format!("terraform-provider-{type_name}_v{version}");
    // What does not compress, so that the download has the size.
    let mut state = 1u32;
    let noise = (0..size).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"0123456789abcdef"[(state >> 28) as usize]
    });
    let program: Vec<u8> = b"#!/bin/sh\nexit 1\n# ".iter().copied().chain(noise).collect();
    zip(&[(&name, &program), ("LICENSE.txt", b"free")])
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Publishes a version under `/p/NAMESPACE/TYPE`, for this platform and another one. `signer` signs, `named` is the
/// key that the answer names.
pub fn publish(
    server: &Server,
    (namespace, type_name): (&str, &str),
    version: &str,
    archive: &[u8],
    (signer, named): (&SignedSecretKey, &SignedSecretKey),
) {
    let base = format!("/p/{namespace}/{type_name}");
    let (os, arch) = PLATFORM.split_once('_').expect("two parts");
    let file = |platform: &str| format!("terraform-provider-{type_name}_{version}_{platform}.zip");
    let other = zip(&[(&format!("terraform-provider-{type_name}_v{version}"), b"other")]);
    let mut sums = String::new();
    for (platform, archive) in [(PLATFORM, archive), ("darwin_arm64", &other)] {
        let (os, arch) = platform.split_once('_').expect("two parts");
        let sum = sha256(archive);
        sums.push_str(&format!("{sum}  {}\n", file(platform)));
        server.page(
            &format!("/files/{}", file(platform)),
            Page::new(archive).header("ETag", "\"1\""),
        );
        let public = named.to_public_key().to_armored_string(ArmorOptions::default());
        server.json(
            &format!("{base}/{version}/download/{os}/{arch}"),
            &json!({
                "protocols": ["5.0"], "os": os, "arch": arch, "filename": file(platform),
                "download_url": format!("{}/files/{}", server.url, file(platform)),
                "shasums_url": format!("{}/files/{type_name}_{version}_SHA256SUMS", server.url),
                "shasums_signature_url": format!("{}/files/{type_name}_{version}_SHA256SUMS.sig", server.url),
                "shasum": sum,
                "signing_keys": { "gpg_public_keys": [
                    { "key_id": "X", "ascii_armor": public.expect("text") }
                ]}
            }),
        );
    }
    let signature = DetachedSignature::sign_binary_data(
        rand::thread_rng(),
        &signer.primary_key,
        &Password::empty(),
        HashAlgorithm::Sha256,
        sums.as_bytes(),
    );
    let signature = signature.expect("signed").to_bytes().expect("bytes");
    server.page(&format!("/files/{type_name}_{version}_SHA256SUMS"), Page::new(sums));
    server.page(&format!("/files/{type_name}_{version}_SHA256SUMS.sig"), Page::new(signature));
    let platforms = json!([{ "os": os, "arch": arch }, { "os": "darwin", "arch": "arm64" }]);
    server.json(
        &format!("{base}/versions"),
        &json!({ "versions": [{ "version": version, "protocols": ["5.0"], "platforms": platforms }] }),
    );
}

/// A command-line configuration that finds `example.com` at the server.
pub fn rc(server: &Server, more: &str) -> String {
    format!(
        "host \"example.com\" {{\n  services = {{\n    \"providers.v1\" = \"{0}/p/\"\n    \"modules.v1\" = \"{0}/m/\"\n  }}\n}}\n{more}\n",
        server.url
    )
}
