//! `for` expressions.

use std::collections::BTreeMap;
use std::sync::Arc;

use syntax::{Diagnostics, Span};
use value::{Key, Marks, Type, Value, convert};

use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, key_text};
use crate::node::For;

impl Evaluation<'_> {
    pub(crate) fn comprehension(&mut self, parts: &For) -> Outcome {
        let collection = self.node(&parts.collection)?;
        let mut marks = collection.marks();
        check_collection(&collection, parts.collection.span)?;
        if collection.is_unknown() {
            return Ok(Value::dynamic_unknown().mark(marks));
        }
        let mut items: Vec<Value> = Vec::new();
        let mut entries: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        let mut unknown = false;
        for (key, element) in collection.elements() {
            let bound = self.bind(parts.has_key, key, element);
            let outcome = self.element(parts, &mut marks);
            self.locals.truncate(bound);
            match outcome? {
                Element::Left => {}
                Element::Unknown => unknown = true,
                Element::Item(value) => items.push(value),
                Element::Entry(key, value) => {
                    let values = entries.entry(key.clone()).or_default();
                    if !values.is_empty() && !parts.grouping {
                        let span = parts.key.as_ref().map_or(parts.body.span, |key| key.span);
                        let key = if marks.is_empty() {
                            key.to_string()
                        } else {
                            "(sensitive)".to_owned()
                        };
                        return Err(EvalError::DuplicateKey { key, span }.into());
                    }
                    values.push(value);
                }
            }
        }
        let result = if unknown {
            Value::dynamic_unknown()
        } else if parts.key.is_none() {
            Value::tuple(items)
        } else if parts.grouping {
            Value::object(entries.into_iter().map(|(key, values)| (key, Value::tuple(values))))
        } else {
            Value::object(
                entries.into_iter().filter_map(|(key, mut values)| Some((key, values.pop()?))),
            )
        };
        Ok(result.mark(marks))
    }

    /// Puts key and element on the stack; returns how long it was.
    pub(crate) fn bind(&mut self, has_key: bool, key: Key, element: &Value) -> usize {
        let before = self.locals.len();
        if has_key {
            self.locals.push(match key {
                Key::Index(index) => Value::from(index),
                Key::Name(name) => Value::string(name),
                Key::Element => element.clone(),
            });
        }
        self.locals.push(element.clone());
        before
    }

    fn element(&mut self, parts: &For, marks: &mut Marks) -> Result<Element, Diagnostics> {
        if let Some(condition) = &parts.condition {
            let decided = self.node(condition)?;
            *marks = marks.union(decided.marks());
            if decided.is_null() {
                return Err(EvalError::NullValue {
                    what: "the condition".to_owned(),
                    span: condition.span,
                }
                .into());
            }
            let decided =
                convert(&decided, &Type::Bool).map_err(|error| EvalError::OperandType {
                    what: "the condition".to_owned(),
                    message: error.to_string(),
                    span: condition.span,
                })?;
            match decided.as_bool() {
                Some(true) => {}
                Some(false) => return Ok(Element::Left),
                None => return Ok(Element::Unknown),
            }
        }
        let Some(key_node) = &parts.key else {
            return self.node(&parts.body).map(Element::Item);
        };
        let key = self.node(key_node)?;
        *marks = marks.union(key.marks());
        let value = self.node(&parts.body)?;
        if key.is_unknown() {
            return Ok(Element::Unknown);
        }
        Ok(Element::Entry(key_text(&key, key_node.span)?, value))
    }
}

enum Element {
    /// The condition leaves it out.
    Left,
    /// Whether or where it stands is not known.
    Unknown,
    Item(Value),
    Entry(Arc<str>, Value),
}

/// Complains of a value that has no elements to go through.
pub(crate) fn check_collection(value: &Value, span: Span) -> Result<(), Diagnostics> {
    if value.is_null() {
        return Err(
            EvalError::NullValue { what: "the collection of a `for`".to_owned(), span }.into()
        );
    }
    let ty = value.ty();
    if ty.is_primitive() {
        return Err(EvalError::OperandType {
            what: "the collection of a `for`".to_owned(),
            message: format!("a collection is required, but this is a {}", ty.friendly_name()),
            span,
        }
        .into());
    }
    Ok(())
}
