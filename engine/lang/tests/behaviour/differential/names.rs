//! The names that cases may use, on both sides.

use std::collections::BTreeMap;
use std::path::Path;

use lang::testing::FixedWorld;
use lang::{Context, EvalError, Lookup, NoNames, Phase, Scope, Step, TraversalStep};
use syntax::{Diagnostics, Ident, Span};
use value::{Marks, Refinement, Type, Value};

use crate::common::try_compile;

/// Known values, possibly marked, as both sides compute them.
const KNOWN: &[(&str, &str)] = &[
    ("null", "null"),
    ("null_s", "tostring(null)"),
    ("null_l", "tolist(null)"),
    ("s_s", "sensitive(\"sec\")"),
    ("s_n", "sensitive(3)"),
    ("s_b", "sensitive(true)"),
    ("s_null", "sensitive(null)"),
    ("s_l", "sensitive(tolist([\"a\", \"b\"]))"),
    ("s_in_l", "tolist([\"a\", sensitive(\"b\")])"),
    ("s_set", "sensitive(toset([\"a\", \"b\"]))"),
    ("s_m", "sensitive(tomap({ a = \"x\", b = \"y\" }))"),
    ("s_in_m", "tomap({ a = \"x\", b = sensitive(\"y\") })"),
    ("s_t", "sensitive([1, \"a\"])"),
    ("s_in_t", "[1, sensitive(\"a\")]"),
    ("s_o", "sensitive({ a = 1, b = \"y\" })"),
    ("s_in_o", "{ a = 1, b = sensitive(\"y\") }"),
];

/// Unknown values, as the type of a known one.
const UNKNOWN: &[(&str, &str)] = &[
    ("u_s", "\"a\""),
    ("u_n", "1"),
    ("u_b", "true"),
    ("u_l", "tolist([\"a\"])"),
    ("u_ln", "tolist([1])"),
    ("u_ll", "tolist([tolist([\"a\"])])"),
    ("u_set", "toset([\"a\"])"),
    ("u_m", "tomap({ a = \"x\" })"),
    ("u_t", "[1, \"a\"]"),
    ("u_o", "{ a = 1, b = \"y\" }"),
];

/// Values made of unknown and ephemeral ones, as both sides compute them from those above.
const MIXED: &[(&str, &str)] = &[
    ("us_s", "sensitive(local.u_s)"),
    ("us_l", "sensitive(local.u_l)"),
    ("u_in_l", "tolist([\"a\", local.u_id])"),
    ("u_in_set", "toset([\"a\", local.u_id])"),
    ("u_in_m", "tomap({ a = \"x\", b = local.u_id })"),
    ("u_in_t", "[1, local.u_id]"),
    ("u_in_o", "{ a = 1, b = local.u_id }"),
    ("u_pre", "\"pre-${local.u_id}\""),
    ("e_l", "tolist([\"a\", local.e_s])"),
    ("e_o", "{ a = 1, b = local.e_s }"),
    ("es_s", "sensitive(local.e_s)"),
    ("ue_s", "\"${local.e_s}${local.u_id}\""),
];

/// Files that lie in the folder.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("a.txt", "hello\nworld\n"),
    ("t.tftpl", "Hi ${name}!\n%{ for x in list ~}\n- ${x}\n%{ endfor ~}\n"),
    ("bad.tftpl", "Hi ${name\n"),
    ("dir/b.txt", "b"),
    ("dir/c.md", "c"),
    ("dir/sub/d.txt", "d"),
    ("dir/sub/.hidden", "h"),
    // Made for these tests, and used nowhere else.
    ("key.pem", include_str!("key.pem")),
];

/// Whether values are marked, as their definitions say, or no value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marking {
    AsDefined,
    None,
}

impl Marking {
    /// An expression under this marking.
    pub(crate) fn of(self, expression: &str) -> String {
        match self {
            Self::AsDefined => expression.to_owned(),
            // What is not sensitive passes through `nonsensitive` as it is.
            Self::None => expression
                .replace("sensitive(", "nonsensitive(")
                .replace("nonnonsensitive(", "nonsensitive(")
                .replace("isnonsensitive(", "issensitive("),
        }
    }
}

