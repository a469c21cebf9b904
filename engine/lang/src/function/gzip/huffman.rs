//! Codes that give frequent symbols few bits, within a limit of bits.

use super::bits::BitWriter;

/// A code: how many bits each symbol has, and which.
pub(super) struct Code {
    /// By symbol; 0 for one that does not occur.
    pub(super) lengths: Vec<u8>,
    bits: Vec<u16>,
}

impl Code {
    /// The best code for symbols of these frequencies.
    pub(super) fn of(frequencies: &[u32], limit: usize) -> Self {
        let mut leaves: Vec<(u32, usize)> = frequencies
            .iter()
            .enumerate()
            .filter(|(_, frequency)| **frequency > 0)
            .map(|(symbol, frequency)| (*frequency, symbol))
            .collect();
        let mut lengths = vec![0; frequencies.len()];
        if leaves.len() <= 2 {
            for (_, symbol) in &leaves {
                lengths[*symbol] = 1;
            }
            return Self::with(lengths);
        }
        leaves.sort_unstable();
        let weights: Vec<u64> = leaves.iter().map(|(weight, _)| u64::from(*weight)).collect();
        for count in leaves_by_level(&weights, limit.min(leaves.len() - 1)) {
            for (_, symbol) in &leaves[..count] {
                lengths[*symbol] += 1;
            }
        }
        Self::with(lengths)
    }

    /// The code of blocks without one of their own, for literals and lengths.
    pub(super) fn fixed_literals() -> Self {
        let length = |symbol: usize| match symbol {
            0..=143 => 8,
            144..=255 => 9,
            256..=279 => 7,
            _ => 8,
        };
        // Two symbols are never used, but count for the order of the others.
        Self::with((0..288).map(length).collect())
    }

    /// The same for distances.
    pub(super) fn fixed_distances() -> Self {
        Self::with(vec![5; 32])
    }

    /// Symbols of fewer bits come first, among them in their order.
    fn with(lengths: Vec<u8>) -> Self {
        let mut bits = vec![0; lengths.len()];
        let mut next = 0_u16;
        for length in 1..=15_u8 {
            next <<= 1;
            for (symbol, own) in lengths.iter().enumerate() {
                if *own == length {
                    bits[symbol] = next.reverse_bits() >> (16 - length);
                    next += 1;
                }
            }
        }
        Self { lengths, bits }
    }

    /// How many bits symbols of these frequencies take.
    pub(super) fn size(&self, frequencies: &[u32]) -> usize {
        frequencies
            .iter()
            .zip(&self.lengths)
            .map(|(frequency, length)| *frequency as usize * usize::from(*length))
            .sum()
    }

    /// Writes a symbol.
    pub(super) fn write(&self, symbol: usize, out: &mut BitWriter) {
        out.bits(usize::from(self.bits[symbol]), usize::from(self.lengths[symbol]));
    }
}

/// For each bit that a code may have, how many of the rarest symbols have it: the package-merge method.
///
/// A level holds the symbols and the pairs of the level below, by weight; of equal ones the pair comes first.
fn leaves_by_level(weights: &[u64], levels: usize) -> Vec<usize> {
    // Each level as weight, and whether it is a symbol.
    let mut rows: Vec<Vec<(u64, bool)>> = vec![weights.iter().map(|w| (*w, true)).collect()];
    for _ in 1..levels {
        let below = &rows[rows.len() - 1];
        let mut row: Vec<(u64, bool)> =
            below.chunks_exact(2).map(|pair| (pair[0].0 + pair[1].0, false)).collect();
        row.extend(weights.iter().map(|weight| (*weight, true)));
        row.sort_unstable();
        rows.push(row);
    }
    let mut wanted = 2 * weights.len() - 2;
    let mut counts = Vec::with_capacity(levels);
    for row in rows.iter().rev() {
        let leaves = row[..wanted].iter().filter(|(_, leaf)| *leaf).count();
        counts.push(leaves);
        wanted = 2 * (wanted - leaves);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_symbols_get_fewer_bits() {
        let code = Code::of(&[1, 1, 2, 4, 8], 15);
        assert_eq!(code.lengths, [4, 4, 3, 2, 1]);
        let code = Code::of(&[1, 1, 2, 4, 8], 3);
        assert!(code.lengths.iter().all(|length| *length <= 3), "{:?}", code.lengths);
    }
}
