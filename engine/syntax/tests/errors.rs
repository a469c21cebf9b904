//! Which faults are told, and where, one line for each; and texts of great depth.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test binary")]

use stratiform_syntax as syntax;
use syntax::{Body, Diagnostics, ExprKind, SourceMap};

fn parse(text: &str) -> (Body, Diagnostics, SourceMap) {
    let mut map = SourceMap::new();
    let (body, faults) = syntax::parse(&mut map, "main.tf", text.as_bytes());
    (body, faults, map)
}

/// `line:column message: label` for each fault.
fn told(text: &str) -> Vec<String> {
    let (_, faults, map) = parse(text);
    let mut lines = Vec::new();
    for fault in faults.iter() {
        let label = fault.labels().and_then(|mut labels| labels.next()).unwrap();
        let place = map.locate(u32::try_from(label.offset()).unwrap());
        let what = label.label().unwrap_or_default().to_owned();
        lines.push(format!("{}:{} {fault}: {what}", place.line, place.column));
    }
    lines
}

#[test]
fn every_independent_fault_is_told_once() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "values that are missing",
            "a = \nb = 1 +\nc = [1, , 2]\nd = 1\n",
            &[
                "1:5 unexpected end of the line: a value belongs here",
                "2:8 unexpected end of the line: a value belongs here",
                "3:9 unexpected `,`: a value belongs here",
            ],
        ),
        (
            "items of one object",
            "a = {\n  b = 1 +\n  c 2\n  d = 3\n  e = [1 2]\n}\nf = \n",
            &[
                "2:10 unexpected end of the line: a value belongs here",
                "3:5 unexpected `2`: `=` and the value of the key belong here",
                "5:10 unexpected `2`: `,` or `]` belongs here",
                "7:5 unexpected end of the line: a value belongs here",
            ],
        ),
        (
            "interpolations of one string",
            "a = \"${} and ${b c} and ${d}\"\ne = f(,)\n",
            &[
                "1:8 unexpected `}`: a value belongs here",
                "1:18 unexpected `c`: `}` belongs here",
                "2:7 unexpected `,`: a value belongs here",
            ],
        ),
        (
            "nested blocks",
            "a {\n  b {\n    c = \n  }\n  d = ]\n  e f = 1\n}\ng = )\n",
            &[
                "3:9 unexpected end of the line: a value belongs here",
                "5:7 unexpected `]`: a value belongs here",
                "6:7 unexpected `=`: a label or `{` belongs here",
                "8:5 unexpected `)`: a value belongs here",
            ],
        ),
        (
            "a bracket that is not closed in an attribute",
            "a {\n  b = [1, 2\n  c = 3\n  d = \n}\ne = \n",
            &[
                "2:7 unclosed list or index: opened here",
                "4:7 unexpected end of the line: a value belongs here",
                "6:5 unexpected end of the line: a value belongs here",
            ],
        ),
        (
            "a bracket that is not closed at the end of a block",
            "a {\n  b = f(1, {\n    c = 2\n  }\n}\ne = \n",
            &[
                "2:8 unclosed parenthesis: opened here",
                "6:5 unexpected end of the line: a value belongs here",
            ],
        ),
        (
            "a block that is not closed",
            "a \"b\" {\n  c = 1\n\nd \"e\" {\n  f = \n}\n",
            &[
                "1:7 unclosed block or object: opened here",
                "5:7 unexpected end of the line: a value belongs here",
            ],
        ),
        (
            "an inner block that is not closed",
            "a {\n  b {\n    c = 1\n}\n\nd {\n}\n",
            &["2:5 unclosed block or object: opened here"],
        ),
        (
            "a brace too many",
            "a {\n}\n}\nb = 1\nc = \n",
            &[
                "3:1 unexpected `}`: nothing is open that this could close",
                "5:5 unexpected end of the line: a value belongs here",
            ],
        ),
        (
            "strings that are not closed",
            "a = \"x\nb = [\"y, 1]\nc = \"${d\"\ne = \"%{ if f }\"\n",
            &[
                "1:5 unclosed string: opened here",
                "2:6 unclosed string: opened here",
                "3:6 unclosed interpolation: opened here",
                "4:6 unclosed `if` directive: opened here",
            ],
        ),
        (
            "signs of other languages",
            "a = 'x'\nb = 1;\nc = d & e\nf = “g”\nh: 1\n",
            &[
                "1:5 unexpected `'`: strings stand in double quotes",
                "2:6 unexpected `;`: lines end without a sign",
                "3:7 unexpected `&`: the operator is `&&`",
                "4:5 unexpected `“`: strings stand in straight quotes",
                "5:2 unexpected `:`: `=` or `{` belongs after `h`",
            ],
        ),
        (
            "faults beside the way",
            "a = \"\\q \\u12\"\na = 2\nb = c.0.1\nd = \"%{ if e }%{ endfor }\"\n",
            &[
                "1:6 unknown escape sequence `\\q`: not an escape",
                "1:9 unknown escape sequence `\\u`: not an escape",
                "1:1 attribute `a` is set twice: first set here",
                "3:7 unexpected `0.1` after `.`: a name or a whole number belongs here",
                "4:15 unexpected `endfor` directive: `%{ endif }` must come first",
            ],
        ),
        (
            "a here-document that the end of the file cuts off",
            "a = 1\nb = <<EOT\nx\nEOT",
            &["2:5 unclosed here-document: opened here"],
        ),
        ("a comment that is not closed", "a = 1 /* b\n", &["1:7 unclosed comment: opened here"]),
    ];
    for (name, text, expected) in table {
        let found = told(text);
        let sorted = |lines: Vec<String>| {
            let mut lines = lines;
            lines.sort();
            lines
        };
        let expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(sorted(found), sorted(expected), "{name}\n{text}");
    }
}

