//! HCL's public specification suite, which is not part of this repository.
//!
//! `STRATIFORM_HCL_SPECSUITE=DIR` names its folder `specsuite`, of <https://github.com/hashicorp/hcl>. Each test
//! is a file `NAME.hcl`, a specification `NAME.hcldec` of what is to be read of it, and a file `NAME.t` with
//! the value, or the places of the errors, that should come of it.
//!
//! Errors are compared by number and by where they begin. Where they end is a matter of taste: we underline
//! what helps to mend the file.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test binary"
)]

use std::path::{Path, PathBuf};

use lang::testing::FixedWorld;
use lang::{Context, Lookup, Phase, Scope, Step};
use stratiform_lang as lang;
use syntax::{Attribute, Block, Body, Diagnostics, Expr, ExprKind, Ident, SourceMap, Span};
use value::{Type, Value};

/// The variables of a specification.
struct Names(Option<Value>);

impl Scope for Names {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let value = self.0.as_ref().and_then(|values| values.get_attr(root.as_str()));
        let unknown =
            || lang::EvalError::UnknownName { name: root.text.to_string(), span, suggestion: None };
        value.cloned().map(Lookup::root).ok_or_else(|| unknown().into())
    }
}

/// What reads a body as its specification says.
struct Reader {
    names: Names,
    /// Where faults begin.
    faults: Vec<u32>,
}

impl Reader {
    fn evaluate(&mut self, expr: &Expr) -> Value {
        let (expression, mut faults) = lang::compile(expr);
        if !faults.has_errors() {
            let world = FixedWorld::default();
            let context = Context {
                scope: &self.names,
                world: &world,
                phase: Phase::Plan,
                module_dir: Path::new("."),
                functions: None,
            };
            match expression.evaluate(&context) {
                Ok(value) => return value,
                Err(found) => faults = found,
            }
        }
        self.faults.extend(starts(&faults));
        Value::dynamic_unknown()
    }

    fn constant(&mut self, body: &Body, name: &str) -> Option<Value> {
        body.attribute(name).map(|attribute| self.evaluate(&attribute.expr))
    }

    /// What one specification block asks of a body; `known` collects the names that it asks for.
    fn read(&mut self, spec: &Block, body: &Body, known: &mut Vec<String>) -> Value {
        let label = spec.labels.first().map(|label| label.text.to_string());
        let text = |reader: &mut Self, name: &str| {
            let value = reader.constant(&spec.body, name);
            value.and_then(|value| value.as_str().map(str::to_owned)).or_else(|| label.clone())
        };
        match spec.kind.as_str() {
            "literal" => self.constant(&spec.body, "value").unwrap(),
            "object" => {
                let entries = spec.body.blocks.iter().map(|inner| {
                    let name = inner.labels[0].text.to_string();
                    (name, self.read(inner, body, known))
                });
                Value::object(entries.collect::<Vec<_>>())
            }
            "attr" => {
                let name = text(self, "name").unwrap();
                known.push(name.clone());
                let ty = spec.body.attribute("type").map_or(Type::Dynamic, type_of);
                match body.attribute(&name) {
                    Some(found) => self.attribute(found, &ty),
                    None => Value::null(ty),
                }
            }
            kind @ ("block" | "block_list" | "block_map") => {
                let name = text(self, "block_type").unwrap();
                known.push(name.clone());
                let nested = spec.body.blocks.first().unwrap();
                let blocks: Vec<&Block> =
                    body.blocks.iter().filter(|block| block.kind.as_str() == name).collect();
                let mut values = Vec::new();
                for block in &blocks {
                    values.push(self.body(nested, &block.body));
                }
                let ty = values.first().map_or(Type::Dynamic, Value::ty);
                match kind {
                    "block" => values.pop().unwrap_or_else(|| Value::null(ty)),
                    "block_list" => Value::list(ty, values),
                    _ => {
                        let labels = blocks.iter().map(|block| block.labels[0].text.to_string());
                        Value::map(ty, labels.zip(values))
                    }
                }
            }
            other => panic!("a specification of the kind {other} is not known here"),
        }
    }

    fn attribute(&mut self, found: &Attribute, ty: &Type) -> Value {
        let value = self.evaluate(&found.expr);
        value::convert(&value, ty).unwrap_or_else(|_| {
            self.faults.push(found.expr.span.start);
            Value::unknown(ty.clone())
        })
    }

    /// Reads a whole body: what the specification does not ask for is a fault.
    fn body(&mut self, spec: &Block, body: &Body) -> Value {
        let mut known = Vec::new();
        let value = self.read(spec, body, &mut known);
        let extra = body.names().filter(|name| !known.iter().any(|one| one == name.as_str()));
        self.faults.extend(extra.map(|name| name.span.start));
        value
    }
}

