//! From the body of a block and a schema to a value.
//!
//! A body is compiled against its schema once ([`Program::compile`]) and evaluated for each instance
//! ([`Program::evaluate`]). The references of a body are known without evaluating it.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use lang::{Context, Expression, Lookup, Scope, Step, Traversal};
use sdk::{Attribute, AttributeKind, Block, NestedBlock, Nesting};
use syntax::{Body, Diagnostics, Ident, Span, suggest};
use value::{Type, Value, convert};

use crate::error::PlanError;

/// A body, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Program {
    fields: Vec<Field>,
    nested: Vec<Nested>,
    references: Vec<Traversal>,
    span: Span,
}

#[derive(Debug)]
struct Field {
    name: Arc<str>,
    /// `None` where the body does not set it.
    expression: Option<Expression>,
    wanted: Type,
}

#[derive(Debug)]
struct Nested {
    name: Arc<str>,
    nesting: Nesting,
    block_type: Type,
    min_items: u64,
    max_items: u64,
    /// What a single block that is not written is worth.
    empty: Value,
    /// Whether the schema has an attribute of this name, which the body spells as blocks.
    is_attribute: bool,
    /// In source order.
    items: Vec<NestedItem>,
    span: Span,
}

#[derive(Debug)]
enum NestedItem {
    Static { key: Option<Arc<str>>, program: Program },
    Dynamic { for_each: Expression, iterator: Arc<str>, key: Option<Expression>, program: Program },
}

impl Program {
    /// Compiles a body. `owner` names the block in errors; `header` is what errors about missing parts show.
    pub(crate) fn compile(
        body: &Body,
        block: &Block,
        owner: &str,
        header: Span,
    ) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let program = compile(body, block, owner, header, &mut diagnostics);
        (program, diagnostics)
    }

    /// What the body refers to.
    pub(crate) fn references(&self) -> &[Traversal] {
        &self.references
    }

    /// The value for one instance, of the block's type, with its marks.
    pub(crate) fn evaluate(&self, ctx: &Context<'_>) -> Result<Value, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let value = self.value(ctx, &mut diagnostics);
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok(value) }
    }

    /// The expression that sets an attribute, or the nearest thing in the source that holds it.
    pub(crate) fn locate(&self, path: &AttributePath) -> Span {
        self.find(path.steps()).unwrap_or(self.span)
    }

    /// The expression of an argument, if the body sets it and it is no block.
    pub(crate) fn setting(&self, name: &str) -> Option<&Expression> {
        self.fields.iter().find(|field| &*field.name == name)?.expression.as_ref()
    }

    /// The line that sets an attribute; `None` if none does.
    pub(crate) fn set_at(&self, path: &AttributePath) -> Option<Span> {
        let PathStep::Attribute(name) = path.steps().first()? else { return None };
        let nested = self.nested.iter().find(|nested| nested.name == *name);
        if nested.is_some_and(|nested| nested.items.is_empty()) {
            return None;
        }
        self.find(path.steps())
    }

    /// All that the body sets: paths as they are written, with their expressions.
    pub(crate) fn expressions(&self) -> Vec<(String, &Expression)> {
        let fields = self
            .fields
            .iter()
            .filter_map(|field| Some((field.name.to_string(), field.expression.as_ref()?)));
        let mut found: Vec<(String, &Expression)> = fields.collect();
        for nested in &self.nested {
            let many = nested.items.len() > 1;
            for (at, item) in nested.items.iter().enumerate() {
                let place = if many { format!("[{at}]") } else { String::new() };
                let front = format!("{}{place}", nested.name);
                let program = match item {
                    NestedItem::Static { program, .. } => program,
                    NestedItem::Dynamic { for_each, program, .. } => {
                        found.push((format!("{front}, one for each"), for_each));
                        program
                    }
                };
                let inner = program.expressions().into_iter();
                found.extend(inner.map(|(name, one)| (format!("{front}.{name}"), one)));
            }
        }
        found
    }

    fn find(&self, steps: &[PathStep]) -> Option<Span> {
        let Some(PathStep::Attribute(name)) = steps.first() else { return None };
        if let Some(field) = self.fields.iter().find(|field| field.name == *name) {
            return field.expression.as_ref().map(Expression::span);
        }
        let nested = self.nested.iter().find(|nested| nested.name == *name)?;
        let (item, rest) = match (nested.nesting, steps.get(1)) {
            (Nesting::List | Nesting::Set, Some(PathStep::Index(index))) => {
                (nested.items.get(usize::try_from(*index).ok()?), &steps[2..])
            }
            (Nesting::Map, Some(_)) | (_, Some(PathStep::Element)) => {
                (nested.items.first(), &steps[2..])
            }
            _ => (nested.items.first(), &steps[1..]),
        };
        match item {
            Some(NestedItem::Static { program, .. } | NestedItem::Dynamic { program, .. }) => {
                Some(program.find(rest).unwrap_or(program.span))
            }
            None => Some(nested.span),
        }
    }

    fn value(&self, ctx: &Context<'_>, diagnostics: &mut Diagnostics) -> Value {
        let mut parts: Vec<(Arc<str>, Value)> =
            Vec::with_capacity(self.fields.len() + self.nested.len());
        for field in &self.fields {
            parts.push((Arc::clone(&field.name), field.value(ctx, diagnostics)));
        }
        for nested in &self.nested {
            parts.push((Arc::clone(&nested.name), nested.value(ctx, diagnostics)));
        }
        Value::object(parts)
    }
}

