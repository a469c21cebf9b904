use proptest::prelude::*;
use value::{Marks, Type, Value};

use super::{Line, named, object};
use crate::values::Sign;

fn shown(lines: &[Line]) -> String {
    let line = |one: &Line| {
        let note = if one.note.is_empty() { String::new() } else { format!(" # {}", one.note) };
        format!("{}{:>3} {}{note}", " ".repeat(one.indent), one.sign.text(), one.text)
    };
    lines.iter().map(|one| line(one).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn becomes(before: impl Into<Value>, after: impl Into<Value>) -> String {
    shown(&named("x = ", &before.into(), &after.into(), 0))
}

fn texts(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|item| Value::from(*item)).collect())
}

#[test]
fn a_long_line_is_compared_by_words() {
    let text = |version: &str| {
        format!(
            "registry.example/team/train:{version} --data /data --epochs 10 --seed 7 --checkpoint-every 1000"
        )
    };
    insta::assert_snapshot!(becomes(&*text("v1"), &*text("v2")), @r#"
      ~ x = (long text, 1 place differs)
          - "…mple/team/train:v1 --data /data --…"
          + "…mple/team/train:v2 --data /data --…"
    "#);
}

#[test]
fn a_list_keeps_what_stays_beside_a_change() {
    let before = texts(&["a", "b", "c", "d", "e", "f"]);
    let after = texts(&["a", "b", "c", "x", "e", "f", "g"]);
    insta::assert_snapshot!(becomes(before, after), @r#"
      ~ x = [
             # (2 unchanged elements hidden)
            "c",
          ~ "d" -> "x",
            "e",
            "f",
          + "g",
        ]
    "#);
}

#[test]
fn what_is_sensitive_on_one_side_is_shown_on_neither() {
    let secret = Value::from("canary").mark(Marks::SENSITIVE);
    let cases = [
        ("turns", Value::from("canary"), secret.clone(), "(sensitive value)"),
        ("turns back", secret.clone(), Value::from("canary"), "(sensitive value)"),
        ("comes", Value::dynamic_null(), secret.clone(), "(sensitive value)"),
        ("goes", secret.clone(), Value::dynamic_null(), "(sensitive value) -> null"),
        ("becomes unknown", secret, Value::unknown(Type::String), "(sensitive value)"),
    ];
    for (case, before, after, expected) in cases {
        let lines = named("x = ", &before, &after, 0);
        let text = shown(&lines);
        assert!(text.contains(expected) && !text.contains("canary"), "{case}: {text}");
    }
}

#[test]
fn values_of_another_kind_show_both() {
    insta::assert_snapshot!(becomes(texts(&["a"]), "b"), @r#"
      ~ x = [
          - "a",
        ] -> "b"
    "#);
}

#[test]
fn nothing_in_a_text_moves_a_cursor() {
    let text = becomes("a", "\u{1b}[2J\u{202e}\u{85}\u{7f}");
    assert_eq!(text, r#"  ~ x = "a" -> "\u001b[2J\u202e\u0085\u007f""#);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::dynamic_null()),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::number(i64::from(n))),
        "[ -~\n\u{1b}\u{202e}é]{0,100}".prop_map(|text| Value::from(&*text)),
        Just(Value::from("{\"a\": [1, \"canary-free\"]}")),
        Just(Value::unknown(Type::String)),
        Just(Value::from("canary").mark(Marks::SENSITIVE)),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::tuple),
            proptest::collection::btree_map("[a-c ]{1,3}", inner, 0..5).prop_map(Value::object),
        ]
    })
}

proptest! {
    #[test]
    fn any_two_values_can_be_compared(before in any_value(), after in any_value()) {
        let wrap = |value: Value| Value::object([("x", value)]);
        let lines = object(&wrap(before.clone()), &wrap(after.clone()), 0, &[]);
        for line in &lines {
            let moves = line.text.contains(['\n', '\u{1b}', '\u{202e}']);
            prop_assert!(!moves && !line.text.contains("canary\""), "{}", line.text);
        }
        if before == after {
            prop_assert!(lines.iter().all(|line| line.sign == Sign::Same));
        } else {
            prop_assert!(lines.iter().any(|line| line.sign != Sign::Same), "{:?}", lines);
        }
    }
}
