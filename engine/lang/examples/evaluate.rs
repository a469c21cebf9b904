//! How long a million evaluations take: `cargo run --release -p stratiform-lang --example evaluate`.
//!
//! Prints the expression, so that it can be handed to `terraform console`, and the seconds.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement, printed")]

use std::path::Path;
use std::time::Instant;

use lang::testing::FixedWorld;
use lang::{Context, NoNames, Phase};
use syntax::SourceMap;

extern crate stratiform_lang as lang;

/// A thousand times a thousand; in each step a call, a template and arithmetic.
const EXPRESSION: &str = "length(flatten([for a in range(1000) : length([for b in range(1000) : upper(\"x${a * b + 1}\")])]))";

fn main() {
    let mut map = SourceMap::new();
    let (expr, faults) = syntax::parse_expression(&mut map, "bench", EXPRESSION);
    assert!(!faults.has_errors(), "{faults:?}");
    let (expression, faults) = lang::compile(&expr.expect("it parses"));
    assert!(!faults.has_errors(), "{faults:?}");
    let world = FixedWorld::default();
    let ctx = Context {
        scope: &NoNames,
        world: &world,
        phase: Phase::Plan,
        module_dir: Path::new("."),
        functions: None,
    };
    let start = Instant::now();
    let value = expression.evaluate(&ctx).expect("it has a value");
    println!("{EXPRESSION}\n{value:?} in {:.2} s", start.elapsed().as_secs_f64());
}
