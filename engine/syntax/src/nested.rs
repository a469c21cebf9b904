//! A box for trees of any depth.
//!
//! A chain of ten thousand operators is a tree ten thousand levels deep. Whoever walks it by recursion
//! needs more stack than a thread has; so the recursion goes through [`deep`], which adds stack when
//! little is left. A [`Nested`] does that by itself when it is dropped, copied, compared or printed.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// When less stack than this is left, more is added. It must hold the frames between one call of
/// [`deep`] and the next.
const RESERVE_BYTES: usize = 128 * 1024;

/// How much is added at once.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// Runs `work` with stack to spare. To be called by a recursive function once in each round.
pub fn deep<R>(work: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RESERVE_BYTES, SEGMENT_BYTES, work)
}

/// A box whose content may be nested to any depth.
// The content is there until the box is dropped, which alone takes it out.
pub struct Nested<T>(Option<Box<T>>);

impl<T> Nested<T> {
    /// Boxes a value.
    pub fn new(value: T) -> Self {
        Self(Some(Box::new(value)))
    }
}

impl<T> Deref for Nested<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().expect("the content leaves only when the box is dropped")
    }
}

impl<T> DerefMut for Nested<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_deref_mut().expect("the content leaves only when the box is dropped")
    }
}

impl<T> Drop for Nested<T> {
    fn drop(&mut self) {
        let content = self.0.take();
        deep(|| drop(content));
    }
}

impl<T: Clone> Clone for Nested<T> {
    fn clone(&self) -> Self {
        deep(|| Self::new((**self).clone()))
    }
}

impl<T: PartialEq> PartialEq for Nested<T> {
    fn eq(&self, other: &Self) -> bool {
        deep(|| **self == **other)
    }
}

impl<T: Eq> Eq for Nested<T> {}

impl<T: fmt::Debug> fmt::Debug for Nested<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        deep(|| (**self).fmt(f))
    }
}

impl<T> From<T> for Nested<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}