/// How deep the value of one argument, or of an output of the root module, may be nested. Where a schema leaves the
/// type open, the type is stored beside the value, with two levels of JSON for each of the value's, and all of it is
/// read back.
pub(crate) const MOST_LEVELS: usize = 250;

impl Field {
    fn value(&self, ctx: &Context<'_>, diagnostics: &mut Diagnostics) -> Value {
        let null = || Value::null(self.wanted.without_optional());
        let Some(expression) = &self.expression else { return null() };
        let value = match expression.evaluate(ctx) {
            Ok(value) => value,
            Err(found) => {
                diagnostics.extend(found);
                return null();
            }
        };
        match convert(&value, &self.wanted) {
            Ok(value) if value.is_deeper_than(MOST_LEVELS) => {
                diagnostics.push(PlanError::TooDeep {
                    name: self.name.to_string(),
                    limit: MOST_LEVELS,
                    span: expression.span(),
                });
                null()
            }
            Ok(value) => value,
            Err(error) => {
                let path = AttributePath(
                    std::iter::once(PathStep::Attribute(Arc::clone(&self.name)))
                        .chain(error.path.0.iter().cloned())
                        .collect(),
                );
                diagnostics.push(PlanError::WrongType {
                    path: path.to_string(),
                    message: error.message,
                    span: expression.span(),
                    help: None,
                });
                null()
            }
        }
    }
}

