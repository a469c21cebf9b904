//! GZIP whose bytes are those that Terraform makes, so that text stored by one shows no change to the other.
//!
//! DEFLATE leaves it to the writer how to look for repetitions and where to end a block. These choices follow
//! the compressor of Go's library at its usual level: matches of at least four bytes, found by a hash of four
//! bytes along a chain of at most 128 places, taken only if the next byte does not start a longer one; blocks
//! of 16,384 tokens; a window that moves by 32 KiB at a time.
//!
//! Source: RFC 1951, RFC 1952, observed output.

mod bits;
mod huffman;

use bits::BitWriter;
use huffman::Code;

const WINDOW: usize = 1 << 15;
const LEAST_MATCH: usize = 4;
const LONGEST_MATCH: usize = 258;
/// Before the end of what is in the window, so many bytes are left for later.
const LOOKAHEAD: usize = LEAST_MATCH + LONGEST_MATCH;
const BLOCK_TOKENS: usize = 1 << 14;
const HASH_BITS: u32 = 17;
/// A match this long is good enough to stop looking.
const NICE_MATCH: usize = 128;
/// So many places of a chain are tried.
const CHAIN: usize = 128;
/// After a match this long the next byte is not tried.
const LAZY_MATCH: usize = 16;
/// A match of the least length further away than this costs more than it saves.
const NEAR: usize = 4096;
/// The largest block that is stored as it is.
const STORED_LIMIT: usize = 65535;

const END_OF_BLOCK: usize = 256;
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
/// The order in which the lengths of the code that describes the codes are written.
const HEADER_ORDER: [usize; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Compresses a whole text.
pub(super) fn gzip(input: &[u8]) -> Vec<u8> {
    // Deflated, no flags, no time, no hint at the level, an unknown system.
    let mut out = BitWriter::after(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    let mut deflate = Deflate::new(input);
    deflate.run(&mut out);
    // A flush, and then an empty last block.
    out.stored(&[], false);
    out.stored(&[], true);
    let mut bytes = out.finish();
    bytes.extend(crc32(input).to_le_bytes());
    let length = u32::try_from(input.len() & 0xffff_ffff).unwrap_or(0);
    bytes.extend(length.to_le_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

/// A byte, or a repetition of what was there before.
#[derive(Clone, Copy)]
enum Token {
    Literal(u8),
    Match { length: usize, distance: usize },
}

struct Deflate<'a> {
    input: &'a [u8],
    tokens: Vec<Token>,
    /// By hash, the place seen last, from 1; 0 is none.
    heads: Vec<u32>,
    /// By place within the window, the place of the same hash before it, from 1.
    previous: Vec<u32>,
    /// Where the window begins.
    base: usize,
    /// Where the block begins; `None` once that has left the window.
    block_start: Option<usize>,
}

impl<'a> Deflate<'a> {
    fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            tokens: Vec::with_capacity(BLOCK_TOKENS),
            heads: vec![0; 1 << HASH_BITS],
            previous: vec![0; WINDOW],
            base: 0,
            block_start: Some(0),
        }
    }

    fn hash(&self, at: usize) -> usize {
        let four = u32::from_be_bytes([
            self.input[at],
            self.input[at + 1],
            self.input[at + 2],
            self.input[at + 3],
        ]);
        (four.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS)) as usize
    }

    /// Remembers a place and gives the one of the same hash before it.
    fn insert(&mut self, at: usize) -> u32 {
        let hash = self.hash(at);
        let head = self.heads[hash];
        self.previous[at % WINDOW] = head;
        self.heads[hash] = u32::try_from(at + 1).unwrap_or(0);
        head
    }

    /// Moves the window on where its second half is nearly used up.
    fn slide(&mut self, at: usize) {
        if at - self.base >= 2 * WINDOW - LOOKAHEAD {
            self.base += WINDOW;
            self.block_start = self.block_start.filter(|start| *start >= self.base);
        }
    }

    fn run(&mut self, out: &mut BitWriter) {
        let total = self.input.len();
        let mut filled = total.min(2 * WINDOW);
        let mut at = 0;
        let (mut length, mut distance) = (LEAST_MATCH - 1, 0);
        let mut head = 0_u32;
        let mut pending = false;
        loop {
            while filled - at < LOOKAHEAD && filled < total {
                self.slide(at);
                filled = total.min(self.base + 2 * WINDOW);
            }
            if at == total {
                break;
            }
            if at + LEAST_MATCH - 1 < total {
                head = self.insert(at);
            }
            let (before, before_distance) = (length, distance);
            (length, distance) = (LEAST_MATCH - 1, 0);
            if total.min(filled) - at > before && before < LAZY_MATCH {
                (length, distance) = self.longest(at, head, filled).unwrap_or((length, distance));
            }
            if before >= LEAST_MATCH && length <= before {
                self.tokens.push(Token::Match { length: before, distance: before_distance });
                let end = at + before - 1;
                at += 1;
                while at < end {
                    if at + LEAST_MATCH - 1 < total {
                        self.insert(at);
                    }
                    at += 1;
                }
                pending = false;
                length = LEAST_MATCH - 1;
                self.end_full_block(at, out);
            } else {
                if pending {
                    self.tokens.push(Token::Literal(self.input[at - 1]));
                    self.end_full_block(at, out);
                }
                at += 1;
                pending = true;
            }
        }
        if pending {
            self.tokens.push(Token::Literal(self.input[at - 1]));
        }
        if !self.tokens.is_empty() {
            self.end_block(at, out);
        }
    }

    /// The longest repetition that the chain leads to, and how far back it is.
    fn longest(&self, at: usize, head: u32, filled: usize) -> Option<(usize, usize)> {
        let most = LONGEST_MATCH.min(filled - at);
        let nice = NICE_MATCH.min(most);
        let oldest = at.saturating_sub(WINDOW).max(self.base);
        let mut place = (head as usize).checked_sub(1)?;
        let mut best = None;
        let mut length = LEAST_MATCH - 1;
        for _ in 0..CHAIN {
            if place < oldest || place >= at {
                break;
            }
            if self.input[place + length] == self.input[at + length] {
                let same = (0..most)
                    .take_while(|step| self.input[place + step] == self.input[at + step])
                    .count();
                if same > length && (same > LEAST_MATCH || at - place <= NEAR) {
                    length = same;
                    best = Some((same, at - place));
                    if same >= nice {
                        break;
                    }
                }
            }
            if place + WINDOW == at {
                break;
            }
            match (self.previous[place % WINDOW] as usize).checked_sub(1) {
                Some(next) if next < place => place = next,
                _ => break,
            }
        }
        best
    }

    fn end_full_block(&mut self, at: usize, out: &mut BitWriter) {
        if self.tokens.len() == BLOCK_TOKENS {
            self.end_block(at, out);
        }
    }

    fn end_block(&mut self, at: usize, out: &mut BitWriter) {
        let raw = self.block_start.map(|start| &self.input[start..at]);
        write_block(&self.tokens, raw, out);
        self.tokens.clear();
        self.block_start = Some(at);
    }
}