#[test]
fn what_can_be_read_beside_a_fault_is_kept() {
    let (body, _, _) = parse("a = 1\nb = \nc {\n  d = 1\n  e = ]\n  f = 2\n}\ng = {\n  h = \n}\n");
    assert!(body.incomplete && body.attribute("a").is_some() && body.attribute("b").is_none());
    // An object that lacks an item is no value to work with.
    assert!(body.attribute("g").is_none());
    let block = &body.blocks[0].body;
    assert!(block.incomplete);
    let names: Vec<_> = block.names().map(syntax::Ident::as_str).collect();
    assert_eq!(names, ["d", "f"]);
}

/// Tests run on threads of 2 MiB.
#[test]
fn chains_may_be_of_any_length() {
    let many = 20_000;
    let texts = [
        vec!["1"; many].join(" + "),
        format!("{}2", "true ? 1 : ".repeat(many)),
        format!("{}true", "!".repeat(many)),
        format!("a{}", ".b".repeat(many)),
        format!("a{}", "[0]".repeat(many)),
        format!("a[*]{}", ".b".repeat(many)),
        format!("[{}]", vec!["1"; many].join(",")),
    ];
    for text in texts {
        let (body, faults, _) = parse(&format!("a = {text}\n"));
        assert!(!faults.has_errors());
        let copy = body.clone();
        assert!(copy == body);
        assert!(!format!("{copy:?}").is_empty());
    }
}

#[test]
fn nesting_ends_with_a_diagnostic() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a=", "}"),
        ("f(", ")"),
        ("\"${", "}\""),
        ("a[", "]"),
        ("[for a in ", " : a]"),
        ("a ? ", " : b"),
        ("\"%{ if true }%{ endif }\" == \"${", "}\""),
    ] {
        let nested = |depth: usize| format!("a = {}1{}\n", open.repeat(depth), close.repeat(depth));
        let (body, faults, _) = parse(&nested(120));
        assert!(!faults.has_errors(), "{open}: {faults:?}");
        assert!(!matches!(body.attributes[0].expr.kind, ExprKind::Null));
        for depth in [300, 100_000] {
            let (_, faults, _) = parse(&nested(depth));
            let codes: Vec<_> =
                faults.iter().filter_map(|fault| fault.code()).map(|c| c.to_string()).collect();
            assert_eq!(codes, ["stratiform::syntax::too_deep"], "{open} {depth}");
        }
    }
    let blocks = format!("{}{}", "a {\n".repeat(100_000), "}\n".repeat(100_000));
    assert!(parse(&blocks).1.has_errors());
    let directives =
        format!("a = \"{}{}\"", "%{ if true }".repeat(100_000), "%{ endif }".repeat(100_000));
    assert!(parse(&directives).1.has_errors());
}