/// The declarations for Terraform.
pub(crate) fn declarations(marking: Marking) -> String {
    let ephemeral = marking == Marking::AsDefined;
    let mut text = format!(
        "variable \"e_s\" {{\n  default = \"eph\"\n  ephemeral = {ephemeral}\n}}\n\
         variable \"e_n\" {{\n  default = 7\n  ephemeral = {ephemeral}\n}}\n\
         resource \"terraform_data\" \"id\" {{}}\n",
    );
    for (name, definition) in UNKNOWN {
        text += &format!("resource \"terraform_data\" \"{name}\" {{ input = {definition} }}\n");
    }
    text += "locals {\n  e_s = var.e_s\n  e_n = var.e_n\n  u_id = terraform_data.id.id\n  u = jsondecode(terraform_data.id.id)\n";
    for (name, _) in UNKNOWN {
        text += &format!("  {name} = terraform_data.{name}.output\n");
    }
    for (name, definition) in KNOWN.iter().chain(MIXED) {
        text += &format!("  {name} = {}\n", marking.of(definition));
    }
    text + "}\n"
}

/// When Terraform looks at an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before the plan: variables are unknown, and of what a resource gives out not even the type is known.
    Validate,
    Plan,
}

/// The same for us.
pub(crate) struct Locals(BTreeMap<&'static str, Value>);

impl Locals {
    pub(crate) fn new(stage: Stage, marking: Marking) -> Self {
        let mut locals = Self(BTreeMap::new());
        let marks = match marking {
            Marking::AsDefined => Marks::EPHEMERAL,
            Marking::None => Marks::NONE,
        };
        let ephemeral = |value: Value| match stage {
            Stage::Plan => value.mark(marks),
            Stage::Validate => Value::dynamic_unknown().mark(marks),
        };
        locals.0.insert("e_s", ephemeral(Value::from("eph")));
        locals.0.insert("e_n", ephemeral(Value::from(7)));
        let id = match stage {
            Stage::Plan => Value::unknown_refined(Type::String, Refinement::not_null()),
            Stage::Validate => Value::dynamic_unknown(),
        };
        locals.0.insert("u_id", id);
        locals.0.insert("u", Value::dynamic_unknown());
        for (name, definition) in UNKNOWN {
            let ty = match stage {
                Stage::Plan => locals.evaluate(definition).expect("it has a value").ty(),
                Stage::Validate => Type::Dynamic,
            };
            locals.0.insert(name, Value::unknown(ty));
        }
        for (name, definition) in KNOWN.iter().chain(MIXED) {
            let value = locals.evaluate(&marking.of(definition)).expect("it has a value");
            locals.0.insert(name, value);
        }
        locals
    }

    /// Our answer to a case.
    pub(crate) fn evaluate(&self, text: &str) -> Result<Value, Diagnostics> {
        let (expression, faults) = try_compile(text)?;
        if faults.has_errors() {
            return Err(faults);
        }
        // Names that nothing stands for are an error even where nobody asks for their value.
        for reference in expression.references() {
            let stranger = match (reference.root.as_str(), reference.steps.first()) {
                ("local", Some(TraversalStep::Attribute(name))) => {
                    (!self.0.contains_key(name.as_str())).then(|| name.text.to_string())
                }
                (root, _) => Some(root.to_owned()),
            };
            if let Some(name) = stranger {
                let span = reference.span;
                return Err(EvalError::UnknownName { name, span, suggestion: None }.into());
            }
        }
        let mut world = FixedWorld::with_files(FILES.iter().copied());
        world.working_dir = "/stack".into();
        expression.evaluate(&Context {
            scope: self,
            world: &world,
            phase: Phase::Plan,
            module_dir: Path::new("."),
            functions: None,
        })
    }
}

impl Scope for Locals {
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        let (true, Some(Step::Attribute(name))) = (root.as_str() == "local", steps.first()) else {
            return NoNames.lookup(root, steps, span);
        };
        match self.0.get(name.as_str()) {
            Some(value) => Ok(Lookup { value: value.clone(), used: 1 }),
            None => {
                let name = name.text.to_string();
                Err(EvalError::UnknownName { name, span, suggestion: None }.into())
            }
        }
    }
}
