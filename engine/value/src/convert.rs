//! Conversion of a value to another type, by the language's rules.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use thiserror::Error;

use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::{ObjectType, Type};
use crate::unify::unify;
use crate::value::Value;

/// A value that cannot become one of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{message}", at(path))]
pub struct ConversionError {
    /// The part that does not fit.
    pub path: AttributePath,
    /// What was wanted and found, in types; never a value.
    pub message: String,
}

fn at(path: &AttributePath) -> String {
    if path.is_root() { String::new() } else { format!("{path}: ") }
}

/// Converts a value. Null, unknown and marks stay; missing optional attributes become null, attributes that
/// the type does not have are dropped.
pub fn convert(value: &Value, to: &Type) -> Result<Value, ConversionError> {
    let mut conversion = Conversion { path: AttributePath::root() };
    let converted = conversion.convert(value, to)?;
    // Null and unknown parts have a type too, which may bar what their content, of which there is none, allows.
    let composed = value.len().is_some();
    if composed && !value.has_type(to) {
        conversion.check_types(&value.ty(), to)?;
    }
    Ok(converted)
}

/// The type that a value of one type has after a conversion to another, if its content allows the conversion.
pub fn converted_type(from: &Type, to: &Type) -> Result<Type, ConversionError> {
    Conversion { path: AttributePath::root() }.check_types(from, to)?;
    Ok(to.without_optional())
}

struct Conversion {
    path: AttributePath,
}

impl Conversion {
    fn convert(&mut self, value: &Value, to: &Type) -> Result<Value, ConversionError> {
        if matches!(to, Type::Dynamic)
            || (!to.has_dynamic() && !to.has_optional() && value.has_type(to))
        {
            return Ok(value.clone());
        }
        let marks = value.marks();
        let converted = if value.is_null() {
            self.check_types(&value.ty(), to)?;
            Value::null(result_type(&value.ty(), to))
        } else if value.is_unknown() {
            self.check_types(&value.ty(), to)?;
            unknown_as(value, to)
        } else {
            self.known(value, to)?
        };
        Ok(converted.mark(marks))
    }

