//! One copy of each name.
//!
//! A configuration says the same few words over and over: `name`, `tags`, `var`. Each is kept once and
//! shared, which saves most of the memory of a tree.

use std::sync::Arc;

/// Longer texts are hardly ever repeated.
const LONGEST_SHARED: usize = 40;

/// The texts that were met so far.
#[derive(Default)]
pub(crate) struct Names {
    texts: Vec<Arc<str>>,
    /// Open addressing: 0 for a free place, else one more than a place in `texts`. Its length is a power
    /// of two, and at least half of it is free.
    slots: Vec<u32>,
}

impl Names {
    /// The shared copy of a text.
    pub(crate) fn share(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST_SHARED {
            return Arc::from(text);
        }
        if self.slots.len() < 2 * (self.texts.len() + 1) {
            self.grow();
        }
        let mut slot = self.slot_of(text);
        loop {
            match self.slots[slot] {
                0 => {
                    let shared: Arc<str> = Arc::from(text);
                    self.texts.push(Arc::clone(&shared));
                    self.slots[slot] = u32::try_from(self.texts.len()).unwrap_or(0);
                    return shared;
                }
                at => {
                    let known = &self.texts[at as usize - 1];
                    if **known == *text {
                        return Arc::clone(known);
                    }
                }
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    fn slot_of(&self, text: &str) -> usize {
        // FNV-1a, folded. Ties are only slow, so nobody's choice of names can do harm beyond that.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        usize::try_from((hash ^ (hash >> 32)) & 0xffff_ffff).unwrap_or(0) & (self.slots.len() - 1)
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.slots.len() * 2).max(64)];
        for at in 0..self.texts.len() {
            let mut slot = self.slot_of(&self.texts[at]);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = u32::try_from(at + 1).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut names = Names::default();
        let first: Vec<_> = (0..500).map(|n| names.share(&format!("name{n}"))).collect();
        for (n, name) in first.iter().enumerate() {
            assert!(Arc::ptr_eq(name, &names.share(&format!("name{n}"))));
        }
    }
}
