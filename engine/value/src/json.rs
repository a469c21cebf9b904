//! JSON: the form of state, of `jsonencode` and of reports.
//!
//! With a type at hand, a value at an `any` position is written as `{"value": …, "type": …}`, so that it
//! reads back with its own type. Marks are not written: who calls decides what may be shown.

mod parse;
mod read;
mod types;
mod write;

pub use parse::{MOST_LEVELS, MOST_VALUE_LEVELS, ParseError, check_levels, parse};
pub use read::{decode, decode_str, from_plain, implied_type};
pub use types::{type_from_json, type_to_json};
pub use write::{encode, encode_string, to_plain, to_string, write_string};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::Type;
    use crate::value::Value;

    #[test]
    fn values_read_back_with_their_type() {
        let ty = Type::object([
            ("any", Type::Dynamic),
            ("list", Type::list(Type::Number)),
            ("map", Type::map(Type::String)),
            ("set", Type::set(Type::String)),
            ("tuple", Type::tuple([Type::Bool, Type::String])),
        ]);
        let value = Value::object([
            ("any", Value::tuple(vec![Value::from(1), Value::from("é\n\u{1}")])),
            ("list", Value::list(Type::Number, vec![Value::from(1), Value::null(Type::Number)])),
            ("map", Value::map(Type::String, [("k", Value::from("v"))])),
            ("set", Value::set(Type::String, vec!["b".into(), "a".into()])),
            ("tuple", Value::tuple(vec![true.into(), "x".into()])),
        ]);
        let text = encode_string(&value, &ty).expect("known values can be written");
        assert_eq!(
            text,
            r#"{"any":{"value":[1,"é\n\u0001"],"type":["tuple",["number","string"]]},"list":[1,null],"map":{"k":"v"},"set":["a","b"],"tuple":[true,"x"]}"#
        );
        assert_eq!(decode_str(&text, &ty), Ok(value.clone()));
        let tree = encode(&value, &ty).expect("known values can be written");
        assert_eq!(decode(&tree, &ty), Ok(value));
    }

    #[test]
    fn types_read_back() {
        for ty in [
            Type::Dynamic,
            Type::list(Type::map(Type::Bool)),
            Type::tuple([Type::Number, Type::set(Type::String)]),
            Type::object_with_optional([("a", Type::String, true), ("b", Type::Number, false)]),
        ] {
            assert_eq!(type_from_json(&type_to_json(&ty)), Ok(ty));
        }
    }

    #[test]
    fn what_does_not_fit_the_type_is_named_by_its_path() {
        let ty = Type::object([("n", Type::list(Type::Number))]);
        let error = decode_str(r#"{"n":[1,"x"]}"#, &ty).expect_err("a word is no number");
        assert_eq!(error.to_string(), "n[1]: a number is required");
        let error =
            decode_str(r#"{"n":[],"more":1}"#, &ty).expect_err("the type has no such attribute");
        assert_eq!(error.to_string(), "unsupported attribute `more`");
    }

    #[test]
    fn plain_text_keeps_numbers_exact() {
        let value = from_plain(
            &serde_json::from_str(r#"{"a":[0.10,1e3,12345678901234567890]}"#).expect("JSON"),
        );
        assert_eq!(to_string(&value), r#"{"a":[0.1,1000,12345678901234567890]}"#);
    }
}
