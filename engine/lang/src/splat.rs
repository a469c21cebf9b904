//! `a[*].b`: steps applied to each element.

use syntax::Span;
use value::{Type, Value};

use crate::evaluate::{Evaluation, Outcome};
use crate::node::NodeStep;

impl<'e> Evaluation<'e> {
    /// A list, set or tuple gives one result for each element, null gives none, and anything else is taken
    /// as the only element.
    pub(crate) fn splat(&mut self, source: Value, each: &'e [NodeStep], _span: Span) -> Outcome {
        let marks = source.marks();
        let result = if source.is_null() {
            Value::tuple(Vec::new())
        } else if source.is_unknown() {
            self.unknown_splat(&source, each)?
        } else if let Some(items) = source.items() {
            self.each(&source, items, each)?
        } else {
            let only = self.steps(source.unmark().0, each)?;
            Value::tuple(vec![only])
        };
        Ok(result.mark(marks))
    }

    fn each(&mut self, source: &Value, items: &[Value], each: &'e [NodeStep]) -> Outcome {
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            results.push(self.steps(item.clone(), each)?);
        }
        if source.is_tuple() {
            return Ok(Value::tuple(results));
        }
        let element = match results.first() {
            Some(first) => first.ty(),
            None => self.element_type(&source.ty(), each),
        };
        let alike = results.iter().all(|result| result.conforms(&element));
        Ok(if alike { Value::list(element, results) } else { Value::tuple(results) })
    }

    fn element_type(&mut self, source: &Type, each: &'e [NodeStep]) -> Type {
        let element = source.element().cloned().unwrap_or(Type::Dynamic);
        self.steps(Value::unknown(element), each).map_or(Type::Dynamic, |value| value.ty())
    }

    fn unknown_splat(&mut self, source: &Value, each: &'e [NodeStep]) -> Outcome {
        match source.ty() {
            Type::Dynamic => Ok(Value::dynamic_unknown()),
            ty @ (Type::List(_) | Type::Set(_)) => {
                Ok(Value::unknown(Type::list(self.element_type(&ty, each))))
            }
            Type::Tuple(elements) => {
                let results: Result<Vec<Value>, _> = elements
                    .iter()
                    .map(|ty| self.steps(Value::unknown(ty.clone()), each))
                    .collect();
                Ok(Value::tuple(results?))
            }
            // Null would give no element, so even the number of elements is not known.
            _ if source.refinement().is_some_and(|refinement| refinement.not_null) => {
                let only = self.steps(source.clone().unmark().0, each)?;
                Ok(Value::tuple(vec![only]))
            }
            _ => Ok(Value::dynamic_unknown()),
        }
    }
}
