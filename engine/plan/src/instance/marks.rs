//! What of an object is secret.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::AttributePath;
use value::{Marks, Value};

/// Marks every string of an object that repeats a secret one of the same object: a provider that echoes a secret
/// input in an output must not give it away. Short strings are left alone, since they repeat by chance.
pub fn mark_echoes(object: Value) -> Value {
    const SHORTEST: usize = 4;
    if !object.deep_marks().contains(Marks::SENSITIVE) {
        return object;
    }
    let mut secrets: BTreeSet<Arc<str>> = BTreeSet::new();
    object.walk(&mut |_, value| {
        if value.is_sensitive() {
            value.walk(&mut |_, inner| {
                secrets.extend(inner.as_arc_str().filter(|text| text.len() >= SHORTEST).cloned());
                true
            });
            return false;
        }
        true
    });
    object.transform(&mut |_, value| {
        let echo = value.as_str().is_some_and(|text| secrets.contains(text));
        if echo { value.mark(Marks::SENSITIVE) } else { value }
    })
}

/// Where a value is sensitive, outermost places only.
pub fn sensitive_paths(value: &Value) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    if value.deep_marks().is_empty() {
        return paths;
    }
    value.walk(&mut |path, value| {
        if value.is_sensitive() {
            paths.push(path.clone());
            return false;
        }
        !value.deep_marks().is_empty()
    });
    paths
}
