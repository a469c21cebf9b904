use value::Value;

use crate::common::{compile, evaluate};

/// Quadratic work would take hours here; the test would not end.
#[test]
fn large_collections_take_linear_work() {
    let digits = "[for i in range(1000) : i]";
    let million =
        format!("length([for p in setproduct({digits}, range(100)) : p[0] * 100 + p[1]])");
    assert_eq!(evaluate(&million), Value::from(100_000));
    let names = "[for p in setproduct(range(100), range(100)) : \"n${p[0]}-${p[1]}\"]";
    assert_eq!(evaluate(&format!("length(toset({names}))")), Value::from(10_000));
    assert_eq!(evaluate(&format!("length(distinct({names}))")), Value::from(10_000));
    assert_eq!(evaluate(&format!("length({{ for n in {names} : n => n }})")), Value::from(10_000));
    assert_eq!(evaluate(&format!("length(setunion({names}, {names}))")), Value::from(10_000));
    assert_eq!(
        evaluate(&format!("length(merge([for n in {names} : {{ (n) = 1 }}]...))")),
        Value::from(10_000)
    );
}

#[test]
fn many_references_compile_in_linear_work() {
    let text = format!("[{}]", vec!["a.b[c.d[e.f]].g"; 20_000].join(", "));
    assert_eq!(compile(&text).0.references().len(), 60_000);
}

/// Each level costs stack; a test has 2 MiB of it.
#[test]
fn deep_expressions_do_not_exhaust_the_stack() {
    let sum = vec!["n"; 100].join(" + ");
    assert_eq!(evaluate(&sum), Value::from(700));
    let nested = format!("{}n{}", "[".repeat(20), "][0]".repeat(20));
    assert_eq!(evaluate(&nested), Value::from(7));
    let chosen = (0..20).fold("n".to_owned(), |inner, _| format!("n == 7 ? ({inner}) : 0"));
    assert_eq!(evaluate(&chosen), Value::from(7));
}
