//! Laws that hold for all values of a kind.

use std::collections::BTreeSet;

use proptest::prelude::*;
use value::{Type, Value};

use crate::common::evaluate;

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

/// Text of any value that JSON can hold, as an expression.
fn literal() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i32>().prop_map(|number| number.to_string()),
        "[a-z<&]{0,4}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|entries| {
                let entries: Vec<String> =
                    entries.iter().map(|(name, value)| format!("{name:?} = {value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn json_reads_back_what_it_wrote(value in literal()) {
        prop_assert_eq!(evaluate(&format!("jsondecode(jsonencode({value}))")), evaluate(&value));
    }

    #[test]
    fn base64_reads_back_what_it_wrote(text in "[a-zäß ]{0,12}") {
        let found = evaluate(&format!("base64decode(base64encode({text:?}))"));
        prop_assert_eq!(found, Value::from(text));
    }

    #[test]
    fn join_undoes_split(text in "[a-c,]{0,12}") {
        prop_assert_eq!(evaluate(&format!("join(\",\", split(\",\", {text:?}))")), Value::from(text));
    }

    #[test]
    fn sets_agree_with_the_standard_library(
        a in prop::collection::vec("[a-d]{1,2}", 0..8),
        b in prop::collection::vec("[a-d]{1,2}", 1..8),
    ) {
        let (x, y): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
        let set = |texts: BTreeSet<&String>| {
            Value::set(Type::String, texts.into_iter().map(|text| Value::from(text.as_str())).collect())
        };
        for (function, expected) in [
            ("setunion", &x | &y),
            ("setintersection", &x & &y),
            ("setsubtract", &x - &y),
        ] {
            let found = evaluate(&format!("{function}({}, {})", quoted(&a), quoted(&b)));
            prop_assert_eq!(found, set(expected), "{}", function);
        }
    }

    /// A comprehension without a condition keeps each element, in order.
    #[test]
    fn the_identity_comprehension_changes_nothing(items in prop::collection::vec(literal(), 0..6)) {
        let list = format!("[{}]", items.join(", "));
        prop_assert_eq!(evaluate(&format!("[for x in {list} : x]")), evaluate(&list));
    }
}
