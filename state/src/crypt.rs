//! Sealing entries: a format byte, a checksum, and encryption where a key is given.
//!
//! An entry on disk is `format (1) | mode (1) | CRC-32 of what follows (4, little endian) | body`. In mode 0 the
//! body is the entry; in mode 1 it is a 12-byte nonce and the entry under AES-256-GCM, with the entry's key
//! as associated data, so that sealed entries cannot be exchanged.

use aes_gcm::aead::rand_core::RngCore;
use aes_gcm::aead::{Aead, OsRng, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::StateError;

/// The newest format that this version writes and reads.
pub const FORMAT: u8 = 1;

/// A key for sealing. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads a key from text: 64 hexadecimal digits, or base 64 of 32 bytes.
    ///
    /// # Errors
    ///
    /// [`StateError::KeyInvalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let text = text.trim();
        let hex: Option<Vec<u8>> = (text.len() == 64 && text.is_ascii())
            .then(|| {
                (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
            })
            .flatten();
        let bytes = hex.or_else(|| STANDARD.decode(text).ok());
        let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        key.map(Self).ok_or_else(|| StateError::KeyInvalid {
            reason: format!("it has {} characters", text.len()),
        })
    }
}

impl Key {
    /// A new key, and the text that [`Self::parse`] reads it from.
    pub fn generate() -> (Self, String) {
        let mut bytes = [0u8; 32];
        OsRng.fill_bytes(&mut bytes);
        (Self(bytes), STANDARD.encode(bytes))
    }

    /// Seals something that lies outside the store; `name` is bound to it.
    pub fn seal(&self, name: &str, plain: &[u8]) -> Vec<u8> {
        seal(name.as_bytes(), plain, Some(self))
    }

    /// Opens what [`Self::seal`] has sealed under this name.
    ///
    /// # Errors
    ///
    /// [`StateError::KeyWrong`], or that it is damaged.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, StateError> {
        open(name.as_bytes(), sealed, Some(self), name)
    }
}

/// Seals the entry `name`.
pub(crate) fn seal(name: &[u8], plain: &[u8], key: Option<&Key>) -> Vec<u8> {
    let (mode, body) = match key {
        None => (0, plain.to_vec()),
        Some(key) => {
            let mut nonce = [0u8; 12];
            OsRng.fill_bytes(&mut nonce);
            let cipher = Aes256Gcm::new(&key.0.into());
            let sealed = cipher
                .encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: name })
                .expect("an entry is shorter than the 64 GiB that the cipher takes");
            (1, [nonce.as_slice(), &sealed].concat())
        }
    };
    let mut out = Vec::with_capacity(body.len() + 6);
    out.extend_from_slice(&[FORMAT, mode]);
    out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.extend_from_slice(&body);
    out
}

/// Opens the entry `name`; `shown` names it in errors.
pub(crate) fn open(
    name: &[u8],
    sealed: &[u8],
    key: Option<&Key>,
    shown: &str,
) -> Result<Vec<u8>, StateError> {
    let damaged =
        |reason: &str| StateError::Damaged { entry: shown.to_owned(), reason: reason.to_owned() };
    let (Some(head), Some(body)) = (sealed.get(..6), sealed.get(6..)) else {
        return Err(damaged("it is too short"));
    };
    if head[0] > FORMAT {
        return Err(StateError::NewerFormat { found: head[0], known: FORMAT });
    }
    if head[0] == 0 || crc32fast::hash(body).to_le_bytes() != head[2..6] {
        return Err(damaged("its checksum does not match"));
    }
    match (head[1], key) {
        (0, _) => Ok(body.to_vec()),
        (1, None) => Err(StateError::KeyMissing),
        (1, Some(key)) => {
            let (Some(nonce), Some(sealed)) = (body.get(..12), body.get(12..)) else {
                return Err(damaged("it is too short"));
            };
            let cipher = Aes256Gcm::new(&key.0.into());
            let payload = Payload { msg: sealed, aad: name };
            cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| StateError::KeyWrong)
        }
        _ => Err(damaged("it is sealed in an unknown way")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_entries_open_with_their_key_alone() {
        let key = Key::parse(&"ab".repeat(32)).unwrap();
        let other = Key::parse(&"cd".repeat(32)).unwrap();
        let sealed = seal(b"r/a", b"secret", Some(&key));
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(open(b"r/a", &sealed, Some(&key), "a"), Ok(b"secret".to_vec()));
        assert_eq!(open(b"r/a", &sealed, Some(&other), "a"), Err(StateError::KeyWrong));
        assert_eq!(open(b"r/b", &sealed, Some(&key), "b"), Err(StateError::KeyWrong));
        assert_eq!(open(b"r/a", &sealed, None, "a"), Err(StateError::KeyMissing));
    }

    #[test]
    fn a_flipped_bit_is_found() {
        let sealed = seal(b"r/a", b"{\"x\":1}", None);
        for at in 2..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(
                matches!(open(b"r/a", &damaged, None, "a"), Err(StateError::Damaged { .. })),
                "byte {at}"
            );
        }
        let mut newer = sealed;
        newer[0] = FORMAT + 1;
        assert_eq!(
            open(b"r/a", &newer, None, "a"),
            Err(StateError::NewerFormat { found: 2, known: 1 })
        );
    }
}
