//! Ordered fallbacks: `try = [{ purchase = "spot" }, { purchase = "on_demand" }]`.

use value::Value;

use crate::place::Offer;

/// What an offer must be, one after another: the first rung that some offer suits is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ladder(Vec<Rung>);

/// What an offer of a rung has: one of these texts, by attribute.
type Rung = Vec<(String, Vec<String>)>;

/// More rungs than anybody writes; costs of rungs stay far from the largest number.
const MAX_RUNGS: usize = 100;

const ATTRIBUTES: [&str; 6] = ["backend", "region", "zone", "purchase", "machine", "accelerator"];

impl Ladder {
    /// Reads `try`.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let fault = || {
            "a list of objects that is known before planning is expected, such as \
             `[{ purchase = \"spot\" }, { purchase = \"on_demand\" }]`"
                .to_owned()
        };
        if !value.is_wholly_known() || !value.deep_marks().is_empty() {
            return Err(fault());
        }
        let items = value.items().filter(|items| !items.is_empty()).ok_or_else(fault)?;
        if items.len() > MAX_RUNGS {
            return Err(format!("at most {MAX_RUNGS} steps can be tried"));
        }
        items.iter().map(|item| rung(item, &fault)).collect::<Result<_, _>>().map(Self)
    }

    /// The first rung that an offer suits, from 0; `None` if it suits none. Without rungs all suit the first.
    pub(crate) fn rung(&self, offer: &Offer) -> Option<usize> {
        if self.0.is_empty() {
            return Some(0);
        }
        self.0.iter().position(|rung| rung.iter().all(|(name, texts)| suits(offer, name, texts)))
    }

    /// How many rungs there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn rung(item: &Value, fault: &dyn Fn() -> String) -> Result<Rung, String> {
    let entries = item.entries().ok_or_else(fault)?;
    let mut rung = Vec::new();
    for (name, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        if !ATTRIBUTES.contains(&&**name) {
            let near = syntax::suggest(name, ATTRIBUTES.into_iter());
            let help = near.map_or_else(
                || format!("it may name `{}`", ATTRIBUTES.join("`, `")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("a step of `try` does not know `{name}`; {help}"));
        }
        let texts: Option<Vec<String>> = match value.as_str() {
            Some(one) => Some(vec![one.to_owned()]),
            None => value.items().and_then(|items| {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }),
        };
        rung.push((name.to_string(), texts.ok_or_else(fault)?));
    }
    Ok(rung)
}

fn suits(offer: &Offer, name: &str, texts: &[String]) -> bool {
    let own = match name {
        "backend" => Some(&*offer.backend),
        name => offer.attributes.get_attr(name).and_then(Value::as_str),
    };
    own.is_some_and(|own| {
        texts.iter().any(|text| {
            own == text || name == "accelerator" && catalog::offer::same_chip(own, text)
        })
    })
}