// Blocks.

/// Writes a block in whichever of the three ways takes the fewest bits.
fn write_block(tokens: &[Token], raw: Option<&[u8]>, out: &mut BitWriter) {
    let (literals, distances) = frequencies(tokens);
    let literal_code = Code::of(&literals, 15);
    let distance_code = Code::of(&distances, 15);
    let used =
        |frequencies: &[u32]| frequencies.iter().rposition(|f| *f > 0).map_or(0, |at| at + 1);
    let (literal_count, distance_count) = (used(&literals), used(&distances));
    let raw = raw.filter(|raw| raw.len() <= STORED_LIMIT);
    let extra = if raw.is_some() { extra_bits(&literals, &distances) } else { 0 };

    let (fixed_literals, fixed_distances) = (Code::fixed_literals(), Code::fixed_distances());
    let fixed = 3 + fixed_literals.size(&literals) + fixed_distances.size(&distances) + extra;
    let lengths: Vec<u8> = literal_code.lengths[..literal_count]
        .iter()
        .chain(&distance_code.lengths[..distance_count])
        .copied()
        .collect();
    let header = Header::of(&lengths);
    let dynamic =
        header.size() + literal_code.size(&literals) + distance_code.size(&distances) + extra;

    if let Some(raw) = raw
        && (raw.len() + 5) * 8 < fixed.min(dynamic)
    {
        out.stored(raw, false);
        return;
    }
    if dynamic < fixed {
        out.bits(4, 3);
        header.write(literal_count, distance_count, out);
        write_tokens(tokens, &literal_code, &distance_code, out);
    } else {
        out.bits(2, 3);
        write_tokens(tokens, &fixed_literals, &fixed_distances, out);
    }
}

fn frequencies(tokens: &[Token]) -> (Vec<u32>, Vec<u32>) {
    let (mut literals, mut distances) = (vec![0; LITERALS], vec![0; DISTANCES]);
    for token in tokens {
        match token {
            Token::Literal(byte) => literals[usize::from(*byte)] += 1,
            Token::Match { length, distance } => {
                literals[length_symbol(*length).0] += 1;
                distances[distance_symbol(*distance).0] += 1;
            }
        }
    }
    literals[END_OF_BLOCK] = 1;
    if distances.iter().all(|frequency| *frequency == 0) {
        // A tree needs a leaf.
        distances[0] = 1;
    }
    (literals, distances)
}

fn extra_bits(literals: &[u32], distances: &[u32]) -> usize {
    let of_lengths =
        literals.iter().enumerate().skip(END_OF_BLOCK + 1).map(|(symbol, frequency)| {
            *frequency as usize * length_extra(symbol - END_OF_BLOCK - 1)
        });
    let of_distances = distances
        .iter()
        .enumerate()
        .map(|(symbol, frequency)| *frequency as usize * distance_extra(symbol));
    of_lengths.sum::<usize>() + of_distances.sum::<usize>()
}