    fn known(&mut self, value: &Value, to: &Type) -> Result<Value, ConversionError> {
        match to {
            Type::Bool | Type::Number | Type::String => self.primitive(value, to),
            Type::List(element) | Type::Set(element) => {
                let Some(items) = value.items() else { return Err(self.mismatch(to, &value.ty())) };
                let set = value.is_set();
                let mut converted = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let step = if set {
                        PathStep::Element
                    } else {
                        PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX))
                    };
                    converted.push(self.within(step, item, element)?);
                }
                let in_part_open = element.has_dynamic() && **element != Type::Dynamic;
                if in_part_open && matches!(to, Type::Set(_)) && !alike(&converted) {
                    return Err(self.unlike());
                }
                let (element, converted) = self.unified(element, value, converted)?;
                Ok(if matches!(to, Type::List(_)) {
                    // The elements of a set that is not wholly known may still fall together.
                    if set && !value.is_wholly_known() {
                        return Ok(Value::unknown(Type::list(element)));
                    }
                    Value::list(element, converted)
                } else {
                    Value::set(element, converted)
                })
            }
            Type::Map(element) => {
                let Some(entries) = value.entries() else {
                    return Err(self.mismatch(to, &value.ty()));
                };
                let mut converted = Vec::with_capacity(entries.len());
                for (name, item) in entries {
                    converted.push(self.within(PathStep::Key(Arc::clone(name)), item, element)?);
                }
                let names: Vec<Arc<str>> = entries.keys().cloned().collect();
                let (element, converted) = self.unified(element, value, converted)?;
                Ok(Value::map(element, names.into_iter().zip(converted)))
            }
            Type::Tuple(elements) => {
                let (Some(items), true) = (value.items(), value.is_tuple()) else {
                    return Err(self.mismatch(to, &value.ty()));
                };
                if items.len() != elements.len() {
                    return Err(self.error(format!(
                        "{} element{} required, but have {}",
                        elements.len(),
                        if elements.len() == 1 { " is" } else { "s are" },
                        items.len()
                    )));
                }
                let mut converted = Vec::with_capacity(items.len());
                for (index, (item, ty)) in items.iter().zip(elements.iter()).enumerate() {
                    let step = PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX));
                    converted.push(self.within(step, item, ty)?);
                }
                Ok(Value::tuple(converted))
            }
            Type::Object(object) => {
                let Some(entries) = value.entries() else {
                    return Err(self.mismatch(to, &value.ty()));
                };
                let mut converted = Vec::with_capacity(object.attributes.len());
                for (name, attribute) in &object.attributes {
                    let item = match entries.get(name) {
                        Some(item) => {
                            self.within(PathStep::Attribute(Arc::clone(name)), item, &attribute.ty)?
                        }
                        None if attribute.optional => Value::null(attribute.ty.without_optional()),
                        None => {
                            return Err(self.missing(object, &|name| entries.contains_key(name)));
                        }
                    };
                    converted.push((Arc::clone(name), item));
                }
                Ok(Value::object(converted))
            }
            Type::Dynamic => Ok(value.clone()),
        }
    }

    fn within(
        &mut self,
        step: PathStep,
        value: &Value,
        to: &Type,
    ) -> Result<Value, ConversionError> {
        self.path.0.push(step);
        let converted = self.convert(value, to);
        self.path.0.pop();
        converted
    }

    /// Gives the elements of a collection whose element type holds `any` one common type.
    fn unified(
        &mut self,
        element: &Type,
        source: &Value,
        items: Vec<Value>,
    ) -> Result<(Type, Vec<Value>), ConversionError> {
        if !element.has_dynamic() {
            return Ok((element.without_optional(), items));
        }
        let own = source.ty().element().cloned();
        if items.is_empty() {
            let own = own.filter(|own| own.fits(element));
            return Ok((own.unwrap_or_else(|| element.without_optional()), items));
        }
        if let (Some(own), Type::Dynamic) = (own, element) {
            return Ok((own, items));
        }
        let mut types: Vec<Type> = items.iter().map(Value::ty).collect();
        types.sort();
        types.dedup();
        let mut common = unify(&types);
        // In a map, what has no type of its own takes the type of the others.
        if source.entries().is_some() && common == Some(Type::Dynamic) && types.len() == 2 {
            common = types.iter().find(|ty| **ty != Type::Dynamic).cloned();
        }
        let common = common
            .filter(|common| *common != Type::Dynamic || types.len() == 1)
            .ok_or_else(|| self.error("all elements must have the same type".to_owned()))?;
        let items: Result<Vec<Value>, _> =
            items.iter().map(|item| self.convert(item, &common)).collect();
        let items = items?;
        // An empty list of anything has a type in common with a list of objects, and no list can hold both.
        if common.has_dynamic() && common != Type::Dynamic && !alike(&items) {
            return Err(self.unlike());
        }
        Ok((common, items))
    }

    fn primitive(&self, value: &Value, to: &Type) -> Result<Value, ConversionError> {
        let text = value.as_str();
        let converted = match to {
            Type::String => value
                .as_bool()
                .map(|flag| Value::from(if flag { "true" } else { "false" }))
                .or_else(|| value.as_number().map(|number| Value::string(number.to_string()))),
            Type::Number => match text.map(Number::parse) {
                Some(None) => return Err(self.error("a number is required".to_owned())),
                Some(Some(number)) => Some(Value::number(number)),
                None => None,
            },
            _ => {
                match text {
                    Some("true" | "1") => Some(Value::bool(true)),
                    Some("false" | "0") => Some(Value::bool(false)),
                    Some(other) => {
                        let lower = other.to_lowercase();
                        return Err(self.error(if lower == "true" || lower == "false" {
                        format!("a bool is required; to convert from string, use lowercase \"{lower}\"")
                    } else {
                        "a bool is required".to_owned()
                    }));
                    }
                    None => None,
                }
            }
        };
        converted.ok_or_else(|| self.mismatch(to, &value.ty()))
    }

    /// Says whether some value of one type can become one of the other.
    fn check_types(&mut self, from: &Type, to: &Type) -> Result<(), ConversionError> {
        match (from, to) {
            (_, Type::Dynamic) | (Type::Dynamic, _) => Ok(()),
            (from, to) if from.is_primitive() && to.is_primitive() => {
                let barred =
                    matches!((from, to), (Type::Bool, Type::Number) | (Type::Number, Type::Bool));
                if barred { Err(self.mismatch(to, from)) } else { Ok(()) }
            }
            (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b))
            | (Type::Map(a), Type::Map(b)) => self.check_types(a, b),
            (Type::Tuple(items), Type::List(element) | Type::Set(element)) => {
                if **element != Type::Dynamic {
                    return items.iter().try_for_each(|item| self.check_types(item, element));
                }
                let open = |ty: &Type| *ty == Type::Dynamic;
                match unify(items) {
                    Some(Type::Dynamic) if !items.iter().all(open) => Err(self.unlike()),
                    Some(_) => Ok(()),
                    None => Err(self.unlike()),
                }
            }
            (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
                a.iter().zip(b.iter()).try_for_each(|(a, b)| self.check_types(a, b))
            }
            (Type::Object(object), Type::Map(element)) => {
                if **element != Type::Dynamic {
                    return object
                        .attributes
                        .values()
                        .try_for_each(|a| self.check_types(&a.ty, element));
                }
                let types: Vec<Type> = object.attributes.values().map(|a| a.ty.clone()).collect();
                if unify(&types).is_some() { Ok(()) } else { Err(self.unlike()) }
            }
            (Type::Map(element), Type::Object(object)) => object
                .attributes
                .values()
                .filter(|a| !a.optional)
                .try_for_each(|a| self.check_types(element, &a.ty)),
            (Type::Object(a), Type::Object(b)) => {
                for (name, wanted) in &b.attributes {
                    match a.attributes.get(name) {
                        Some(found) => {
                            self.path.0.push(PathStep::Attribute(Arc::clone(name)));
                            let checked = self.check_types(&found.ty, &wanted.ty);
                            self.path.0.pop();
                            checked?;
                        }
                        None if wanted.optional => {}
                        None => {
                            return Err(self.missing(b, &|name| a.attributes.contains_key(name)));
                        }
                    }
                }
                Ok(())
            }
            (from, to) => Err(self.mismatch(to, from)),
        }
    }

    fn missing(&self, object: &ObjectType, has: &dyn Fn(&str) -> bool) -> ConversionError {
        let names: Vec<String> = object
            .attributes
            .iter()
            .filter(|(name, a)| !a.optional && !has(name))
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        self.error(match names.as_slice() {
            [one] => format!("attribute {one} is required"),
            many => format!("attributes {} are required", many.join(", ")),
        })
    }

    fn mismatch(&self, wanted: &Type, found: &Type) -> ConversionError {
        self.error(format!(
            "{} required, but have {}",
            wanted.friendly_name(),
            found.friendly_name()
        ))
    }

    fn unlike(&self) -> ConversionError {
        self.error("all elements must have the same type".to_owned())
    }

    fn error(&self, message: String) -> ConversionError {
        ConversionError { path: self.path.clone(), message }
    }
}

