//! Functions of providers, as lang calls them through what the context offers.

use std::path::Path;
use std::sync::Mutex;

use lang::testing::FixedWorld;
use lang::{Context, Fault, Phase, ProviderFunctions, Signature, SignatureParameter};
use syntax::Diagnostics;
use value::{Marks, Type, Value};

use crate::common::{Names, compile};

/// A provider `fake` with `join(string, number?, rest...)`, `open(any)` and `lie()`, which remembers its calls.
#[derive(Default)]
struct Fake(Mutex<Vec<String>>);

fn takes(name: &str, ty: Type, allow_null: bool, allow_unknown: bool) -> SignatureParameter {
    SignatureParameter { name: name.to_owned(), ty, allow_null, allow_unknown }
}

impl ProviderFunctions for Fake {
    fn signature(&self, provider: &str, function: &str) -> Result<Signature, String> {
        match (provider, function) {
            ("fake", "join") => Ok(Signature {
                parameters: vec![
                    takes("first", Type::String, false, false),
                    takes("second", Type::Number, true, false),
                ],
                variadic: Some(takes("rest", Type::String, false, false)),
                returns: Type::String,
            }),
            ("fake", "open") => Ok(Signature {
                parameters: vec![takes("what", Type::Dynamic, true, true)],
                variadic: None,
                returns: Type::Dynamic,
            }),
            ("fake", "lie") => {
                Ok(Signature { parameters: vec![], variadic: None, returns: Type::Number })
            }
            ("fake", other) => Err(format!("provider `fake` has no function `{other}`")),
            (other, _) => Err(format!("no provider is called `{other}` here")),
        }
    }

    fn call(&self, _: &str, function: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let shown: Vec<String> = arguments.iter().map(|value| format!("{value:?}")).collect();
        self.0.lock().expect("no call panics").push(format!("{function}({})", shown.join(", ")));
        match (function, arguments) {
            ("join", [first, ..]) if first.as_str() == Some("bad") => {
                Err(Fault { argument: Some(0), message: "it is bad".to_owned() })
            }
            ("open", [only]) => Ok(only.clone()),
            ("lie", _) => Ok(Value::from("no number")),
            _ => Ok(Value::from(shown.join("+"))),
        }
    }
}

fn evaluate(fake: &Fake, text: &str) -> Result<Value, Diagnostics> {
    let (expression, faults) = compile(text);
    assert!(!faults.has_errors(), "{text} compiles: {faults:?}");
    expression.evaluate(&Context {
        scope: &Names,
        world: &FixedWorld::default(),
        phase: Phase::Plan,
        module_dir: Path::new("."),
        functions: Some(fake),
    })
}

fn message(text: &str) -> String {
    let faults = evaluate(&Fake::default(), text).expect_err(text);
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn arguments_are_converted_to_the_types_of_the_signature() {
    let fake = Fake::default();
    let value = evaluate(&fake, "provider::fake::join(1, \"2\", true)").expect("it has a value");
    assert_eq!(value, Value::from("\"1\"+2+\"true\""));
}

#[test]
fn unknown_arguments_are_not_passed_unless_the_function_takes_them() {
    let fake = Fake::default();
    let value = evaluate(&fake, "provider::fake::join(unknown, 1)").expect("it has a value");
    assert!(value.is_unknown() && value.ty() == Type::String);
    assert!(fake.0.lock().expect("no call panics").is_empty(), "it was called");
    let value = evaluate(&fake, "provider::fake::open([unknown])").expect("it has a value");
    assert!(!value.is_wholly_known());
    assert_eq!(fake.0.lock().expect("no call panics").len(), 1);
}

#[test]
fn marks_are_taken_off_and_carried_over() {
    let fake = Fake::default();
    let value = evaluate(&fake, "provider::fake::join(\"a\", 1, secret)").expect("it has a value");
    assert_eq!(value, Value::from("\"a\"+1+\"sec\"").mark(Marks::SENSITIVE));
    let value = evaluate(&fake, "provider::fake::open(secrets)").expect("it has a value");
    assert!(value.is_sensitive());
}

#[test]
fn faults_say_what_is_wrong_and_where() {
    let table = [
        (
            "provider::fake::join(null, 1)",
            "unsuitable value for `first` of function `provider::fake::join`: it must not be null",
        ),
        (
            "provider::fake::join(\"a\")",
            "function `provider::fake::join` takes at least 2 arguments, but 1 is given",
        ),
        (
            "provider::fake::join(\"a\", \"x\")",
            "unsuitable value for `second` of function `provider::fake::join`: a number is required",
        ),
        (
            "provider::fake::join(\"bad\", null)",
            "unsuitable value for `first` of function `provider::fake::join`: it is bad",
        ),
        (
            "provider::fake::nope()",
            "call of function `provider::fake::nope` failed: provider `fake` has no function `nope`",
        ),
        (
            "provider::other::f()",
            "call of function `provider::other::f` failed: no provider is called `other` here",
        ),
        (
            "provider::fake::lie()",
            "call of function `provider::fake::lie` failed: the provider answered with string, but its function is declared to give number",
        ),
        (
            "provider::fake()",
            "call of function `provider::fake` failed: a function of a provider is written `provider::NAME::function`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(message(text), expected, "{text}");
    }
}
