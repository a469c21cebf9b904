//! `[for …]` and `{for …}`.

use std::sync::Arc;

use indexmap::IndexMap;
use syntax::{Diagnostics, Span};
use value::{Key, Marks, Type, Value};

use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words, object_key};
use crate::node::{For, Node};

impl<'e> Evaluation<'e> {
    pub(crate) fn comprehension(&mut self, spec: &'e For) -> Outcome {
        let collection = self.node(&spec.collection)?;
        let marks = collection.marks();
        if !walkable(&collection, spec.collection.span)? {
            // Of a collection without a type not even the condition is looked at.
            let of_condition =
                if collection.ty_is_dynamic() { Marks::NONE } else { self.check_condition(spec)? };
            return Ok(Value::dynamic_unknown().mark(marks.union(of_condition)));
        }
        self.check_condition(spec)?;
        let result = match &spec.key {
            None => self.tuple_of(spec, &collection),
            Some(key) => self.object_of(spec, key, &collection),
        };
        self.unbind(spec.slot);
        result.map(|value| value.mark(marks))
    }

    /// A condition that cannot be one, whatever the elements are, is an error even where there are none.
    fn check_condition(&mut self, spec: &'e For) -> Result<Marks, Diagnostics> {
        let Some(condition) = &spec.condition else { return Ok(Marks::NONE) };
        let key = spec.has_key.then(Value::dynamic_unknown);
        self.bind(spec.slot, key, Value::dynamic_unknown());
        let value = self.node(condition);
        self.unbind(spec.slot);
        let value = value?;
        bool_condition(&value, condition.span)?;
        // Here alone the type counts even of what is not known.
        value::convert(&value, &Type::Bool).map_err(|error| EvalError::Condition {
            message: error.message,
            span: condition.span,
        })?;
        Ok(value.marks())
    }

    fn tuple_of(&mut self, spec: &'e For, collection: &Value) -> Outcome {
        let mut items = Vec::with_capacity(collection.len().unwrap_or_default());
        let mut filter = Filter::default();
        for (key, element) in collection.elements() {
            self.bind_element(spec.slot, spec.has_key, key, element);
            if self.admits(spec, &mut filter)? {
                items.push(self.node(&spec.body)?);
            }
        }
        let known = if filter.unknown { Value::dynamic_unknown() } else { Value::tuple(items) };
        Ok(known.mark(filter.marks))
    }

    fn object_of(&mut self, spec: &'e For, key_node: &'e Node, collection: &Value) -> Outcome {
        let mut filter = Filter::default();
        let mut groups: IndexMap<Arc<str>, Vec<Value>> = IndexMap::new();
        for (key, element) in collection.elements() {
            self.bind_element(spec.slot, spec.has_key, key, element);
            if !self.admits(spec, &mut filter)? {
                continue;
            }
            let key = self.node(key_node)?;
            filter.marks = filter.marks.union(key.marks());
            if key.is_unknown() {
                // Neither its type nor the value that belongs to it is looked at before it is known.
                filter.unknown = true;
                continue;
            }
            let key = object_key(&key, key_node.span)?;
            let value = self.node(&spec.body)?;
            let Some(name) = key.name else { continue };
            let shown = if key.marks.is_empty() { format!(" `{name}`") } else { String::new() };
            let group = groups.entry(name).or_default();
            if !group.is_empty() && !spec.grouping {
                return Err(EvalError::DuplicateKey { key: shown, span: key_node.span }.into());
            }
            group.push(value);
        }
        if filter.unknown {
            return Ok(Value::dynamic_unknown().mark(filter.marks));
        }
        Ok(object_of_groups(groups, spec.grouping).mark(filter.marks))
    }

