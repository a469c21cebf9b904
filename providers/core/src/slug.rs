//! `provider::core::slug`: a text as a name that DNS and most clouds accept.

use sdk::{Function, FunctionSchema, Problem};
use value::{Type, Value};

/// The longest label of DNS.
const MAX: usize = 63;

pub(crate) struct Slug;

impl Function for Slug {
    fn name(&self) -> &'static str {
        "slug"
    }

    fn schema(&self) -> FunctionSchema {
        FunctionSchema {
            parameters: vec![("text".into(), Type::String)],
            variadic: None,
            accepts: Vec::new(),
            parameter_descriptions: vec!["The text.".to_owned()],
            result: Type::String,
            summary: "A text as a name of small letters, digits and dashes.".to_owned(),
            description: "Whatever is neither a letter nor a digit of ASCII becomes one dash between what is; \
                          the result has at most 63 characters, as a label of DNS."
                .to_owned(),
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, Problem> {
        let text = arguments.first().and_then(Value::as_str).unwrap_or_default();
        let slug = slug(text);
        if slug.is_empty() {
            let detail = "it holds neither a letter nor a digit of ASCII";
            return Err(Problem::error("no name can be made of the text", detail)
                .at(address::AttributePath(vec![address::PathStep::Index(0)])));
        }
        Ok(slug.as_str().into())
    }
}

fn slug(text: &str) -> String {
    let small = text.to_ascii_lowercase();
    let words = small.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(MAX);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_label_of_dns() {
        let long = "a ".repeat(40);
        let cut = format!("{}a", "a-".repeat(31));
        for (text, expected) in [
            ("Train 01", "train-01"),
            ("--a__b..c--", "a-b-c"),
            ("Zürich", "z-rich"),
            ("", ""),
            ("ÄÖ", ""),
            (&*long, &*cut),
        ] {
            assert_eq!(slug(text), expected, "{text}");
            assert!(slug(text).len() <= MAX);
        }
    }
}
