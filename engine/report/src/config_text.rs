//! Objects as blocks of configuration, for `-generate-config-out`.
//!
//! A block says what its object is now: everything that may be configured and has a value. Sensitive values stay out,
//! and so does what is deprecated. Providers know rules that no schema tells, such as attributes that exclude each
//! other; who finds them broken asks for the same block with some attributes left out.

use std::collections::BTreeSet;

use address::ResourceInstance;
use sdk::{Attribute, AttributeKind, Block, Nesting};
use value::Value;

/// One object to be written.
pub struct Subject {
    /// Where it is to be.
    pub address: ResourceInstance,
    /// Its id at the provider, for people.
    pub id: String,
    /// Its provider configuration, where the block must name it.
    pub provider: Option<String>,
    /// The schema of its type.
    pub schema: Block,
    /// The object, with its marks.
    pub object: Value,
}

/// An attribute of a subject: its address, then the names on the way.
pub type Key = String;

/// A line of the text, and what could be left out to be without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The attribute that it belongs to; `None` for what must be there.
    pub key: Option<Key>,
    /// How little is lost with it; the highest first.
    pub idle: u8,
}

const HEADER: &str = "# __generated__ by Stratiform\n# Please review these resources and move them into your main configuration files.\n";

/// The text of all blocks, with what can be said of each of its lines.
pub fn blocks(subjects: &[Subject], left_out: &BTreeSet<Key>) -> (String, Vec<Line>) {
    let mut writer = Writer { text: HEADER.to_owned(), noted: 0, lines: Vec::new(), left_out };
    for subject in subjects {
        let resource = &subject.address.resource;
        let from = lang::text::of_value(&subject.id.as_str().into());
        writer.text.push_str(&format!(
            "\n# __generated__ by Stratiform from {from}\nresource \"{}\" \"{}\" {{\n",
            resource.type_name, resource.name
        ));
        if let Some(provider) = &subject.provider {
            writer.text.push_str(&format!("provider = {provider}\n"));
        }
        let at = subject.address.to_string();
        writer.body(&subject.schema, &subject.object, &at, true);
        writer.text.push_str("}\n");
    }
    writer.note(&Line { key: None, idle: 0 });
    (syntax::format(&writer.text), writer.lines)
}

struct Writer<'a> {
    text: String,
    /// So much of the text is noted.
    noted: usize,
    lines: Vec<Line>,
    left_out: &'a BTreeSet<Key>,
}

impl Writer<'_> {
    /// Says of all lines since the last note what they belong to.
    fn note(&mut self, line: &Line) {
        let new = self.text[self.noted..].matches('\n').count();
        self.lines.extend(std::iter::repeat_n(line.clone(), new));
        self.noted = self.text.len();
    }

    fn body(&mut self, schema: &Block, object: &Value, at: &str, top: bool) {
        self.note(&Line { key: None, idle: 0 });
        for (name, attribute) in &schema.attributes {
            // Older providers give every object an `id` that nobody may configure.
            let is_id = top && &**name == "id" && attribute.optional && attribute.computed;
            let key = format!("{at}.{name}");
            if is_id || self.left_out.contains(&key) || !may_be_written(attribute) {
                continue;
            }
            let Some(value) = object.get_attr(name) else { continue };
            self.attribute(name, attribute, value, key);
        }
        for (name, nested) in schema.blocks.iter().filter(|(_, nested)| !nested.block.deprecated) {
            let Some(value) = object.get_attr(name) else { continue };
            self.nested(name, nested.nesting, &nested.block, value, &format!("{at}.{name}"));
        }
    }

    fn attribute(&mut self, name: &str, attribute: &Attribute, value: &Value, key: Key) {
        let written = if attribute.sensitive || !value.deep_marks().is_empty() {
            "null # sensitive".to_owned()
        } else if attribute.write_only {
            "null # write-only".to_owned()
        } else if is_nothing(value) {
            "null".to_owned()
        } else {
            match &attribute.kind {
                AttributeKind::Plain(_) => plain(value),
                AttributeKind::Nested { nesting, attributes } => {
                    let configurable = |object: &Value| {
                        let kept = attributes.iter().filter_map(|(name, inner)| {
                            let value = object.get_attr(name)?;
                            let hidden = inner.sensitive || value.is_null();
                            (may_be_written(inner) && !hidden)
                                .then(|| (name.clone(), value.clone()))
                        });
                        Value::object(kept)
                    };
                    lang::text::of_value(&each(*nesting, value, &configurable))
                }
            }
        };
        if written.starts_with("null") && !attribute.required {
            return;
        }
        self.text.push_str(&format!("{name} = {written}\n"));
        let idle = match (is_idle(value), attribute.computed) {
            _ if attribute.required => 0,
            (true, true) => 4,
            (true, false) => 3,
            (false, true) => 2,
            (false, false) => 1,
        };
        self.note(&Line { key: (!attribute.required).then_some(key), idle });
    }

    fn nested(&mut self, name: &str, nesting: Nesting, schema: &Block, value: &Value, at: &str) {
        if value.is_null() || !value.marks().is_empty() {
            return;
        }
        match nesting {
            Nesting::Single | Nesting::Group => self.block(name, "", schema, value, at),
            Nesting::List | Nesting::Set => {
                for (index, item) in value.items().unwrap_or_default().iter().enumerate() {
                    self.block(name, "", schema, item, &format!("{at}.{index}"));
                }
            }
            Nesting::Map => {
                for (label, item) in value.entries().into_iter().flatten() {
                    let label = lang::text::of_value(&Value::from(&**label));
                    let at = format!("{at}.{label}");
                    self.block(name, &format!(" {label}"), schema, item, &at);
                }
            }
        }
    }

    fn block(&mut self, name: &str, label: &str, schema: &Block, value: &Value, at: &str) {
        if self.left_out.contains(at) {
            return;
        }
        self.text.push_str(&format!("{name}{label} {{\n"));
        self.note(&Line { key: Some(at.to_owned()), idle: 1 });
        self.body(schema, value, at, false);
        self.text.push_str("}\n");
        self.note(&Line { key: None, idle: 0 });
    }
}

