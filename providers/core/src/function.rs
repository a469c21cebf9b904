//! `provider::terraform::…`: values as text of the language, and back.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use lang::{Context, NoNames, Phase, testing::FixedWorld};
use sdk::{Function, FunctionSchema, Problem};
use syntax::{Expr, ExprKind, SourceMap};
use value::{Type, Value};

fn schema(parameter: &str, ty: Type, result: Type, description: &str) -> FunctionSchema {
    FunctionSchema {
        parameters: vec![(parameter.into(), ty)],
        variadic: None,
        accepts: Vec::new(),
        parameter_descriptions: Vec::new(),
        result,
        summary: description.to_owned(),
        description: description.to_owned(),
    }
}

/// `encode_expr`.
pub(crate) struct EncodeExpr;

impl Function for EncodeExpr {
    fn name(&self) -> &'static str {
        "encode_expr"
    }

    fn schema(&self) -> FunctionSchema {
        schema("value", Type::Dynamic, Type::String, "A value as an expression of the language.")
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, Problem> {
        let mut out = String::new();
        if let [value] = arguments {
            expression(&mut out, value, 0);
        }
        Ok(out.into())
    }
}

/// `encode_tfvars`.
pub(crate) struct EncodeTfvars;

impl Function for EncodeTfvars {
    fn name(&self) -> &'static str {
        "encode_tfvars"
    }

    fn schema(&self) -> FunctionSchema {
        schema("value", Type::Dynamic, Type::String, "An object as the text of a variables file.")
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, Problem> {
        let fault = |message: String| Problem::error("the value cannot be encoded", message);
        let Some(entries) = arguments.first().and_then(Value::entries) else {
            return Err(fault("an object is required, whose attributes name variables".to_owned()));
        };
        if let Some((name, _)) = entries.iter().find(|(name, _)| !is_name(name)) {
            return Err(fault(format!("`{name}` cannot be the name of a variable")));
        }
        let mut out = String::new();
        attributes(&mut out, entries.iter(), 0);
        Ok(out.into())
    }
}

/// `decode_tfvars`.
pub(crate) struct DecodeTfvars;

impl Function for DecodeTfvars {
    fn name(&self) -> &'static str {
        "decode_tfvars"
    }

    fn schema(&self) -> FunctionSchema {
        schema("src", Type::String, Type::Dynamic, "The values in the text of a variables file.")
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, Problem> {
        let text = arguments.first().and_then(Value::as_str).unwrap_or_default();
        let fault = |message: String| Problem::error("the text is no variables file", message);
        let mut sources = SourceMap::new();
        let (body, errors) =
            syntax::parse(&mut sources, "<decode_tfvars argument>", text.as_bytes());
        if let Some(error) = errors.iter().next() {
            return Err(fault(error.to_string()));
        }
        if let Some(block) = body.blocks.first() {
            return Err(fault(format!(
                "`{}` is a block, but only `name = value` may stand here",
                block.kind
            )));
        }
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        for attribute in &body.attributes {
            let value = evaluate(&attribute.expr)
                .map_err(|message| fault(format!("`{}`: {message}", attribute.name)))?;
            entries.push((Arc::clone(&attribute.name.text), value));
        }
        Ok(Value::object(entries))
    }
}

fn evaluate(expr: &Expr) -> Result<Value, String> {
    if calls(expr) {
        return Err("functions cannot be called here".to_owned());
    }
    let (expression, errors) = lang::compile(expr);
    if let Some(error) = errors.iter().next() {
        return Err(error.to_string());
    }
    let ctx = Context {
        scope: &NoNames,
        world: &FixedWorld::default(),
        phase: Phase::Plan,
        module_dir: Path::new("."),
        functions: None,
    };
    let first = |errors: syntax::Diagnostics| {
        errors.iter().next().map(ToString::to_string).unwrap_or_default()
    };
    expression.evaluate(&ctx).map_err(first)
}

/// Says whether a function is called in what a variables file may hold.
fn calls(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { .. } => true,
        ExprKind::Tuple(items) => items.iter().any(calls),
        ExprKind::Object(items) => items.iter().any(|item| calls(&item.value)),
        ExprKind::Unary(_, inner) | ExprKind::Parens(inner) => calls(inner),
        ExprKind::Binary(left, _, right) => calls(left) || calls(right),
        _ => false,
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn expression(out: &mut String, value: &Value, depth: usize) {
    if value.is_null() {
        out.push_str("null");
    } else if let Some(text) = value.as_str() {
        quoted(out, text);
    } else if let Some(items) = value.items() {
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            expression(out, item, depth);
        }
        out.push(']');
    } else if let Some(entries) = value.entries() {
        if entries.is_empty() {
            return out.push_str("{}");
        }
        out.push_str("{\n");
        attributes(out, entries.iter(), depth + 1);
        let _ = write!(out, "{}}}", "  ".repeat(depth));
    } else {
        out.push_str(&value::json::to_string(value));
    }
}

/// `name = value` lines. Equals signs stand below each other as the formatter puts them: a value of several lines ends
/// the group of lines that are aligned.
fn attributes<'a>(
    out: &mut String,
    entries: impl Iterator<Item = (&'a Arc<str>, &'a Value)>,
    depth: usize,
) {
    let lines: Vec<(String, String)> = entries
        .map(|(name, value)| {
            let (mut key, mut text) = (String::new(), String::new());
            if is_name(name) {
                key.push_str(name)
            } else {
                quoted(&mut key, name)
            }
            expression(&mut text, value, depth);
            (key, text)
        })
        .collect();
    let indent = "  ".repeat(depth);
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        let group = rest.iter().take_while(|(_, text)| !text.contains('\n')).count();
        let (aligned, behind) = rest.split_at(group);
        let width = aligned.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, text) in aligned {
            let pad = " ".repeat(width - key.chars().count());
            let _ = writeln!(out, "{indent}{key}{pad} = {text}");
        }
        rest = behind;
        if let [(key, text), behind @ ..] = rest {
            let _ = writeln!(out, "{indent}{key} = {text}");
            rest = behind;
        }
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                out.push(character);
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
