//! Type constraints with their defaults: which values a variable takes, and what becomes of them.
//!
//! Terraform is asked with a module for each type that has a variable for each value, so that all cases go through one
//! plan.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lang::{TypeConstraint, parse_type};
use syntax::SourceMap;
use value::Value;

use super::describe::describe;
use super::names::{self, Locals, Marking, Stage};
use super::{oracle, plan_file};

const TYPES: &[&str] = &[
    "string",
    "number",
    "bool",
    "any",
    "list(string)",
    "list(number)",
    "list(any)",
    "list(list(string))",
    "list(map(any))",
    "list(set(number))",
    "list(tuple([string, bool]))",
    "set(string)",
    "set(number)",
    "set(any)",
    "set(list(any))",
    "map(string)",
    "map(number)",
    "map(any)",
    "map(list(any))",
    "tuple([])",
    "tuple([string, number])",
    "tuple([any, bool])",
    "object({})",
    "object({ a = string })",
    "object({ a = any })",
    "object({ a = number, b = optional(string) })",
    "object({ a = optional(string, \"d\") })",
    "object({ a = optional(string, null) })",
    "object({ a = optional(any) })",
    "object({ a = optional(any, 1) })",
    "object({ a = optional(number, 5), b = optional(list(string), [\"x\"]) })",
    "object({ a = optional(set(string), [\"b\", \"a\", \"b\"]) })",
    "object({ a = optional(map(any), {}) })",
    "object({ o = optional(object({ p = optional(string, \"q\"), r = optional(number) }), {}) })",
    "object({ o = optional(object({ p = optional(string, \"q\") })) })",
    "object({ o = object({ p = optional(list(object({ z = optional(bool, true) })), [{}]) }) })",
    "list(object({ a = optional(string, \"d\") }))",
    "set(object({ a = optional(string, \"d\"), b = optional(number) }))",
    "map(object({ a = optional(bool, true) }))",
    "map(object({ a = any }))",
    "map(list(object({ a = optional(number, 1) })))",
    "tuple([object({ a = optional(string, \"d\") }), list(number)])",
    "object({ a = optional(number, \"x\") })",
    "object({ a = optional(list(number), [\"1\"]) })",
    "object({ a = optional(object({ b = string }), {}) })",
];

/// Some are no types.
const ODD_TYPES: &[&str] = &[
    "list",
    "map",
    "set",
    "list()",
    "list(string, number)",
    "optional(string)",
    "object({ a = optional() })",
    "object({ a = optional(string, 1, 2) })",
    "object(string)",
    "object",
    "tuple(string)",
    "tuple([optional(string)])",
    "\"string\"",
    "\"list\"",
    "string()",
    "strng",
    "object({ \"a\" = string })",
    "object({ (\"a\") = string })",
    "object({ a = string, a = number })",
    "list(optional(string))",
    "dynamic",
    "object({ a = optional(string, upper(\"x\")) })",
    "object({ a = optional(string, local.s_s) })",
    "map(null)",
    "any()",
    "[string]",
    "{ a = string }",
];

const VALUES: &[&str] = &[
    "null",
    "true",
    "1",
    "1.5",
    "\"x\"",
    "\"5\"",
    "\"true\"",
    "[]",
    "[\"a\"]",
    "[\"a\", \"b\"]",
    "[\"x\", 3]",
    "[\"1\", 2]",
    "[1, true]",
    "[null]",
    "[\"a\", null]",
    "[[]]",
    "[[\"a\"], [1]]",
    "[[\"a\", true]]",
    "{}",
    "{ a = \"x\" }",
    "{ a = 1 }",
    "{ a = null }",
    "{ a = \"x\", b = 2 }",
    "{ a = 1, b = \"y\", c = true }",
    "{ a = [1] }",
    "{ a = [\"x\"], b = [\"y\", 2] }",
    "{ a = {} }",
    "{ b = 1 }",
    "{ o = {} }",
    "{ o = { p = null } }",
    "{ o = { p = \"z\", r = \"3\" } }",
    "{ o = { p = [{ z = false }, {}] } }",
    "{ o = null }",
    "{ k = {} }",
    "{ k = { a = null } }",
    "{ k = { a = \"false\" }, l = { a = 1 } }",
    "{ k = [{}, { a = 2 }] }",
    "[{}]",
    "[{ a = \"y\" }, {}]",
    "[{ a = null, b = \"7\" }, { a = \"d\", b = 7 }]",
    "[{}, [1]]",
    "[{ a = \"x\" }, null]",
    "tolist([])",
    "tolist([\"a\"])",
    "tolist([1, 2])",
    "tolist([{ a = \"x\" }])",
    "toset([])",
    "toset([\"b\", \"a\"])",
    "toset([1])",
    "toset([{ a = null, b = 1 }])",
    "tomap({})",
    "tomap({ a = \"x\" })",
    "tomap({ k = { a = true } })",
    "tomap({ a = 1, b = 2 })",
    "local.u",
    "local.u_s",
    "local.u_l",
    "local.u_o",
    "local.u_m",
    "local.u_t",
    "local.u_set",
    "local.u_in_l",
    "local.u_in_o",
    "local.u_in_set",
    "local.s_s",
    "local.s_l",
    "local.s_o",
    "local.s_in_o",
    "local.s_in_m",
    "local.us_l",
    "local.null_l",
];

