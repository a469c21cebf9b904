use std::collections::BTreeSet;

use lang::testing::FixedWorld;
use value::{Type, Value};

use crate::common::{compile, evaluate, try_evaluate};

#[test]
fn every_function_is_described_and_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for info in lang::functions() {
        assert!(names.insert(info.name), "{} stands twice in the table", info.name);
        assert!(
            info.description.ends_with('.') || info.description.ends_with('`'),
            "{}",
            info.name
        );
        assert!(info.description.starts_with(char::is_uppercase), "{}", info.name);
        assert!(info.usage().starts_with(info.name));
    }
    assert!(names.len() > 100, "{}", names.len());
}

#[test]
fn every_error_code_is_documented_once() {
    let codes: BTreeSet<&str> = lang::error_docs().iter().map(|doc| doc.code).collect();
    assert_eq!(codes.len(), lang::error_docs().len());
}

#[test]
fn files_are_read_through_the_world() {
    let world = FixedWorld::with_files([
        ("a.txt", "hello"),
        ("t.tftpl", "%{ for n in names ~}\n${n}!\n%{ endfor ~}\n"),
        ("bad.tftpl", "first\n${nope}\n"),
        ("files/x.py", ""),
        ("files/deep/y.py", ""),
        ("files/z.txt", ""),
    ]);
    let table = [
        ("file(\"a.txt\")", Value::from("hello")),
        ("fileexists(\"a.txt\")", Value::from(true)),
        ("fileexists(\"b.txt\")", Value::from(false)),
        ("filebase64(\"a.txt\")", Value::from("aGVsbG8=")),
        ("filemd5(\"a.txt\")", Value::from("5d41402abc4b2a76b9719d911017c592")),
        (
            "fileset(\"files\", \"**/*.py\")",
            Value::set(Type::String, vec!["deep/y.py".into(), "x.py".into()]),
        ),
        (
            "fileset(\"files\", \"*.{py,txt}\")",
            Value::set(Type::String, vec!["x.py".into(), "z.txt".into()]),
        ),
        ("templatefile(\"t.tftpl\", { names = [\"a\", \"b\"] })", Value::from("a!\nb!\n")),
        ("abspath(\"x/../y\")", Value::from("/stack/y")),
        ("pathexpand(\"~/x\")", Value::from("/home/somebody/x")),
    ];
    for (text, expected) in table {
        let found = try_evaluate(text, &world).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!(found, expected, "{text}");
    }
    let faults = try_evaluate("templatefile(\"bad.tftpl\", {})", &world).expect_err("no such name");
    let message = faults.iter().next().expect("there is a fault").to_string();
    assert!(message.contains("in `bad.tftpl`, line 2, column 3: unknown name `nope`"), "{message}");
}

#[test]
fn functions_that_differ_from_call_to_call_are_unknown_in_a_plan() {
    for text in ["timestamp()", "uuid()"] {
        assert!(evaluate(text).is_unknown(), "{text}");
        assert!(compile(text).0.uses_impure(), "{text}");
    }
    assert_eq!(evaluate("plantimestamp()"), Value::from("2026-01-02T03:04:05Z"));
    assert!(!compile("plantimestamp()").0.uses_impure());
}

#[test]
fn bcrypt_makes_hashes_that_its_text_verifies() {
    let (expression, _) = compile("bcrypt(\"s3cret\", 4)");
    let world = FixedWorld::default();
    let hash = expression
        .evaluate(&lang::Context {
            scope: &lang::NoNames,
            world: &world,
            phase: lang::Phase::Apply,
            module_dir: std::path::Path::new("."),
            functions: None,
        })
        .expect("it has a value");
    let hash = hash.as_str().expect("a hash is a text");
    assert!(hash.starts_with("$2a$04$"), "{hash}");
    assert_eq!(bcrypt::verify("s3cret", hash).ok(), Some(true));
    assert_eq!(bcrypt::verify("s3cret!", hash).ok(), Some(false));
}

/// Files that are templates hold what nobody meant as text. What they give was observed with Terraform 1.11.4: from a
/// carriage return that ends no line on, everything is text.
#[test]
fn templates_take_carriage_returns_and_nul_characters() {
    let table: [(&str, Option<&str>); 19] = [
        ("x\ry", Some("x\ry")),
        ("a${1}\rb${2}\nc${3}", Some("a1\rb${2}\nc${3}")),
        ("x\r%{ if true }a%{ endif }", Some("x\r%{ if true }a%{ endif }")),
        ("a\r\r\nb${1}", Some("a\r\r\nb${1}")),
        ("a\r$${c}%%{d}", Some("a\r${c}%{d}")),
        ("%\r\n${1}", Some("%\r\n1")),
        ("${1 ~}\r b", Some("1b")),
        ("${1 ~}\r \n  c", Some("1c")),
        ("${1 ~}  \r  \r  c", Some("1\r  \r  c")),
        ("${1 ~}\n\r x", Some("1\r x")),
        ("%{ if true }\r%{ endif }", None),
        ("a${\"x\ry\"}", None),
        ("a${1\r}", None),
        ("a${<<E\nx\ry\nE\n}", None),
        ("\0", Some("\0")),
        ("a\0${1}", Some("a\u{0}1")),
        ("${\"a\0b\"}x", Some("a\0bx")),
        ("a${1 /* \0 */}", Some("a1")),
        ("${1 \0}", None),
    ];
    for (template, expected) in table {
        let world = FixedWorld::with_files([("/stack/t.tftpl", template)]);
        let found = try_evaluate("\"${templatefile(\"t.tftpl\", {})}\"", &world).ok();
        assert_eq!(found, expected.map(Value::from), "{template:?}");
    }
}
