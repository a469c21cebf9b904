use address::AttributePath;
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

/// A resource with a list, a set and a map of blocks, as providers of the older kind have them.
fn machine() -> sdk::Block {
    let nested = |nesting, block| sdk::NestedBlock { nesting, block, min_items: 0, max_items: 0 };
    let disk = sdk::Block::new()
        .optional("device", Type::String, "")
        .optional("kind", Type::String, "")
        .optional("gib", Type::Number, "");
    let rule = sdk::Block::new()
        .optional("port", Type::Number, "")
        .optional("from", Type::String, "")
        .optional("note", Type::String, "");
    sdk::Block::new()
        .optional("name", Type::String, "")
        .optional("size", Type::String, "")
        .optional("labels", Type::map(Type::String), "")
        .block("disk", nested(sdk::Nesting::List, disk))
        .block("rule", nested(sdk::Nesting::Set, rule))
}

fn disk(device: &str, kind: &str, gib: i64) -> Value {
    Value::object([
        ("device", Value::from(device)),
        ("kind", Value::from(kind)),
        ("gib", Value::number(gib)),
    ])
}

fn rule(port: i64, note: Value) -> Value {
    Value::object([
        ("port", Value::number(port)),
        ("from", Value::from("10.0.0.0/8")),
        ("note", note),
    ])
}

fn a_machine(size: &str, disks: Vec<Value>, rules: Vec<Value>) -> Value {
    let labels = [("team", Value::from("research"))];
    let rule = sdk::Block::new()
        .optional("port", Type::Number, "")
        .optional("from", Type::String, "")
        .optional("note", Type::String, "");
    Value::object([
        ("name", Value::from("node")),
        ("size", Value::from(size)),
        ("labels", Value::map(Type::String, labels)),
        ("disk", Value::tuple(disks)),
        ("rule", Value::set(rule.ty(), rules)),
    ])
}

fn blocks(before: &Value, after: &Value, forced: &[AttributePath]) -> String {
    shown(&object(before, after, 0, forced, Some(&machine())))
}

#[test]
fn blocks_stand_below_the_attributes_and_each_shows_what_becomes_of_it() {
    let null = Value::dynamic_null;
    let quiet = Value::from("");
    let before = a_machine(
        "small",
        vec![disk("a", "gp3", 1), disk("b", "", 2), disk("c", "gp3", 3)],
        vec![rule(22, null()), rule(80, null()), rule(443, null())],
    );
    let after = a_machine(
        "large",
        vec![disk("a", "gp3", 1), disk("b", "io2", 2)],
        vec![rule(22, quiet.clone()), rule(8080, quiet.clone()), rule(443, quiet)],
    );
    let path = AttributePath::root().attribute("disk");
    insta::assert_snapshot!(blocks(&before, &after, &[path]), @r#"
      name = "node"
    ~ size = "small" -> "large"
       # (1 unchanged attribute hidden)

    ~ disk { # forces replacement
        ~ kind = "" -> "io2"
           # (2 unchanged attributes hidden)
      }
    - disk { # forces replacement
        - device = "c" -> null
        - gib    = 3 -> null
        - kind   = "gp3" -> null
      }

    - rule {
        - from = "10.0.0.0/8" -> null
        - port = 80 -> null
      }
    + rule {
        + from = "10.0.0.0/8"
        + port = 8080
           # (1 unchanged attribute hidden)
      }

       # (3 unchanged blocks hidden)
    "#);
    insta::assert_snapshot!(blocks(&null(), &after, &[]), @r#"
    + labels = {
        + "team" = "research"
      }
    + name   = "node"
    + size   = "large"

    + disk {
        + device = "a"
        + gib    = 1
        + kind   = "gp3"
      }
    + disk {
        + device = "b"
        + gib    = 2
        + kind   = "io2"
      }

    + rule {
        + from = "10.0.0.0/8"
        + port = 22
           # (1 unchanged attribute hidden)
      }
    + rule {
        + from = "10.0.0.0/8"
        + port = 443
           # (1 unchanged attribute hidden)
      }
    + rule {
        + from = "10.0.0.0/8"
        + port = 8080
           # (1 unchanged attribute hidden)
      }
    "#);
}

#[test]
fn nulls_that_become_empty_are_shown_only_where_nothing_else_is() {
    let of = |note: Value| a_machine("small", Vec::new(), vec![rule(22, note)]);
    insta::assert_snapshot!(blocks(&of(Value::dynamic_null()), &of(Value::from("")), &[]), @r#"
      name = "node"
       # (2 unchanged attributes hidden)

    ~ rule {
        + note = ""
           # (2 unchanged attributes hidden)
      }
    "#);
}

#[test]
fn blocks_that_are_secret_or_not_known_are_told_of_as_a_whole() {
    let with = |disks: Value| Value::object([("name", Value::from("node")), ("disk", disks)]);
    let disks = Value::tuple(vec![disk("canary", "gp3", 1)]);
    let secret = with(disks.clone().mark(Marks::SENSITIVE));
    let unknown = with(Value::unknown(Type::list(disk("a", "b", 1).ty())));
    let text = blocks(&with(disks), &secret, &[]) + "\n" + &blocks(&secret, &unknown, &[]);
    assert!(!text.contains("canary"), "{text}");
    insta::assert_snapshot!(text, @r#"
      name = "node"

    ~ disk (sensitive value)
      name = "node"

    ~ disk (sensitive value)
    "#);
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
        let lines = object(&wrap(before.clone()), &wrap(after.clone()), 0, &[], None);
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