/// All cases, each once.
pub(crate) fn all() -> Vec<(&'static str, &'static str)> {
    let regular = TYPES.iter().flat_map(|ty| VALUES.iter().map(|value| (*ty, *value)));
    let odd = ODD_TYPES.iter().flat_map(|ty| ["{}", "[]"].map(|value| (*ty, value)));
    let mut seen = std::collections::BTreeSet::new();
    regular.chain(odd).filter(|case| seen.insert(*case)).collect()
}

/// Our verdicts, as the oracle words them; an error without its kind.
pub(crate) fn ours(cases: &[(&str, &str)]) -> Vec<String> {
    let stages = [Stage::Validate, Stage::Plan].map(|s| Locals::new(s, Marking::AsDefined));
    let verdict = |(ty, value): &(&str, &str)| {
        let constraint = constraint(ty)?;
        let accepted = |locals: &Locals| constraint.accept(locals.evaluate(value).ok()?).ok();
        accepted(&stages[0])?;
        accepted(&stages[1]).map(|value| describe(&value))
    };
    cases.iter().map(|case| verdict(case).unwrap_or_else(|| "error".to_owned())).collect()
}

fn constraint(ty: &str) -> Option<TypeConstraint> {
    let mut map = SourceMap::new();
    let (body, faults) = syntax::parse(&mut map, "test.tf", format!("x = {ty}\n").as_bytes());
    let (constraint, more) = parse_type(&body.attribute("x")?.expr);
    (!faults.has_errors() && !more.has_errors()).then_some(constraint)
}

/// Terraform's verdicts. `None` if there is no such program.
pub(crate) fn verdicts(cases: &[(&str, &str)]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let root = folder.path();
    std::fs::write(root.join("main.tf"), names::declarations(Marking::AsDefined))
        .expect("writable");
    let mut verdicts = vec![String::new(); cases.len()];
    let mut open: Vec<usize> = (0..cases.len()).collect();
    let mut ready = false;
    for _ in 0..20 {
        let lines = write(root, cases, &open);
        if !ready {
            // A type that is none is found here already.
            let (done, output) = oracle::terraform(root, &["init", "-input=false", "-json"])?;
            ready = done;
            if !done {
                settle(&oracle::faults(&output, &lines), &mut open, &mut verdicts, &output);
                continue;
            }
        }
        let (done, output) = oracle::terraform(root, oracle::PLAN)?;
        if done {
            let archive = std::fs::read(root.join("plan")).expect("a plan was written");
            let inputs: BTreeMap<String, Value> = plan_file::inputs(&archive).into_iter().collect();
            for case in open {
                let address = format!(".terraform_data.case{case}");
                let input = inputs
                    .iter()
                    .find_map(|(name, input)| name.ends_with(&address).then_some(input))
                    .expect("each case has a resource");
                let value = input.items().and_then(|items| items.first()).expect("it has one item");
                verdicts[case] = describe(value);
            }
            return Some(verdicts);
        }
        settle(&oracle::faults(&output, &lines), &mut open, &mut verdicts, &output);
    }
    panic!("there are always more faults")
}

fn settle(
    faults: &BTreeMap<usize, String>,
    open: &mut Vec<usize>,
    verdicts: &mut [String],
    output: &str,
) {
    assert!(!faults.is_empty(), "no case is to blame: {output}");
    for (case, summary) in faults {
        verdicts[*case] = format!("error: {summary}");
    }
    open.retain(|case| !faults.contains_key(case));
}

/// Writes a module for each type, and a file that calls it, for Terraform reads the whole file for every fault in it.
/// Says at which lines of which files each case stands.
fn write(root: &Path, cases: &[(&str, &str)], open: &[usize]) -> BTreeMap<(String, u64), usize> {
    let mut lines = BTreeMap::new();
    let mut types: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for case in open {
        types.entry(cases[*case].0).or_default().push(*case);
    }
    let old = cases.iter().map(|(ty, _)| *ty).collect::<std::collections::BTreeSet<_>>();
    for (at, ty) in old.into_iter().enumerate() {
        let file = format!("m{at}.tf");
        let Some(of_type) = types.get(ty) else {
            if root.join(&file).exists() {
                std::fs::remove_file(root.join(&file)).expect("removable");
            }
            continue;
        };
        let folder = format!("m{at}");
        let mut call = format!("module \"m{at}\" {{\n  source = \"./{folder}\"\n");
        let mut module = String::new();
        for (line, case) in (0..).zip(of_type) {
            let _ = writeln!(call, "  v{case} = {}", cases[*case].1);
            let _ = write!(
                module,
                "variable \"v{case}\" {{\n  type = {ty}\n}}\n\
                 resource \"terraform_data\" \"case{case}\" {{\n  input = [var.v{case}]\n}}\n"
            );
            lines.insert((file.clone(), line + 3), *case);
            lines.insert((format!("{folder}/main.tf"), line * 6 + 1), *case);
        }
        std::fs::create_dir_all(root.join(&folder)).expect("writable");
        std::fs::write(root.join(&folder).join("main.tf"), module).expect("writable");
        std::fs::write(root.join(&file), call + "}\n").expect("writable");
    }
    lines
}
