//! A type to which all of several types convert.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ty::Type;

/// Finds the type to which values of all these types convert without loss; `None` if there is none.
///
/// Objects of unlike attributes become a map, tuples of unlike length a list, where their parts unify.
/// With `any` among them the result is `any`. No types at all give `any`.
pub fn unify(types: &[Type]) -> Option<Type> {
    let Some(first) = types.first() else {
        return Some(Type::Dynamic);
    };
    if types.iter().all(|ty| ty == first) {
        return Some(first.clone());
    }
    if types.contains(&Type::Dynamic) {
        return Some(Type::Dynamic);
    }
    if types.iter().all(Type::is_primitive) {
        return types.contains(&Type::String).then_some(Type::String);
    }
    if types.iter().all(|ty| matches!(ty, Type::Object(_))) {
        return unify_objects(types);
    }
    if types.iter().all(|ty| matches!(ty, Type::Tuple(_))) {
        return unify_tuples(types);
    }
    if types.iter().all(|ty| matches!(ty, Type::Map(_) | Type::Object(_))) {
        return Some(Type::map(unify(&parts(types))?));
    }
    if types.iter().all(|ty| matches!(ty, Type::Set(_) | Type::Tuple(_) | Type::List(_))) {
        let element = unify(&parts(types))?;
        let list = types.iter().any(|ty| matches!(ty, Type::List(_)));
        return Some(if list { Type::list(element) } else { Type::set(element) });
    }
    None
}

fn unify_objects(types: &[Type]) -> Option<Type> {
    let mut columns: BTreeMap<&Arc<str>, Vec<Type>> = BTreeMap::new();
    for ty in types {
        let Type::Object(object) = ty else { return None };
        for (name, attribute) in &object.attributes {
            columns.entry(name).or_default().push(attribute.ty.clone());
        }
    }
    if columns.values().all(|column| column.len() == types.len()) {
        let attributes: Option<Vec<_>> = columns
            .into_iter()
            .map(|(name, column)| Some((Arc::clone(name), unify(&column)?)))
            .collect();
        return attributes.map(Type::object);
    }
    Some(Type::map(unify(&parts(types))?))
}

fn unify_tuples(types: &[Type]) -> Option<Type> {
    let lengths: Vec<usize> = types
        .iter()
        .map(|ty| if let Type::Tuple(elements) = ty { elements.len() } else { 0 })
        .collect();
    if lengths.iter().any(|length| *length != lengths[0]) {
        return Some(Type::list(unify(&parts(types))?));
    }
    let columns = (0..lengths[0]).map(|at| {
        let column: Vec<Type> = types
            .iter()
            .filter_map(|ty| {
                if let Type::Tuple(elements) = ty { elements.get(at).cloned() } else { None }
            })
            .collect();
        unify(&column)
    });
    columns.collect::<Option<Vec<_>>>().map(Type::tuple)
}

/// The types of all elements of all types, each once.
fn parts(types: &[Type]) -> Vec<Type> {
    let mut found = std::collections::BTreeSet::new();
    for ty in types {
        match ty {
            Type::List(element) | Type::Set(element) | Type::Map(element) => {
                found.insert((**element).clone());
            }
            Type::Tuple(elements) => found.extend(elements.iter().cloned()),
            Type::Object(object) => found.extend(object.attributes.values().map(|a| a.ty.clone())),
            _ => {}
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_type_is_the_one_that_all_convert_to() {
        let (s, n, b) = (Type::String, Type::Number, Type::Bool);
        let table = [
            ("same", vec![n.clone(), n.clone()], Some(n.clone())),
            ("number and string", vec![n.clone(), s.clone()], Some(s.clone())),
            ("bool and number", vec![b.clone(), n.clone()], None),
            ("any", vec![Type::Dynamic, n.clone()], Some(Type::Dynamic)),
            (
                "tuples of unlike length",
                vec![Type::tuple([n.clone()]), Type::tuple([])],
                Some(Type::list(n.clone())),
            ),
            (
                "like objects",
                vec![Type::object([("a", n.clone())]), Type::object([("a", s.clone())])],
                Some(Type::object([("a", s.clone())])),
            ),
            (
                "unlike objects",
                vec![Type::object([("a", n.clone())]), Type::object([("b", s.clone())])],
                Some(Type::map(s.clone())),
            ),
            ("list and map", vec![Type::list(n.clone()), Type::map(n)], None),
        ];
        for (case, types, expected) in table {
            assert_eq!(unify(&types), expected, "{case}");
        }
    }
}