impl Nested {
    fn value(&self, ctx: &Context<'_>, diagnostics: &mut Diagnostics) -> Value {
        let mut found: Vec<(Option<Arc<str>>, Value)> = Vec::new();
        for item in &self.items {
            match item {
                NestedItem::Static { key, program } => {
                    found.push((key.clone(), program.value(ctx, diagnostics)))
                }
                NestedItem::Dynamic { for_each, iterator, key, program } => {
                    let collection = match for_each.evaluate(ctx) {
                        Ok(collection) => collection,
                        Err(errors) => {
                            diagnostics.extend(errors);
                            continue;
                        }
                    };
                    if collection.is_unknown() {
                        return Value::unknown(self.ty()).mark(collection.marks());
                    }
                    for (element_key, element) in collection.elements() {
                        let key_value = match element_key {
                            value::Key::Index(index) => Value::from(index),
                            value::Key::Name(name) => Value::from(name),
                            value::Key::Element => element.clone(),
                        };
                        let object =
                            Value::object([("key", key_value), ("value", element.clone())])
                                .mark(collection.marks());
                        let scope = IteratorScope { outer: ctx.scope, name: iterator, object };
                        let inner = Context { scope: &scope, ..*ctx };
                        let label = key.as_ref().and_then(|key| match key.evaluate(&inner) {
                            Ok(label) => label.as_arc_str().cloned(),
                            Err(errors) => {
                                diagnostics.extend(errors);
                                None
                            }
                        });
                        found.push((label, program.value(&inner, diagnostics)));
                    }
                }
            }
        }
        let count = found.len() as u64;
        let wrong = count < self.min_items || (self.max_items > 0 && count > self.max_items);
        if wrong {
            diagnostics.push(PlanError::BlockCount {
                name: self.name.to_string(),
                expected: expected_count(self.min_items, self.max_items),
                found: found.len(),
                span: self.span,
            });
        }
        if found.is_empty() && self.is_attribute {
            // Blocks that came to nothing say as little as no block at all.
            return Value::null(self.ty());
        }
        self.collect(found)
    }

    fn collect(&self, found: Vec<(Option<Arc<str>>, Value)>) -> Value {
        let dynamic = self.block_type.has_dynamic();
        let element = self.block_type.clone();
        match self.nesting {
            Nesting::Single | Nesting::Group => {
                found.into_iter().next().map_or_else(|| self.empty.clone(), |(_, value)| value)
            }
            Nesting::List if dynamic => {
                Value::tuple(found.into_iter().map(|(_, value)| value).collect())
            }
            Nesting::List => {
                Value::list(element, found.into_iter().map(|(_, value)| value).collect())
            }
            Nesting::Set => {
                Value::set(element, found.into_iter().map(|(_, value)| value).collect())
            }
            Nesting::Map => {
                let entries = found.into_iter().filter_map(|(key, value)| Some((key?, value)));
                if dynamic { Value::object(entries) } else { Value::map(element, entries) }
            }
        }
    }

    fn ty(&self) -> Type {
        if self.block_type.has_dynamic() && matches!(self.nesting, Nesting::List | Nesting::Map) {
            return Type::Dynamic;
        }
        match self.nesting {
            Nesting::Single | Nesting::Group => self.block_type.clone(),
            Nesting::List => Type::list(self.block_type.clone()),
            Nesting::Set => Type::set(self.block_type.clone()),
            Nesting::Map => Type::map(self.block_type.clone()),
        }
    }
}

fn expected_count(min: u64, max: u64) -> String {
    match (min, max) {
        (min, 0) => format!("at least {min}"),
        (0, max) => format!("at most {max}"),
        (min, max) if min == max => format!("{min}"),
        (min, max) => format!("{min} to {max}"),
    }
}

/// A scope in which the iterator of a dynamic block stands before everything else.
struct IteratorScope<'a> {
    outer: &'a dyn Scope,
    name: &'a str,
    object: Value,
}

impl Scope for IteratorScope<'_> {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        if root.as_str() == self.name {
            return Ok(Lookup { value: self.object.clone(), used: 0 });
        }
        self.outer.lookup(root, steps, span)
    }
}

