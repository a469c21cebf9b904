//! `provider::terraform::…`: values as text of the language, and back.

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
        Ok(arguments.first().map(lang::text::of_value).unwrap_or_default().into())
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
        if let Some((name, _)) = entries.iter().find(|(name, _)| !lang::text::is_name(name)) {
            return Err(fault(format!("`{name}` cannot be the name of a variable")));
        }
        Ok(lang::text::of_attributes(entries.iter()).into())
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
