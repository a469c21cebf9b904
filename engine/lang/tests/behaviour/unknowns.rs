use value::{Marks, Type, Value};

use crate::common::evaluate;

#[test]
fn what_depends_on_the_unknown_is_unknown_and_the_rest_is_not() {
    let table = [
        ("unknown == \"a\"", None),
        ("unknown == null", Some(Value::from(false))),
        ("\"a-${unknown}\" == \"b\"", Some(Value::from(false))),
        ("startswith(\"a-${unknown}\", \"a-\")", Some(Value::from(true))),
        ("length([unknown])", Some(Value::from(1))),
        ("length(toset([unknown]))", Some(Value::from(1))),
        ("length(unknown_list)", None),
        ("[for k in unknown_list : k]", None),
        ("{ (unknown) = 1 }", None),
        ("keys({ a = unknown })", Some(Value::tuple(vec!["a".into()]))),
        ("contains([unknown], \"a\")", None),
        ("contains([unknown, \"a\"], \"a\")", Some(Value::from(true))),
        ("element([unknown, \"b\"], 1)", Some(Value::from("b"))),
        ("[unknown, \"b\"][1]", Some(Value::from("b"))),
        ("merge({ a = 1 }, { b = unknown }).a", Some(Value::from(1))),
        ("try(unknown, \"z\")", None),
        ("can(unknown)", None),
        ("try(anything.a.b, 1)", None),
        ("false && unknown == \"a\"", None),
        ("unknown == \"a\" ? \"same\" : \"same\"", None),
        ("anything[*].id", None),
        ("jsonencode({ a = unknown })", None),
        ("coalesce(unknown, \"b\")", None),
    ];
    for (text, expected) in table {
        let found = evaluate(text);
        match expected {
            Some(expected) => assert_eq!(found, expected, "{text}"),
            None => assert!(!found.is_wholly_known(), "{text} gave {found:?}"),
        }
    }
}

#[test]
fn unknown_results_have_the_type_that_they_will_have() {
    let table = [
        ("unknown == \"a\" ? 1 : \"b\"", Type::String),
        ("unknown_list[*]", Type::list(Type::String)),
        ("unknown_list[0]", Type::String),
        ("unknown[*]", Type::tuple([Type::String])),
        ("upper(unknown)", Type::String),
        ("{ a = unknown }", Type::object([("a", Type::String)])),
    ];
    for (text, expected) in table {
        assert_eq!(evaluate(text).ty(), expected, "{text}");
    }
}

#[test]
fn marks_pass_from_operands_to_results() {
    let whole = [
        "length(secret)",
        "\"x${secret}\"",
        "secret == \"sec\"",
        "secret == \"sec\" ? 1 : 2",
        "{ for i in [secret] : i => 1 }",
        "toset([secret])",
        "contains([secret], \"a\")",
        "jsonencode({ a = secret })",
        "[1, 2, 3][length(secret) - 1]",
        "secrets.a",
        "coalesce(secret, \"b\")",
        "max([for c in [secret] : length(c)]...)",
        "templatestring(template, { a = secret })",
    ];
    for text in whole {
        assert!(evaluate(text).is_sensitive(), "{text}");
    }
    let inside = [
        "[secret]",
        "{ a = secret }",
        "[for i in [secret] : upper(i)]",
        "values({ a = secret })",
        "flatten([[secret], 1])",
        "concat([secret], [1])",
        "merge({ a = secret }, { b = 1 })",
    ];
    for text in inside {
        let found = evaluate(text);
        assert!(!found.is_sensitive() && found.deep_marks() == Marks::SENSITIVE, "{text}");
    }
    for text in [
        "length([secret])",
        "keys({ a = secret })",
        "lookup({ a = secret, b = 2 }, \"b\")",
        "nonsensitive(secret)",
        "issensitive(secret)",
    ] {
        assert!(evaluate(text).deep_marks().is_empty(), "{text}");
    }
}