fn compile(
    body: &Body,
    block: &Block,
    owner: &str,
    header: Span,
    diagnostics: &mut Diagnostics,
) -> Program {
    let attributes = &block.attributes;
    let block = &*crate::decode_blocks::fit(body, block);
    let mut program = Program {
        fields: Vec::with_capacity(block.attributes.len()),
        nested: Vec::with_capacity(block.blocks.len()),
        references: Vec::new(),
        span: header,
    };
    for (name, attribute) in &block.attributes {
        let field = compile_field(body, name, attribute, owner, header, diagnostics);
        if let Some(expression) = &field.expression {
            program.references.extend(expression.references().iter().cloned());
        }
        program.fields.push(field);
    }
    for (name, nested) in &block.blocks {
        let mut nested = compile_nested(body, name, nested, owner, header, diagnostics);
        nested.is_attribute = attributes.contains_key(name);
        for item in &nested.items {
            match item {
                NestedItem::Static { program: inner, .. } => {
                    program.references.extend(inner.references.iter().cloned());
                }
                NestedItem::Dynamic { for_each, iterator, key, program: inner } => {
                    program.references.extend(for_each.references().iter().cloned());
                    let keys = key.iter().flat_map(|key| key.references());
                    let content = inner.references.iter().chain(keys);
                    program
                        .references
                        .extend(content.filter(|r| r.root.text != *iterator).cloned());
                }
            }
        }
        program.nested.push(nested);
    }
    report_unknown_names(body, block, owner, diagnostics);
    program.references.shrink_to_fit();
    program
}

fn report_unknown_names(body: &Body, block: &Block, owner: &str, diagnostics: &mut Diagnostics) {
    let known = || block.attributes.keys().chain(block.blocks.keys()).map(|name| &**name);
    let suggestion =
        |name: &str| suggest(name, known()).map(|near| format!("did you mean `{near}`?"));
    for attribute in &body.attributes {
        let name = attribute.name.as_str();
        let is_block = block.blocks.contains_key(name);
        if block.attributes.contains_key(name)
            || (body.json && (is_block || name == "dynamic" || name == "//"))
        {
            continue;
        }
        diagnostics.push(PlanError::UnsupportedArgument {
            name: name.to_owned(),
            type_name: owner.to_owned(),
            span: attribute.name.span,
            suggestion: if is_block {
                Some(format!("`{name}` is a block: write `{name} {{ … }}` without an equals sign"))
            } else {
                suggestion(name)
            },
        });
    }
    for inner in &body.blocks {
        let name = inner.kind.as_str();
        if name == "dynamic" || block.blocks.contains_key(name) {
            continue;
        }
        diagnostics.push(PlanError::UnsupportedBlock {
            name: name.to_owned(),
            type_name: owner.to_owned(),
            span: inner.kind.span,
            suggestion: if block.attributes.contains_key(name) {
                Some(format!("`{name}` is an argument: write `{name} = {{ … }}`"))
            } else {
                suggestion(name)
            },
        });
    }
    for inner in body.blocks_named("dynamic", 1) {
        let Some(label) = inner.labels.first() else { continue };
        if !block.blocks.contains_key(&label.text) {
            diagnostics.push(PlanError::UnsupportedBlock {
                name: label.text.to_string(),
                type_name: owner.to_owned(),
                span: label.span,
                suggestion: suggestion(&label.text),
            });
        }
    }
}

fn compile_field(
    body: &Body,
    name: &Arc<str>,
    attribute: &Attribute,
    owner: &str,
    header: Span,
    diagnostics: &mut Diagnostics,
) -> Field {
    let wanted = decode_type(attribute);
    let expression = body.attribute(name).map(|found| {
        if !attribute.required && !attribute.optional {
            diagnostics.push(PlanError::ComputedArgument {
                name: name.to_string(),
                type_name: owner.to_owned(),
                span: found.name.span,
            });
        }
        let (expression, errors) = lang::compile(&found.expr);
        diagnostics.extend(errors);
        expression
    });
    if expression.is_none() && attribute.required && !body.incomplete {
        let described = !attribute.description.is_empty();
        diagnostics.push(PlanError::MissingArgument {
            name: name.to_string(),
            type_name: owner.to_owned(),
            description: if described {
                attribute.description.clone()
            } else {
                format!("it is a {}", wanted.friendly_name())
            },
            span: header,
        });
    }
    Field { name: Arc::clone(name), expression, wanted }
}

