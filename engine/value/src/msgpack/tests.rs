use proptest::prelude::*;

use super::*;
use crate::number::Number;
use crate::refinement::Refinement;
use crate::ty::Type;
use crate::value::Value;

#[test]
fn bytes_are_those_of_the_reference() {
    let dynamic = Type::Dynamic;
    let prefixed =
        Refinement { not_null: true, prefix: Some("b-".into()), ..Refinement::default() };
    let tenth = Number::parse("0.1").expect("a number");
    let big = Number::parse("12345678901234567890").expect("a number");
    let table = [
        ("null", Value::null(Type::String), Type::String, vec![0xc0]),
        ("unknown", Value::unknown(Type::String), Type::String, vec![0xd4, 0, 0]),
        (
            "unknown with a prefix",
            Value::unknown_refined(Type::String, prefixed),
            Type::String,
            vec![0xc7, 7, 12, 0x82, 1, 0xc2, 2, 0xa2, 0x62, 0x2d],
        ),
        ("small", Value::from(7), Type::Number, vec![7]),
        ("negative", Value::from(-200), Type::Number, vec![0xd1, 0xff, 0x38]),
        ("half", Value::number(Number::from_f64(0.5).expect("finite")), Type::Number, {
            let mut bytes = vec![0xcb];
            bytes.extend(0.5f64.to_be_bytes());
            bytes
        }),
        ("a tenth is text", Value::number(tenth), Type::Number, b"\xa30.1".to_vec()),
        ("beyond i64", Value::number(big), Type::Number, b"\xb412345678901234567890".to_vec()),
        ("any", Value::from("x"), dynamic.clone(), b"\x92\xc4\x08\"string\"\xa1x".to_vec()),
        ("any null", Value::dynamic_null(), dynamic.clone(), vec![0xc0]),
        ("any unknown", Value::dynamic_unknown(), dynamic, vec![0xd4, 0, 0]),
    ];
    for (case, value, ty, bytes) in table {
        assert_eq!(encode(&value, &ty).as_deref(), Ok(&*bytes), "{case}");
        assert_eq!(decode(&bytes, &ty), Ok(value), "{case}");
    }
}

#[test]
fn all_widths_are_read() {
    let table: [(&[u8], i64); 8] = [
        (&[0xcc, 200], 200),
        (&[0xcd, 1, 0], 256),
        (&[0xce, 0, 1, 0, 0], 65536),
        (&[0xcf, 0, 0, 0, 0, 0, 0, 0, 9], 9),
        (&[0xd0, 0xff], -1),
        (&[0xd2, 0xff, 0xff, 0xff, 0xfe], -2),
        (&[0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd], -3),
        (&[0xca, 0x40, 0x40, 0, 0], 3),
    ];
    for (bytes, number) in table {
        assert_eq!(decode(bytes, &Type::Number), Ok(Value::from(number)), "{bytes:?}");
    }
    assert_eq!(decode(&[0xc4, 1, b'x'], &Type::String), Ok(Value::from("x")));
}

#[test]
fn hostile_bytes_are_refused_with_their_place() {
    let object = Type::object([("a", Type::String), ("b", Type::list(Type::Number))]);
    let table: [(&str, &[u8], Type, &str); 8] = [
        ("empty", &[], Type::Bool, "the value is cut short"),
        (
            "lies about its length",
            &[0xdd, 255, 255, 255, 255],
            Type::list(Type::Bool),
            "[0]: the value is cut short",
        ),
        (
            "too few attributes",
            b"\x81\xa1a\xa1x",
            object.clone(),
            "an object with 2 attributes is required, 1 are given",
        ),
        (
            "unknown attribute",
            b"\x82\xa1a\xa1x\xa1c\x90",
            object.clone(),
            "unsupported attribute `c`",
        ),
        (
            "twice the same",
            b"\x82\xa1a\xa1x\xa1a\xa1x",
            object.clone(),
            "an attribute is given twice, and another one is missing",
        ),
        ("wrong type inside", b"\x82\xa1a\xa1x\xa1b\x91\xc2", object, "b[0]: a number is required"),
        ("not UTF-8", b"\xa2\xff\xfe", Type::String, "a string is not valid UTF-8"),
        ("more follows", &[0xc0, 0xc0], Type::Bool, "something follows the value"),
    ];
    for (case, bytes, ty, message) in table {
        let error = decode(bytes, &ty).expect_err(case);
        assert_eq!(error.to_string(), message, "{case}");
    }
    let chain: Vec<u8> =
        std::iter::repeat_n(b"\x92\xc4\x09\"dynamic\"", 10_000).flatten().copied().collect();
    assert_eq!(
        decode(&chain, &Type::Dynamic).expect_err("too deep").message,
        "values are nested too deeply"
    );
}

fn values() -> impl Strategy<Value = (Value, Type)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zé]{0,6}".prop_map(|text| Value::from(text.as_str())),
        "-?[0-9]{1,20}\\.[0-9]{1,12}"
            .prop_map(|text| Value::number(Number::parse(&text).expect("a number"))),
        Just(Value::null(Type::String)),
        Just(Value::unknown(Type::Number)),
        Just(Value::unknown_refined(Type::String, Refinement::not_null())),
        Just(Value::dynamic_unknown()),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            proptest::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..4)
                .prop_map(Value::object),
            inner.clone().prop_map(|item| Value::list(item.ty(), vec![item.clone(), item])),
            inner.prop_map(|item| Value::set(item.ty(), vec![item])),
        ]
    })
    .prop_flat_map(|value| {
        let own = value.ty();
        prop_oneof![Just((value.clone(), own)), Just((value, Type::Dynamic))]
    })
}

proptest! {
    #[test]
    fn values_read_back((value, ty) in values()) {
        let bytes = encode(&value, &ty).expect("every value of its type can be written");
        prop_assert_eq!(decode(&bytes, &ty), Ok(value));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let ty = Type::object([("a", Type::Dynamic), ("b", Type::set(Type::Number))]);
        let _ = decode(&bytes, &ty);
        let _ = decode(&bytes, &Type::Dynamic);
    }
}
