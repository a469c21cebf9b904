use lang::TraversalStep;

use crate::common::compile;

fn references(text: &str) -> Vec<String> {
    compile(text).0.references().iter().map(ToString::to_string).collect()
}

#[test]
fn references_are_known_without_evaluating() {
    let table: [(&str, &[&str]); 8] = [
        ("a.b[0].c", &["a.b[0].c"]),
        ("a.b[\"k\"]", &["a.b[\"k\"]"]),
        ("a.b[count.index].id", &["count.index", "a.b[…].id"]),
        ("a.b[*].id", &["a.b[*]"]),
        ("[for x in a.b : \"${x} ${y.z}\" if x != w.v]", &["a.b", "y.z", "w.v"]),
        ("{ for k, v in a.b : k => v.c }", &["a.b"]),
        ("f.g ? h.i : j.k.0", &["f.g", "h.i", "j.k[0]"]),
        ("1 + 2", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(references(text), expected, "{text}");
    }
}

#[test]
fn an_expression_that_is_one_reference_says_so() {
    assert!(compile("a.b[0]").0.as_traversal().is_some());
    assert!(compile("\"${a.b}\"").0.as_traversal().is_some());
    assert!(compile("a.b + 1").0.as_traversal().is_none());
    let (expression, _) = compile("a.b[c.d]");
    let traversal = expression.as_traversal().expect("it is one reference");
    assert!(matches!(traversal.steps.last(), Some(TraversalStep::Dynamic(..))));
}

#[test]
fn constants_are_computed_when_compiled() {
    for text in ["5", "-5", "\"a\"", "[1, { a = [true, null] }]", "(1)"] {
        assert!(compile(text).0.as_constant().is_some(), "{text}");
    }
    assert!(compile("[a]").0.as_constant().is_none());
}
