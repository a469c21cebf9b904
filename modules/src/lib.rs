//! The standard library of component types, carried by the binary.

/// All files: path relative to the library's root, with forward slashes, and content; in the order of the paths.
pub fn files() -> &'static [(&'static str, &'static [u8])] {
    include!(concat!(env!("OUT_DIR"), "/files.rs"))
}