    /// What is certain of the result where something in it has a fault: which elements or keys there are.
    pub(crate) fn comprehension_in_spite(&mut self, spec: &'e For) -> Value {
        let collection = self.node_in_spite(&spec.collection);
        if !matches!(walkable(&collection, spec.collection.span), Ok(true))
            || self.check_condition(spec).is_err()
        {
            return Value::dynamic_unknown();
        }
        let mut filter = Filter::default();
        let mut items = Vec::new();
        let mut groups: IndexMap<Arc<str>, Vec<Value>> = IndexMap::new();
        for (key, element) in collection.elements() {
            self.bind_element(spec.slot, spec.has_key, key, element);
            match self.admits(spec, &mut filter) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(_) => {
                    filter.unknown = true;
                    continue;
                }
            }
            let Some(key_node) = &spec.key else {
                items.push(self.node_in_spite(&spec.body));
                continue;
            };
            let key = self.node_in_spite(key_node);
            filter.marks = filter.marks.union(key.marks());
            let Some(name) = object_key(&key, key_node.span).ok().and_then(|key| key.name) else {
                filter.unknown = true;
                continue;
            };
            let value = self.node_in_spite(&spec.body);
            let group = groups.entry(name).or_default();
            if spec.grouping || group.is_empty() {
                group.push(value);
            }
        }
        self.unbind(spec.slot);
        let result = if filter.unknown {
            Value::dynamic_unknown()
        } else if spec.key.is_none() {
            Value::tuple(items)
        } else {
            object_of_groups(groups, spec.grouping)
        };
        result.mark(filter.marks.union(collection.marks()))
    }

    pub(crate) fn bind_element(&mut self, slot: usize, has_key: bool, key: Key, element: &Value) {
        let key = has_key.then(|| match key {
            Key::Index(at) => Value::number(at),
            Key::Name(name) => Value::string(name),
            Key::Element => element.clone(),
        });
        self.bind(slot, key, element.clone());
    }

    fn admits(&mut self, spec: &'e For, filter: &mut Filter) -> Result<bool, Diagnostics> {
        let Some(condition) = &spec.condition else { return Ok(true) };
        let value = self.node(condition)?;
        filter.marks = filter.marks.union(value.marks());
        let flag = match bool_condition(&value, condition.span) {
            Ok(flag) => flag,
            // The result is open already: whether this element belongs to it is for later to say.
            Err(_) if filter.unknown => None,
            Err(error) => return Err(error.into()),
        };
        filter.unknown |= flag.is_none();
        Ok(flag.unwrap_or(false))
    }
}

fn object_of_groups(groups: IndexMap<Arc<str>, Vec<Value>>, grouping: bool) -> Value {
    Value::object(groups.into_iter().filter_map(|(name, mut group)| {
        let value = if grouping { Value::tuple(group) } else { group.pop()? };
        Some((name, value))
    }))
}

/// What the conditions and keys say about the whole result.
#[derive(Default)]
struct Filter {
    unknown: bool,
    marks: Marks,
}

/// Says whether a collection is known; what has no elements is an error.
pub(crate) fn walkable(collection: &Value, span: Span) -> Result<bool, EvalError> {
    let found = || EvalError::ForCollection { found: in_words(collection), span };
    if collection.is_null() {
        return Err(found());
    }
    if collection.is_unknown() {
        let barred = matches!(collection.ty(), Type::Bool | Type::Number | Type::String);
        return if barred { Err(found()) } else { Ok(false) };
    }
    if collection.len().is_none() { Err(found()) } else { Ok(true) }
}

/// The content of a condition; `None` if it is not known.
pub(crate) fn bool_condition(value: &Value, span: Span) -> Result<Option<bool>, EvalError> {
    if value.is_null() {
        let message = "a bool is required, but this is null".to_owned();
        return Err(EvalError::Condition { message, span });
    }
    // Its type is not looked at before it is known.
    if value.is_unknown() {
        return Ok(None);
    }
    let converted = value::convert(value, &Type::Bool)
        .map_err(|error| EvalError::Condition { message: error.message, span })?;
    Ok(converted.as_bool())
}
