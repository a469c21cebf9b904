use lang::{TypeConstraint, parse_type};
use syntax::SourceMap;
use value::{Type, Value};

use crate::common::evaluate;

fn constraint(text: &str) -> (TypeConstraint, Vec<String>) {
    let mut map = SourceMap::new();
    let (body, _) = syntax::parse(&mut map, "test.tf", format!("x = {text}\n").as_bytes());
    let (found, faults) = parse_type(&body.attribute("x").expect("one attribute").expr);
    (found, faults.iter().map(ToString::to_string).collect())
}

#[test]
fn types_read_as_they_are_written() {
    for text in [
        "string",
        "list(number)",
        "map(list(bool))",
        "set(any)",
        "tuple([string, number])",
        "object({a = string, b = optional(number)})",
    ] {
        let (found, faults) = constraint(text);
        assert!(faults.is_empty(), "{text}: {faults:?}");
        assert_eq!(found.ty.to_string().replace(' ', ""), text.replace(' ', ""), "{text}");
    }
    assert_eq!(constraint("list").0.ty, Type::list(Type::Dynamic));
}

#[test]
fn what_is_no_type_is_a_fault() {
    let table = [
        ("strng", "not a type: no type is called `strng`"),
        ("\"string\"", "not a type: a type stands without quotes"),
        ("list()", "not a type: one element type is expected"),
        ("object(string)", "not a type: an object of attribute types is expected"),
        ("optional(string)", "not a type: `optional` is for attributes of an object"),
        ("object({ a = set })", "not a type: the element type is missing"),
    ];
    for (text, expected) in table {
        assert_eq!(constraint(text).1, [expected], "{text}");
    }
}

#[test]
fn defaults_fill_what_is_missing_or_null() {
    let table = [
        ("object({ a = optional(string, \"d\") })", "{}", "{ a = \"d\" }"),
        ("object({ a = optional(string, \"d\") })", "{ a = null }", "{ a = \"d\" }"),
        ("object({ a = optional(string, \"d\") })", "{ a = \"x\" }", "{ a = \"x\" }"),
        (
            "list(object({ a = optional(object({ b = optional(number, 1) }), {}) }))",
            "[{}, { a = { b = 2 } }]",
            "tolist([{ a = { b = 1 } }, { a = { b = 2 } }])",
        ),
        ("map(object({ a = optional(bool, true) }))", "{ k = {} }", "tomap({ k = { a = true } })"),
        ("object({ a = optional(list(string), []) })", "{}", "{ a = compact([]) }"),
    ];
    for (ty, given, expected) in table {
        let (constraint, faults) = constraint(ty);
        assert!(faults.is_empty(), "{ty}: {faults:?}");
        let found = constraint.accept(evaluate(given)).unwrap_or_else(|e| panic!("{ty}: {e}"));
        let expected = value::convert(&evaluate(expected), &constraint.ty).expect("it converts");
        assert_eq!(found, expected, "{ty} of {given}");
    }
    let (constraint, _) = constraint("object({ a = optional(string, \"d\") })");
    assert_eq!(constraint.accept(Value::dynamic_null()).map(|value| value.is_null()), Ok(true));
}