fn may_be_written(attribute: &Attribute) -> bool {
    (attribute.required || attribute.optional) && !attribute.deprecated
}

/// Null; also the empty text, which providers of the older kind give for what is not set.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// What says as much as nothing would.
fn is_idle(value: &Value) -> bool {
    let none = |count: Option<usize>| count == Some(0);
    is_nothing(value)
        || value.as_bool() == Some(false)
        || value.as_number().is_some_and(|number| number.to_i64() == Some(0))
        || none(value.items().map(<[Value]>::len))
        || none(value.entries().map(|entries| entries.len()))
}

/// The same for each object that an attribute holds.
fn each(nesting: Nesting, value: &Value, make: &dyn Fn(&Value) -> Value) -> Value {
    match nesting {
        Nesting::Single | Nesting::Group => make(value),
        Nesting::List | Nesting::Set => {
            Value::tuple(value.items().unwrap_or_default().iter().map(make).collect())
        }
        Nesting::Map => {
            let entries = value.entries().into_iter().flatten();
            Value::object(entries.map(|(name, value)| (name.clone(), make(value))))
        }
    }
}

/// A value; a text that is JSON as `jsonencode` would write it, as that.
fn plain(value: &Value) -> String {
    let json = value.as_str().filter(|text| text.starts_with(['{', '[']));
    let decoded = json.and_then(|text| {
        let parsed = value::json::parse(text).ok()?;
        let ty = value::json::implied_type(&parsed);
        let value = value::json::decode_str(text, &ty).ok()?;
        (value::json::to_string(&value) == text).then_some(value)
    });
    match decoded {
        Some(decoded) => format!("jsonencode({})", lang::text::of_value(&decoded)),
        None => lang::text::of_value(value),
    }
}

#[cfg(test)]
mod tests {
    use sdk::NestedBlock;
    use value::Type;

    use super::*;

    fn subject() -> Subject {
        let inner = Block::new()
            .optional("count", Type::Number, "")
            .computed("given", Type::String, "")
            .required("mode", Type::String, "");
        let schema = Block::new()
            .optional_computed("id", Type::String, "")
            .required("name", Type::String, "")
            .optional_computed("size", Type::Number, "")
            .optional("policy", Type::String, "")
            .optional("token", Type::String, "")
            .sensitive(&["token"])
            .optional("empty", Type::String, "")
            .computed("arn", Type::String, "")
            .block(
                "rule",
                NestedBlock { nesting: Nesting::List, block: inner, min_items: 0, max_items: 0 },
            );
        let rule = |count: i64, mode: &str| {
            Value::object([
                ("count", Value::from(count)),
                ("given", Value::from("x")),
                ("mode", Value::from(mode)),
            ])
        };
        let object = Value::object([
            ("id", Value::from("i-1")),
            ("name", Value::from("a\"${b}")),
            ("size", Value::from(0)),
            ("policy", Value::from("{\"a\":[1,true]}")),
            ("token", Value::from("canary")),
            ("empty", Value::from("")),
            ("arn", Value::from("arn:1")),
            ("rule", Value::tuple(vec![rule(0, "r"), rule(2, "w")])),
        ]);
        Subject {
            address: "x_thing.t".parse().expect("an address"),
            id: "i-1".to_owned(),
            provider: Some("x.west".to_owned()),
            schema,
            object,
        }
    }

    #[test]
    fn a_block_says_what_may_be_configured_and_no_secret() {
        let (text, lines) = blocks(&[subject()], &BTreeSet::new());
        assert_eq!(
            text,
            format!(
                "{HEADER}\n# __generated__ by Stratiform from \"i-1\"\nresource \"x_thing\" \"t\" {{\n  provider = x.west\n  name     = \"a\\\"$${{b}}\"\n  policy = jsonencode({{\n    a = [1, true]\n  }})\n  size = 0\n  rule {{\n    count = 0\n    mode  = \"r\"\n  }}\n  rule {{\n    count = 2\n    mode  = \"w\"\n  }}\n}}\n"
            )
        );
        assert_eq!(lines.len(), text.lines().count());
        let of = |part: &str| {
            let at = text.lines().position(|line| line.contains(part)).expect(part);
            (lines[at].key.as_deref(), lines[at].idle)
        };
        assert_eq!(of("name "), (None, 0));
        assert_eq!(of("a = [1"), (Some("x_thing.t.policy"), 1));
        assert_eq!(of("size"), (Some("x_thing.t.size"), 4));
        assert_eq!(of("count = 2"), (Some("x_thing.t.rule.1.count"), 1));
        assert!(of("count = 0").1 > of("count = 2").1, "what says nothing goes first");
    }

    #[test]
    fn what_is_left_out_is_gone_and_the_rest_stays() {
        let left_out = ["x_thing.t.size", "x_thing.t.rule.0"].map(str::to_owned).into();
        let (text, lines) = blocks(&[subject()], &left_out);
        assert!(!text.contains("size") && !text.contains("\"r\"") && text.contains("\"w\""));
        assert_eq!(lines.len(), text.lines().count());
    }
}