/// The type that a configured value is converted to: what may be left out of nested objects is optional.
fn decode_type(attribute: &Attribute) -> Type {
    match &attribute.kind {
        AttributeKind::Plain(ty) => ty.clone(),
        AttributeKind::Nested { nesting, attributes } => {
            let object = Type::object_with_optional(
                attributes
                    .iter()
                    .map(|(name, inner)| (Arc::clone(name), decode_type(inner), !inner.required)),
            );
            match nesting {
                Nesting::Single | Nesting::Group => object,
                Nesting::List => Type::list(object),
                Nesting::Set => Type::set(object),
                Nesting::Map => Type::map(object),
            }
        }
    }
}

fn compile_nested(
    body: &Body,
    name: &Arc<str>,
    nested: &NestedBlock,
    owner: &str,
    header: Span,
    diagnostics: &mut Diagnostics,
) -> Nested {
    let labels = usize::from(nested.nesting == Nesting::Map);
    let inner_owner = format!("{owner}.{name}");
    let mut items = Vec::new();
    let mut span = header;
    for found in body.blocks_checked(name, labels, diagnostics) {
        span = found.header;
        let key = found.labels.first().map(|label| Arc::clone(&label.text));
        let program = compile(&found.body, &nested.block, &inner_owner, found.header, diagnostics);
        items.push((span, NestedItem::Static { key, program }));
    }
    for found in body.blocks_named("dynamic", 1) {
        if found.labels.first().is_none_or(|label| label.text != *name) {
            continue;
        }
        span = found.header;
        if let Some(item) = compile_dynamic(&found, name, nested, &inner_owner, diagnostics) {
            items.push((span, item));
        }
    }
    // Blocks and those that `dynamic` makes stand in the order in which they are written.
    items.sort_by_key(|(span, _)| span.start);
    let items = items.into_iter().map(|(_, item)| item).collect();
    let (min_items, max_items) = match nested.nesting {
        Nesting::Single | Nesting::Group => (nested.min_items, 1),
        _ => (nested.min_items, nested.max_items),
    };
    let block_type = nested.block.ty();
    let empty = if nested.nesting == Nesting::Group {
        nested.block.empty_value()
    } else {
        Value::null(block_type.clone())
    };
    Nested {
        name: Arc::clone(name),
        nesting: nested.nesting,
        block_type,
        min_items,
        max_items,
        empty,
        is_attribute: false,
        items,
        span,
    }
}

fn compile_dynamic(
    found: &syntax::Block,
    name: &Arc<str>,
    nested: &NestedBlock,
    owner: &str,
    diagnostics: &mut Diagnostics,
) -> Option<NestedItem> {
    let missing = |argument: &str| PlanError::MissingArgument {
        name: argument.to_owned(),
        type_name: format!("dynamic.{name}"),
        description: "a dynamic block makes one block for each element".to_owned(),
        span: found.header,
    };
    let Some(for_each) = found.body.attribute("for_each") else {
        diagnostics.push(missing("for_each"));
        return None;
    };
    let content = found.body.blocks_named("content", 0);
    let Some(content) = content.first() else {
        diagnostics.push(missing("content"));
        return None;
    };
    let mut expression = |expr: &syntax::Expr| {
        let (expression, errors) = lang::compile(expr);
        diagnostics.extend(errors);
        expression
    };
    let for_each = expression(&for_each.expr);
    let iterator = found.body.attribute("iterator").map(|attribute| expression(&attribute.expr));
    let iterator = iterator
        .and_then(|iterator| {
            iterator.as_traversal().map(|traversal| Arc::clone(&traversal.root.text))
        })
        .unwrap_or_else(|| Arc::clone(name));
    let key = found.body.attribute("labels").and_then(|labels| match &labels.expr.kind {
        syntax::ExprKind::Tuple(items) => items.first().map(&mut expression),
        _ => None,
    });
    let program = compile(&content.body, &nested.block, owner, content.header, diagnostics);
    Some(NestedItem::Dynamic { for_each, iterator, key, program })
}
