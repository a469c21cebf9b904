use lang::testing::FixedWorld;

use crate::common::{compile, evaluate_in_spite, faults, try_evaluate};

#[test]
fn faults_say_what_is_wrong() {
    let table = [
        ("1 + \"a\"", "unsuitable operand of `+`: a number is required"),
        ("0 / 0", "zero divided by zero has no result"),
        ("[1, 2][2]", "no element `2` in a tuple"),
        ("{ a = 1 }.b", "this object has no attribute `b`"),
        ("{ a = 1 }[\"b\"]", "no element `\"b\"` in this object"),
        ("null.a", "attribute `a` of a null value"),
        ("\"text\".a", "attribute `a` asked of a string, which has no attributes"),
        ("toset([\"a\"])[0]", "a set of string cannot be indexed"),
        ("[for x in 5 : x]", "`for` cannot walk a number"),
        ("{ for x in [1, 1] : x => x }", "two elements give the same key `1`"),
        ("{ (null) = 1 }", "unsuitable key: a key cannot be null"),
        ("true ? [] : {}", "the two results of a condition have no common type"),
        ("\"a${[1]}\"", "a tuple cannot become part of a text"),
        ("null ? 1 : 2", "unsuitable condition: a bool is required, but this is null"),
        ("max(1...)", "only a list, set or tuple can be expanded into arguments"),
        ("upper(null)", "unsuitable value for `str` of function `upper`: it must not be null"),
        (
            "parseint(\"z\", 10)",
            "unsuitable value for `number` of function `parseint`: it is not a whole number in base 10",
        ),
        (
            "coalesce(null, \"\")",
            "call of function `coalesce` failed: all arguments are null or empty strings",
        ),
        ("file(\"none\")", "unsuitable value for `path` of function `file`: there is no such file"),
        ("nowhere.a", "unknown name `nowhere`"),
    ];
    for (text, expected) in table {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn json_that_is_nested_too_deeply_is_told_apart_from_what_is_none() {
    let decode =
        |levels: usize| format!("jsondecode(\"{}{}\")", "[".repeat(levels), "]".repeat(levels));
    assert!(try_evaluate(&decode(1024), &FixedWorld::default()).is_ok());
    for levels in [1025, 10_000] {
        let expected = "unsuitable value for `str` of function `jsondecode`: it is nested more than 1024 levels deep: line 1, column 1025";
        assert_eq!(faults(&decode(levels)), [expected]);
    }
}

#[test]
fn unknown_function_suggests_the_nearest_one() {
    let (_, faults) = compile("uper(\"a\")");
    let fault = faults.iter().next().expect("there is a fault");
    assert_eq!(fault.to_string(), "unknown function `uper`");
    assert_eq!(fault.help().map(|help| help.to_string()).as_deref(), Some("did you mean `upper`?"));
    assert_eq!(
        fault.code().map(|code| code.to_string()).as_deref(),
        Some("stratiform::lang::unknown_function")
    );
}

#[test]
fn what_did_not_compile_is_a_fault_and_no_panic_when_evaluated() {
    for text in ["nope(1)", "[upper(\"a\"), nope(1)]", "true ? nope(1) : 2"] {
        let (expression, faults) = compile(text);
        assert!(faults.has_errors(), "{text}");
        let faults = evaluate_in_spite(&expression, &FixedWorld::default()).expect_err(text);
        let codes: Vec<_> = faults.iter().filter_map(|fault| fault.code()).collect();
        let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
        assert_eq!(codes, ["stratiform::lang::broken"], "{text}");
    }
}

#[test]
fn a_name_that_a_scope_lacks_has_a_code() {
    let faults = try_evaluate("[nowhere, 1]", &FixedWorld::default()).expect_err("no such name");
    let code = faults.iter().next().and_then(|fault| fault.code()).map(|code| code.to_string());
    assert_eq!(code.as_deref(), Some("stratiform::lang::unknown_name"));
}

#[test]
fn argument_count_is_checked_before_anything_is_evaluated() {
    for text in ["upper()", "upper(\"a\", \"b\")", "can()", "try()", "replace(\"a\")"] {
        assert!(compile(text).1.has_errors(), "{text}");
    }
    assert!(!compile("max([1]...)").1.has_errors());
}

#[test]
fn independent_faults_come_together() {
    assert_eq!(faults("[0 / 0, nowhere, { a = null.b, c = upper([]) }]").len(), 4);
}

#[test]
fn no_fault_shows_a_sensitive_value() {
    for text in [
        "{ a = 1 }[secret]",
        "[1][secret]",
        "secret.nope",
        "1 + secret",
        "parseint(secret, 10)",
        "jsondecode(secret)",
        "regex(secret, \"x\")",
        "{ for i in [secret, secret] : i => 1 }",
        "secrets.b",
        "tonumber(secret)",
        "file(secret)",
        "try(1 + secret)",
        "formatdate(secret, \"2026-01-01T00:00:00Z\")",
        "templatestring(template, { a = secret, b = 0 / 0 })",
    ] {
        for message in faults(text) {
            assert!(!message.contains("sec\"") && !message.contains("`sec"), "{text}: {message}");
        }
    }
}
