//! Bits into bytes, the lowest first.

/// A growing row of bits.
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    count: usize,
}

impl BitWriter {
    /// Goes on behind some bytes.
    pub(super) fn after(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), pending: 0, count: 0 }
    }

    /// Adds the lowest bits of a number.
    pub(super) fn bits(&mut self, value: usize, count: usize) {
        self.pending |= (value as u64) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn align(&mut self) {
        if self.count > 0 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
        }
        self.pending = 0;
        self.count = 0;
    }

    /// A block of bytes as they are.
    pub(super) fn stored(&mut self, bytes: &[u8], last: bool) {
        self.bits(usize::from(last), 3);
        self.align();
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend((!length).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}
