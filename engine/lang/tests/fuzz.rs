//! Random templates and expressions, evaluated.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test binary"
)]

#[path = "../../syntax/tests/fuzz/driver.rs"]
mod driver;

use std::path::Path;

use driver::fuzz;
use lang::testing::FixedWorld;
use lang::{Context, EvalError, Lookup, Phase, Scope, Step};
use stratiform_lang as lang;
use syntax::testing::{Random, mutate};
use syntax::{Diagnostics, Ident, SourceMap, Span};
use value::{Marks, Type, Value};

struct Names;

impl Scope for Names {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let texts = |items: &[&str]| {
            Value::list(Type::String, items.iter().map(|item| Value::from(*item)).collect())
        };
        let value = match root.as_str() {
            "name" => Value::from("chat"),
            "n" => Value::from(7),
            "list" => texts(&["a", "b", "é"]),
            "none" => texts(&[]),
            "map" => Value::map(Type::Number, [("a", Value::from(1)), ("b", Value::from(2))]),
            "object" => Value::object([("a", Value::from("x")), ("b", texts(&["y"]))]),
            "nothing" => Value::null(Type::String),
            "unknown" => Value::unknown(Type::String),
            "unknowns" => Value::unknown(Type::list(Type::String)),
            "secret" => Value::from("geheim").mark(Marks::SENSITIVE),
            "inner" => Value::from("<${x}>"),
            _ => {
                let name = root.text.to_string();
                return Err(EvalError::UnknownName { name, span, suggestion: None }.into());
            }
        };
        Ok(Lookup::root(value))
    }
}

const PARTS: &[&str] = &[
    "text ",
    "line\n",
    "${name}",
    "${ n + 1 ~}\n",
    "%{ for x in list }${x},%{ endfor }",
    "%{~ for k, v in map ~}\n${k}=${v}\n%{~ endfor ~}\n",
    "%{ if n > 3 }big%{ else }small%{ endif }",
    "%{ if unknown == \"a\" }${secret}%{ endif }",
    "$${literal} %%{literal}",
    "${[for x in list : upper(x) if x != \"a\"][0]}",
    "${jsonencode(object)}",
    "${object.b[0]} ${map[\"a\"]} ${list[*]}",
    "${join(\"-\", unknowns)}",
    "${secret}",
    "${nothing}",
    "${templatestring(inner, { x = name })}",
    "${try(object.missing, \"fallback\")}",
    "${\"${\"nested ${name}\"}\"}",
    "${format(\"%05d %s %q\", n, name, list[1])}",
    "${ { for k, v in map : v => k... } }",
    "${none == [] ? \"y\" : \"n\"}",
    "${regexall(\"[a-z]+\", name)[0]}",
    "${yamlencode(object)}${base64gzip(name)}",
    "${replace(name, \"/(h)(a)/\", \"$2$1\")}",
    "${substr(name, -2, -1)}${cidrsubnet(\"10.0.0.0/8\", n, 2)}",
    "é\u{301}日本 \"quotes\" \\n",
];

/// A text whose sequences are escaped is a template of that text; what files may not hold (NUL, a CR alone) and drop (a byte
/// order mark) aside.
fn escaped_text_is_itself(text: &str, ctx: &Context<'_>) {
    let escaped = text.replace("${", "$${").replace("%{", "%%{");
    let mut map = SourceMap::new();
    let (expr, faults) = syntax::parse_template(&mut map, "a.tftpl", &escaped);
    assert!(!faults.has_errors(), "{faults:?} of {escaped:?}");
    let (expression, faults) = lang::compile(&expr.expect("it has no faults"));
    assert!(!faults.has_errors(), "{faults:?} of {escaped:?}");
    let found = expression.evaluate(ctx).unwrap_or_else(|faults| panic!("{faults:?} of {text:?}"));
    // Texts are normalised when they become values.
    assert_eq!(found, Value::from(text), "{escaped:?}");
}

#[test]
fn templates() {
    let world = FixedWorld::default();
    let ctx = Context {
        scope: &Names,
        world: &world,
        phase: Phase::Plan,
        module_dir: Path::new("."),
        functions: None,
    };
    fuzz("templates", |seed| {
        let mut random = Random(seed);
        let text: String = (0..random.below(6)).map(|_| random.one_of(PARTS)).collect();
        let bytes = if random.once_in(5) { text.into_bytes() } else { mutate(&mut random, &text) };
        let text = String::from_utf8_lossy(&bytes);
        let odd = text.contains('\0') || text.starts_with('\u{feff}');
        if !odd && !text.replace("\r\n", "").contains('\r') {
            escaped_text_is_itself(&text, &ctx);
        }
        let mut map = SourceMap::new();
        let (expr, faults) = syntax::parse_template(&mut map, "a.tftpl", &text);
        if faults.has_errors() {
            return;
        }
        let (expression, faults) = lang::compile(&expr.unwrap());
        if faults.has_errors() {
            return;
        }
        let once = expression.evaluate(&ctx);
        let names_secret = expression.references().iter().any(|one| one.root.as_str() == "secret");
        let limit = map.files().last().map_or(0, |file| file.span().end as usize) + 1;
        match &once {
            Ok(value) => {
                assert!(names_secret || !value.is_sensitive(), "{value:?} of {text:?}");
                // Only what the text names can be in the result, and a mark follows its value.
                if format!("{value:?}").contains("geheim") {
                    assert!(
                        text.contains("geheim") || !value.deep_marks().is_empty(),
                        "{value:?} of {text:?}"
                    );
                }
            }
            Err(faults) => {
                for fault in faults.iter() {
                    assert!(!fault.to_string().contains("geheim") || text.contains("geheim"));
                    for label in fault.labels().into_iter().flatten() {
                        assert!(label.offset() + label.len() <= limit, "{fault} of {text:?}");
                    }
                }
            }
        }
        let again = expression.evaluate(&ctx);
        let random_function = ["uuid(", "bcrypt(", "timestamp("].iter().any(|f| text.contains(f));
        if let (Ok(once), Ok(again), false) = (&once, &again, random_function) {
            assert_eq!(once, again, "{text:?}");
        }
    });
}
