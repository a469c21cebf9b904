//! A type to which all of several types convert.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::convert::converted_type;
use crate::ty::{ObjectType, Type};

/// Finds the type to which values of all these types convert, if their content allows it; `None` if there is
/// none.
///
/// Objects of unlike attributes become a map, tuples of unlike length a list, where their parts unify. A type not
/// known yet gives way to a primitive one, and leaves the kind of everything else open. No types at all give `any`.
pub fn unify(types: &[Type]) -> Option<Type> {
    let Some(first) = types.first() else {
        return Some(Type::Dynamic);
    };
    if types.iter().all(|ty| ty == first) {
        return Some(first.clone());
    }
    let count = Kinds::of(types);
    let all = types.len();
    let with_open = |kinds: usize| kinds > 0 && kinds + count.open == all;
    // What cannot be seen yet decides which way the parts go.
    let same_kind = [count.maps, count.lists, count.sets, count.objects, count.tuples];
    if count.open > 0 && same_kind.into_iter().any(with_open) {
        return Some(Type::Dynamic);
    }
    if with_open(count.maps) {
        return unify_elements(types).map(Type::map);
    }
    if with_open(count.lists) {
        return unify_elements(types).map(Type::list);
    }
    if with_open(count.sets) {
        return unify_elements(types).map(Type::set);
    }
    if with_open(count.objects) {
        return unify_objects(types);
    }
    if with_open(count.tuples) {
        return unify_tuples(types);
    }
    let disguised = if count.maps > 0 && with_open(count.maps + count.objects) {
        as_collections(types, |ty| matches!(ty, Type::Object(_)), objects_as_map)
    } else if count.lists > 0 && with_open(count.lists + count.tuples) {
        as_collections(types, |ty| matches!(ty, Type::Tuple(_)), tuples_as_list)
    } else {
        None
    };
    if disguised.is_some() {
        return disguised;
    }
    if count.objects > 0 && count.tuples > 0 {
        return None;
    }
    most_general(types)
}

#[derive(Default)]
struct Kinds {
    maps: usize,
    lists: usize,
    sets: usize,
    objects: usize,
    tuples: usize,
    open: usize,
}

impl Kinds {
    fn of(types: &[Type]) -> Self {
        let mut kinds = Self::default();
        for ty in types {
            match ty {
                Type::Map(_) => kinds.maps += 1,
                Type::List(_) => kinds.lists += 1,
                Type::Set(_) => kinds.sets += 1,
                Type::Object(_) => kinds.objects += 1,
                Type::Tuple(_) => kinds.tuples += 1,
                Type::Dynamic => kinds.open += 1,
                Type::Bool | Type::Number | Type::String => {}
            }
        }
        kinds
    }
}

/// The first of the types, the most general ones first, to which all others convert.
fn most_general(types: &[Type]) -> Option<Type> {
    let mut candidates: Vec<&Type> = types.iter().collect();
    candidates.sort_by_key(|ty| generality(ty));
    candidates.dedup();
    let all_convert =
        |wanted: &Type| types.iter().all(|ty| ty == wanted || converted_type(ty, wanted).is_ok());
    candidates.into_iter().find(|candidate| all_convert(candidate)).cloned()
}

fn generality(ty: &Type) -> Vec<u8> {
    let within = |rank: u8, element: &Type| {
        let mut ranks = vec![rank];
        ranks.extend(generality(element));
        ranks
    };
    match ty {
        Type::String => vec![0],
        Type::Number => vec![1],
        Type::Bool => vec![2],
        Type::List(element) => within(3, element),
        Type::Set(element) => within(4, element),
        Type::Map(element) => within(5, element),
        Type::Object(_) => vec![6],
        Type::Tuple(_) => vec![7],
        Type::Dynamic => vec![9],
    }
}

fn unify_elements(types: &[Type]) -> Option<Type> {
    let elements: Vec<Type> = types.iter().filter_map(|ty| ty.element().cloned()).collect();
    unify(&elements)
}

/// Puts one collection type in the place of those types that are one in disguise.
fn as_collections(
    types: &[Type],
    disguised: fn(&Type) -> bool,
    common: fn(&[Type]) -> Option<Type>,
) -> Option<Type> {
    let hidden: Vec<Type> = types.iter().filter(|ty| disguised(ty)).cloned().collect();
    let common = common(&hidden)?;
    let shown: Vec<Type> =
        types.iter().map(|ty| if disguised(ty) { common.clone() } else { ty.clone() }).collect();
    unify(&shown).filter(Type::is_collection)
}

fn objects(types: &[Type]) -> impl Iterator<Item = &Arc<ObjectType>> {
    types.iter().filter_map(|ty| if let Type::Object(object) = ty { Some(object) } else { None })
}

fn tuples(types: &[Type]) -> impl Iterator<Item = &Arc<[Type]>> {
    types.iter().filter_map(|ty| if let Type::Tuple(elements) = ty { Some(elements) } else { None })
}

fn unify_objects(types: &[Type]) -> Option<Type> {
    let mut columns: BTreeMap<&Arc<str>, Vec<Type>> = BTreeMap::new();
    for object in objects(types) {
        for (name, attribute) in &object.attributes {
            columns.entry(name).or_default().push(attribute.ty.clone());
        }
    }
    if columns.values().any(|column| column.len() != types.len()) {
        return objects_as_map(types);
    }
    let attributes: Option<Vec<_>> = columns
        .into_iter()
        .map(|(name, column)| Some((Arc::clone(name), unify(&column)?)))
        .collect();
    attributes.map(Type::object)
}

fn objects_as_map(types: &[Type]) -> Option<Type> {
    let parts = objects(types).flat_map(|object| object.attributes.values().map(|a| &a.ty));
    unify(&distinct(parts)).map(Type::map)
}

fn unify_tuples(types: &[Type]) -> Option<Type> {
    let length = tuples(types).next()?.len();
    if tuples(types).any(|elements| elements.len() != length) {
        return tuples_as_list(types);
    }
    let columns = (0..length).map(|at| {
        let column: Vec<Type> = tuples(types).map(|elements| elements[at].clone()).collect();
        unify(&column)
    });
    columns.collect::<Option<Vec<_>>>().map(Type::tuple)
}

fn tuples_as_list(types: &[Type]) -> Option<Type> {
    let parts = tuples(types).flat_map(|elements| elements.iter());
    unify(&distinct(parts)).map(Type::list)
}

/// Each type once, so that long lists of equal ones cost nothing further.
fn distinct<'a>(types: impl Iterator<Item = &'a Type>) -> Vec<Type> {
    types.collect::<std::collections::BTreeSet<_>>().into_iter().cloned().collect()
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
            ("any and a primitive", vec![Type::Dynamic, n.clone()], Some(n.clone())),
            ("any and a list", vec![Type::Dynamic, Type::list(n.clone())], Some(Type::Dynamic)),
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