fn type_of(attribute: &Attribute) -> Type {
    // The specification's word for every type, alone, is no type of a variable's default.
    if matches!(&attribute.expr.kind, ExprKind::Variable(name) if name.as_str() == "any") {
        return Type::Dynamic;
    }
    let (constraint, faults) = lang::parse_type(&attribute.expr);
    assert!(!faults.has_errors(), "{faults:?}");
    constraint.ty
}

fn starts(faults: &Diagnostics) -> Vec<u32> {
    let first = |labels: &mut dyn Iterator<Item = miette::LabeledSpan>| labels.next();
    let labels =
        faults.iter().filter_map(|fault| fault.labels().and_then(|mut all| first(&mut all)));
    labels.map(|label| u32::try_from(label.offset()).unwrap()).collect()
}

fn parsed(map: &mut SourceMap, path: &Path) -> (Body, Diagnostics, u32) {
    let before = map.files().last().map_or(0, |file| file.span().end + 1);
    let bytes = std::fs::read(path).unwrap();
    let name = path.display().to_string();
    let json = name.ends_with(".json");
    let read = if json { syntax::parse_json } else { syntax::parse };
    let (body, faults) = read(map, &name, &bytes);
    (body, faults, map.files().last().map_or(before, |file| file.span().start))
}

/// What is wrong with one test, if anything is.
fn judge(test: &Path, input: &Path) -> Result<(), String> {
    let mut map = SourceMap::new();
    let (expected, faults, _) = parsed(&mut map, test);
    assert!(!faults.has_errors(), "{}: {faults:?}", test.display());
    let (spec, faults, _) = parsed(&mut map, &test.with_extension("hcldec"));
    assert!(!faults.has_errors(), "{}: {faults:?}", test.display());
    let (body, faults, start) = parsed(&mut map, input);

    let mut constants = Reader { names: Names(None), faults: Vec::new() };
    let variables = spec.blocks.iter().find(|block| block.kind.as_str() == "variables");
    let variables = variables.map(|block| {
        let all = block.body.attributes.iter();
        Value::object(
            all.map(|one| (one.name.text.clone(), constants.evaluate(&one.expr)))
                .collect::<Vec<_>>(),
        )
    });
    let root = spec.blocks.iter().find(|block| block.kind.as_str() != "variables").unwrap();

    let mut reader = Reader { names: Names(variables), faults: starts(&faults) };
    let mut value = None;
    if !faults.has_errors() {
        value = Some(match root.kind.as_str() {
            // It asks nothing of the file.
            "literal" => reader.read(root, &body, &mut Vec::new()),
            _ => reader.body(root, &body),
        });
    }
    let mut found: Vec<u32> = reader.faults.iter().map(|at| at - start).collect();
    found.sort_unstable();
    let wanted = wanted_faults(&expected, &mut constants);
    if found != wanted {
        return Err(format!("faults at {found:?}, not at {wanted:?}"));
    }
    let Some(value) = value.filter(|_| wanted.is_empty()) else { return Ok(()) };
    if let Some(ty) = expected.attribute("result_type").map(type_of)
        && !value.conforms(&ty)
    {
        return Err(format!("{:?} is not of the type {ty:?}", value.ty()));
    }
    if let Some(result) = constants.constant(&expected, "result") {
        let result = value::convert(&result, &value.ty()).map_err(|error| error.to_string())?;
        if result != value {
            return Err(format!("{value:?} is not\n{result:?}"));
        }
    }
    Ok(())
}

fn wanted_faults(expected: &Body, constants: &mut Reader) -> Vec<u32> {
    let all = expected.blocks.iter().filter(|block| block.kind.as_str() == "diagnostics");
    let errors = all.flat_map(|block| block.body.blocks.clone());
    let mut wanted: Vec<u32> = errors
        .map(|error| {
            let from =
                error.body.blocks.iter().find(|block| block.kind.as_str() == "from").unwrap();
            let byte = constants.constant(&from.body, "byte").unwrap();
            byte.as_number().unwrap().to_string().parse().unwrap()
        })
        .collect();
    wanted.sort_unstable();
    wanted
}

fn tests_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "t") {
            found.push(path);
        }
    }
}

#[test]
fn the_specification_suite_of_hcl_passes() {
    let Ok(folder) = std::env::var("STRATIFORM_HCL_SPECSUITE") else {
        println!("skipped: STRATIFORM_HCL_SPECSUITE names no folder");
        return;
    };
    let mut tests = Vec::new();
    tests_below(&Path::new(&folder).join("tests"), &mut tests);
    assert!(!tests.is_empty(), "no tests below {folder}");
    let (mut run, mut failures) = (0, Vec::new());
    for test in &tests {
        for end in ["hcl", "hcl.json"] {
            let input = test.with_extension(end);
            if !input.exists() {
                continue;
            }
            run += 1;
            if let Err(failure) = judge(test, &input) {
                failures.push(format!("{}: {failure}", input.display()));
            }
        }
    }
    println!("{run} files of {} tests, {} fail", tests.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