fn length_extra(index: usize) -> usize {
    if index < 8 || index == 28 { 0 } else { index / 4 - 1 }
}

fn distance_extra(symbol: usize) -> usize {
    (symbol / 2).saturating_sub(1)
}

/// The symbol of a length, its extra bits and how many these are.
fn length_symbol(length: usize) -> (usize, usize, usize) {
    if length == LONGEST_MATCH {
        return (LITERALS - 1, 0, 0);
    }
    let mut base = 3;
    for index in 0..28 {
        let extra = length_extra(index);
        if length < base + (1 << extra) {
            return (END_OF_BLOCK + 1 + index, length - base, extra);
        }
        base += 1 << extra;
    }
    (LITERALS - 1, 0, 0)
}

/// The same for a distance.
fn distance_symbol(distance: usize) -> (usize, usize, usize) {
    let mut base = 1;
    for symbol in 0..DISTANCES {
        let extra = distance_extra(symbol);
        if distance < base + (1 << extra) {
            return (symbol, distance - base, extra);
        }
        base += 1 << extra;
    }
    (DISTANCES - 1, 0, distance_extra(DISTANCES - 1))
}

fn write_tokens(tokens: &[Token], literals: &Code, distances: &Code, out: &mut BitWriter) {
    for token in tokens {
        match token {
            Token::Literal(byte) => literals.write(usize::from(*byte), out),
            Token::Match { length, distance } => {
                let (symbol, rest, extra) = length_symbol(*length);
                literals.write(symbol, out);
                out.bits(rest, extra);
                let (symbol, rest, extra) = distance_symbol(*distance);
                distances.write(symbol, out);
                out.bits(rest, extra);
            }
        }
    }
    literals.write(END_OF_BLOCK, out);
}

/// The code lengths of a block, themselves encoded.
struct Header {
    /// Symbols with what follows each: a value and its bits.
    symbols: Vec<(usize, usize, usize)>,
    code: Code,
    frequencies: Vec<u32>,
    /// How many lengths of the code itself are written.
    count: usize,
}

impl Header {
    fn of(lengths: &[u8]) -> Self {
        let symbols = runs(lengths);
        let mut frequencies = vec![0; 19];
        for (symbol, ..) in &symbols {
            frequencies[*symbol] += 1;
        }
        let code = Code::of(&frequencies, 7);
        let last = HEADER_ORDER.iter().rposition(|symbol| frequencies[*symbol] > 0);
        let count = last.map_or(4, |last| (last + 1).max(4));
        Self { symbols, code, frequencies, count }
    }

    fn size(&self) -> usize {
        let rest: usize = self.symbols.iter().map(|(_, _, bits)| bits).sum();
        3 + 5 + 5 + 4 + 3 * self.count + self.code.size(&self.frequencies) + rest
    }

    fn write(&self, literals: usize, distances: usize, out: &mut BitWriter) {
        out.bits(literals - 257, 5);
        out.bits(distances - 1, 5);
        out.bits(self.count - 4, 4);
        for symbol in &HEADER_ORDER[..self.count] {
            out.bits(usize::from(self.code.lengths[*symbol]), 3);
        }
        for (symbol, rest, bits) in &self.symbols {
            self.code.write(*symbol, out);
            out.bits(*rest, *bits);
        }
    }
}

/// Puts equal lengths in a row together: 16 repeats the last one 3 to 6 times, 17 and 18 are 3 to 10 and 11 to
/// 138 zeros.
fn runs(lengths: &[u8]) -> Vec<(usize, usize, usize)> {
    let mut symbols = Vec::new();
    for run in lengths.chunk_by(|a, b| a == b) {
        let length = usize::from(run[0]);
        let mut count = run.len();
        if length == 0 {
            while count >= 11 {
                let taken = count.min(138);
                symbols.push((18, taken - 11, 7));
                count -= taken;
            }
            if count >= 3 {
                symbols.push((17, count - 3, 3));
                count = 0;
            }
        } else {
            symbols.push((length, 0, 0));
            count -= 1;
            while count >= 3 {
                let taken = count.min(6);
                symbols.push((16, taken - 3, 2));
                count -= taken;
            }
        }
        symbols.extend(std::iter::repeat_n((length, 0, 0), count));
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn lengths_and_distances_have_the_symbols_of_the_standard() {
        assert_eq!(length_symbol(3), (257, 0, 0));
        assert_eq!(length_symbol(11), (265, 0, 1));
        assert_eq!(length_symbol(257), (284, 30, 5));
        assert_eq!(length_symbol(258), (285, 0, 0));
        assert_eq!(distance_symbol(1), (0, 0, 0));
        assert_eq!(distance_symbol(32768), (29, 8191, 13));
    }
}
