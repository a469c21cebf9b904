//! How a value shows itself to us; never its secrets.

use std::fmt;

use super::{Kind, Value};

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            return f.write_str("(sensitive value)");
        }
        match &self.kind {
            Kind::Null(ty) => write!(f, "null({ty})"),
            Kind::Unknown(ty, None) => write!(f, "unknown({ty})"),
            Kind::Unknown(ty, Some(refinement)) => write!(f, "unknown({ty}, {refinement:?})"),
            Kind::Bool(value) => write!(f, "{value}"),
            Kind::Number(number) => write!(f, "{number}"),
            Kind::String(text) => write!(f, "{text:?}"),
            Kind::List(list) => f.debug_list().entries(&list.items).finish(),
            Kind::Set(set) => f.debug_set().entries(&set.items).finish(),
            Kind::Tuple(tuple) => {
                f.write_str("tuple")?;
                f.debug_list().entries(&tuple.items).finish()
            }
            Kind::Map(map) => {
                f.write_str("map")?;
                f.debug_map().entries(map.entries.iter()).finish()
            }
            Kind::Object(object) => f.debug_map().entries(object.entries.iter()).finish(),
        }
    }
}