/// Whether all have one type.
fn alike(values: &[Value]) -> bool {
    let mut types = values.iter().map(Value::ty);
    types.next().is_none_or(|first| types.all(|other| other == first))
}

/// The type that a null or unknown value of type `from` has after a conversion.
fn result_type(from: &Type, to: &Type) -> Type {
    if !to.has_dynamic() {
        return to.without_optional();
    }
    match (from, to) {
        (from, Type::Dynamic) => from.clone(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(result_type(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(result_type(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(result_type(a, b)),
        (Type::Tuple(items), Type::List(element)) => {
            Type::list(common(items.iter().map(|item| result_type(item, element))))
        }
        (Type::Tuple(items), Type::Set(element)) => {
            Type::set(common(items.iter().map(|item| result_type(item, element))))
        }
        (Type::Object(object), Type::Map(element)) => {
            Type::map(common(object.attributes.values().map(|a| result_type(&a.ty, element))))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            Type::tuple(a.iter().zip(b.iter()).map(|(a, b)| result_type(a, b)))
        }
        (Type::Object(a), Type::Object(b)) => {
            Type::object(b.attributes.iter().map(|(name, wanted)| {
                let from = a.attributes.get(name).map_or(&Type::Dynamic, |found| &found.ty);
                (Arc::clone(name), result_type(from, &wanted.ty))
            }))
        }
        (Type::Map(element), Type::Object(b)) => Type::object(
            b.attributes
                .iter()
                .map(|(name, wanted)| (Arc::clone(name), result_type(element, &wanted.ty))),
        ),
        (_, to) => to.without_optional(),
    }
}

fn common(types: impl Iterator<Item = Type>) -> Type {
    unify(&types.collect::<Vec<_>>()).unwrap_or(Type::Dynamic)
}

/// What is known of an unknown value stays known, as far as the conversion keeps it.
fn unknown_as(value: &Value, to: &Type) -> Value {
    let from = value.ty();
    let ty = result_type(&from, to);
    let known = value.refinement().cloned().unwrap_or_default();
    if ty == from {
        return Value::unknown_refined(ty, known);
    }
    let (least, most) = match (&from, &ty) {
        (Type::Tuple(items), Type::Set(_)) => (Some(items.len().min(1)), Some(items.len())),
        (Type::Tuple(items), Type::List(_)) => (Some(items.len()), Some(items.len())),
        (Type::Object(object), Type::Map(_)) => {
            (Some(object.attributes.len()), Some(object.attributes.len()))
        }
        (from, Type::Set(_)) if from.is_collection() => {
            (known.min_length.map(|least| least.min(1)), known.max_length)
        }
        (from, ty) if from.is_collection() && ty.is_collection() => {
            (known.min_length, known.max_length)
        }
        _ => (None, None),
    };
    let kept = Refinement {
        not_null: known.not_null,
        min_length: least,
        max_length: most,
        ..Refinement::default()
    };
    Value::unknown_refined(ty, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Marks;

    fn converted(value: &Value, to: &Type) -> Result<Value, String> {
        convert(value, to).map_err(|error| error.to_string())
    }

    #[test]
    fn conversions_follow_the_language() {
        let three = Value::tuple(vec![Value::from("b"), Value::from(1), Value::from("b")]);
        let table = [
            ("number to string", Value::from(5), Type::String, Ok(Value::from("5"))),
            ("string to number", Value::from("5"), Type::Number, Ok(Value::from(5))),
            ("string to bool", Value::from("1"), Type::Bool, Ok(Value::from(true))),
            ("number to bool", Value::from(1), Type::Bool, Err("bool required, but have number")),
            ("word to number", Value::from("x"), Type::Number, Err("a number is required")),
            (
                "tuple to set",
                three.clone(),
                Type::set(Type::String),
                Ok(Value::set(Type::String, vec![Value::from("1"), Value::from("b")])),
            ),
            (
                "tuple to list of any",
                three,
                Type::list(Type::Dynamic),
                Ok(Value::list(Type::String, vec!["b".into(), "1".into(), "b".into()])),
            ),
            (
                "missing attribute",
                Value::empty_object(),
                Type::object([("a", Type::String)]),
                Err("attribute \"a\" is required"),
            ),
            (
                "optional attribute",
                Value::empty_object(),
                Type::object_with_optional([("a", Type::String, true)]),
                Ok(Value::object([("a", Value::null(Type::String))])),
            ),
            (
                "attribute inside a list",
                Value::tuple(vec![Value::object([("a", Value::empty_object())])]),
                Type::list(Type::object([("a", Type::String)])),
                Err("[0].a: string required, but have object"),
            ),
            ("null", Value::dynamic_null(), Type::Number, Ok(Value::null(Type::Number))),
        ];
        for (case, value, ty, expected) in table {
            assert_eq!(converted(&value, &ty), expected.map_err(str::to_owned), "{case}");
        }
    }

    #[test]
    fn marks_survive_conversion() {
        let secret = Value::tuple(vec![Value::from(1).mark(Marks::SENSITIVE)]);
        let list = convert(&secret, &Type::list(Type::String)).expect("a tuple becomes a list");
        assert!(list.get_index(0).is_some_and(Value::is_sensitive));
        let set = convert(&secret, &Type::set(Type::String)).expect("a tuple becomes a set");
        assert!(set.is_sensitive());
    }
}
