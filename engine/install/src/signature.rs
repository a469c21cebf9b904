//! `OpenPGP`: whether a list of hashes is signed by one of some keys. The only file that knows the library.

use std::io::Cursor;

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};
use pgp::types::KeyDetails as _;

use crate::event::Trust;

/// The published signing key of `HashiCorp`.
const HASHICORP: &str = "c874011f0ab405110d02105534365d9472d7468f";

/// Checks a detached signature, armoured or not. The error says why no key fits.
pub(crate) fn verify(document: &[u8], signature: &[u8], keys: &[String]) -> Result<Trust, String> {
    if keys.is_empty() {
        return Err("the registry names no key".to_owned());
    }
    let signature = read_signature(signature)?;
    let mut unreadable = None;
    for armoured in keys {
        let key = match SignedPublicKey::from_string(armoured) {
            Ok((key, _)) => key,
            Err(error) => {
                unreadable = Some(error.to_string());
                continue;
            }
        };
        // What the owner of the key has not bound to it does not speak for the owner.
        let subkeys = key.public_subkeys.iter();
        let mut bound = subkeys.filter(|subkey| subkey.verify_bindings(&key.primary_key).is_ok());
        let signed = signature.verify(&key, document).is_ok()
            || bound.any(|subkey| signature.verify(subkey, document).is_ok());
        if signed {
            let fingerprint = format!("{:x}", key.fingerprint());
            let key_id = key.legacy_key_id().to_string().to_uppercase();
            return Ok(Trust::SignedBy { key_id, hashicorp: fingerprint == HASHICORP });
        }
    }
    Err(match unreadable {
        Some(error) => format!("a key of the registry cannot be read: {error}"),
        None => "none of the keys that the registry names has made it".to_owned(),
    })
}

fn read_signature(bytes: &[u8]) -> Result<DetachedSignature, String> {
    let armoured = bytes.starts_with(b"-----BEGIN");
    let read = if armoured {
        std::str::from_utf8(bytes)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                DetachedSignature::from_string(text).map_err(|error| error.to_string())
            })
            .map(|(signature, _)| signature)
    } else {
        DetachedSignature::from_bytes(Cursor::new(bytes)).map_err(|error| error.to_string())
    };
    read.map_err(|error| format!("it cannot be read: {error}"))
}
