//! A file beside the database that says which serial was durable last.
//!
//! The database drops a torn tail of its log without a word, which is right for what was never promised and
//! wrong for what was. The mark is written after the database has flushed, so a serial in it that the
//! database does not have means that promised entries are gone.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The mark. Two slots are written in turn, so that a torn write leaves the other one.
pub struct Watermark {
    file: Mutex<(File, u64)>,
}

const SLOT: usize = 24;

impl Watermark {
    /// Opens or creates the file; returns the highest serial that it holds, if any.
    pub fn open(path: &Path) -> std::io::Result<(Self, Option<u64>)> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let slots = bytes.chunks(SLOT).filter_map(read_slot);
        let (turn, serial) = slots.max().map_or((0, None), |(turn, serial)| (turn, Some(serial)));
        Ok((Self { file: Mutex::new((file, turn)) }, serial))
    }

    /// Marks a serial as durable.
    ///
    /// The mark itself is not flushed, which would double the cost of every batch: a killed process leaves it
    /// all the same, and after a power cut an older mark asks for less than is there, never for more.
    pub fn mark(&self, serial: u64) -> std::io::Result<()> {
        let mut guard = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, turn) = &mut *guard;
        *turn += 1;
        file.seek(SeekFrom::Start((*turn % 2) * SLOT as u64))?;
        file.write_all(&slot(*turn, serial))
    }
}

fn slot(turn: u64, serial: u64) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&turn.to_le_bytes());
    bytes[8..16].copy_from_slice(&serial.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..16]);
    bytes[16..20].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn read_slot(bytes: &[u8]) -> Option<(u64, u64)> {
    let number =
        |from: usize| Some(u64::from_le_bytes(bytes.get(from..from + 8)?.try_into().ok()?));
    let (turn, serial) = (number(0)?, number(8)?);
    (slot(turn, serial) == bytes).then_some((turn, serial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let (mark, found) = Watermark::open(&path).unwrap();
        assert_eq!(found, None);
        mark.mark(7).unwrap();
        mark.mark(8).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        assert_eq!(Watermark::open(&path).unwrap().1, Some(8));
        bytes[8] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Watermark::open(&path).unwrap().1, Some(7));
    }
}
