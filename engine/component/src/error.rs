//! What can be wrong with component types and components.

use miette::Diagnostic;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault in a component type, a component or the settings of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ComponentError {
    /// A top-level block of a kind that nobody declares.
    #[error("unknown block type `{kind}`")]
    #[diagnostic(code(stratiform::component::unknown_block))]
    UnknownBlock {
        /// The kind.
        kind: String,
        /// The kind's place.
        #[label("neither a block of the language nor a component type")]
        span: Span,
        /// The nearest kind.
        #[help]
        suggestion: Option<String>,
    },
    /// A component needs one label.
    #[error("a `{kind}` needs exactly one label, its name")]
    #[diagnostic(code(stratiform::component::label), help("write `{kind} \"name\" {{ … }}`"))]
    Label {
        /// The kind.
        kind: String,
        /// The header.
        #[label("this block")]
        span: Span,
    },
    /// Two components of one type have the same name.
    #[error("duplicate component `{name}`")]
    #[diagnostic(code(stratiform::component::duplicate), help("rename one of the two"))]
    Duplicate {
        /// Its type and name.
        name: String,
        /// The second.
        #[label("declared again here")]
        span: Span,
    },
    /// A component sets what its type does not have.
    #[error("`{component}` has no input `{name}`")]
    #[diagnostic(code(stratiform::component::unknown_input))]
    UnknownInput {
        /// Its type and name.
        component: String,
        /// The input.
        name: String,
        /// The name's place.
        #[label("no such input")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A component lacks an input without a default.
    #[error("`{component}` needs a value for `{name}`")]
    #[diagnostic(code(stratiform::component::missing_input), help("add `{name} = …`{description}"))]
    MissingInput {
        /// Its type and name.
        component: String,
        /// The input.
        name: String,
        /// What it means.
        description: String,
        /// The header.
        #[label("`{name}` belongs in this block")]
        span: Span,
    },
    /// An input's value does not fit.
    #[error("input `{name}` of `{component}` does not fit: {message}")]
    #[diagnostic(code(stratiform::component::invalid_input))]
    InvalidInput {
        /// Its type and name.
        component: String,
        /// The input.
        name: String,
        /// What is wrong.
        message: String,
        /// The value.
        #[label("{message}")]
        span: Span,
    },
    /// A component type is declared badly.
    #[error("component type `{name}`: {message}")]
    #[diagnostic(
        code(stratiform::component::invalid_type),
        help("`docs/how-to/component-type.md` shows a whole one")
    )]
    InvalidType {
        /// The type.
        name: String,
        /// What is wrong.
        message: String,
        /// The place.
        #[label("{message}")]
        span: Span,
    },
    /// A type of the standard library is replaced.
    #[error("component type `{name}` replaces the one of the standard library")]
    #[diagnostic(
        code(stratiform::component::type_replaced),
        severity(warning),
        help("rename it if that is not meant")
    )]
    TypeReplaced {
        /// The type.
        name: String,
        /// The declaration.
        #[label("declared here")]
        span: Span,
    },
    /// A type of the standard library cannot be read.
    #[error("the standard library cannot be read: {reason}")]
    #[diagnostic(code(stratiform::component::library))]
    Library {
        /// What is wrong.
        reason: String,
    },
    /// No place can take the component.
    #[error("`{component}` fits nowhere")]
    #[diagnostic(code(stratiform::component::no_placement))]
    NoPlacement {
        /// Its type and name.
        component: String,
        /// The header.
        #[label("no offer can take this")]
        span: Span,
        /// One line for each candidate.
        #[help]
        reasons: String,
    },
    /// Components together ask for more than an offer has.
    #[error(
        "the components on `{offer}` together need {needed} {resource}, but it has {available}: {missing} too few"
    )]
    #[diagnostic(
        code(stratiform::component::over_capacity),
        help(
            "ask for less, or add a backend to `stack {{ placement {{ backends = […] }} }}`; {shares}"
        )
    )]
    OverCapacity {
        /// The offer.
        offer: String,
        /// The resource, with its unit.
        resource: String,
        /// What is asked for.
        needed: String,
        /// What is there.
        available: String,
        /// By how much it is too little.
        missing: String,
        /// Who asks for how much.
        shares: String,
        /// The last component that asks.
        #[label("asks for the rest")]
        span: Span,
    },
    /// A setting of the stack is not understood.
    #[error("`{name}` in `stack`: {message}")]
    #[diagnostic(code(stratiform::component::invalid_setting))]
    InvalidSetting {
        /// The setting.
        name: String,
        /// What was expected.
        message: String,
        /// The setting.
        #[label("{message}")]
        span: Span,
    },
    /// Something that is not there yet.
    #[error("{what} is not supported yet")]
    #[diagnostic(code(stratiform::component::unsupported))]
    Unsupported {
        /// The feature.
        what: String,
        /// Where it is used.
        #[label("used here")]
        span: Span,
    },
}

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::component::unknown_block",
        "Unknown block type",
        "A top-level block is neither of the language nor a component type.",
    ),
    doc("stratiform::component::label", "Component label", "A component has one label, its name."),
    doc(
        "stratiform::component::duplicate",
        "Duplicate component",
        "Two components of one type have the same name.",
    ),
    doc(
        "stratiform::component::unknown_input",
        "Unknown input",
        "A component sets an input that its type does not declare.",
    ),
    doc(
        "stratiform::component::missing_input",
        "Missing input",
        "A component lacks an input that has no default.",
    ),
    doc(
        "stratiform::component::invalid_input",
        "Invalid input",
        "An input's value does not fit its type, or one of its validations fails.",
    ),
    doc(
        "stratiform::component::invalid_type",
        "Invalid component type",
        "A `component_type` block is not complete.",
    ),
    doc(
        "stratiform::component::type_replaced",
        "Replaced type",
        "A user's component type has the name of one of the standard library.",
    ),
    doc(
        "stratiform::component::library",
        "Standard library",
        "The embedded standard library cannot be read. This is a fault of the engine.",
    ),
    doc(
        "stratiform::component::no_placement",
        "No placement",
        "No implementation has an offer that satisfies what the component asks for.",
    ),
    doc(
        "stratiform::component::over_capacity",
        "Over capacity",
        "The components on one offer together ask for more than it has.",
    ),
    doc(
        "stratiform::component::invalid_setting",
        "Invalid setting",
        "A setting in the `stack` block is not understood.",
    ),
    doc(
        "stratiform::component::unsupported",
        "Not supported yet",
        "A part of the component layer that this version does not have.",
    ),
];

const fn doc(code: &'static str, title: &'static str, explanation: &'static str) -> ErrorDoc {
    ErrorDoc { code, title, explanation, example: "" }
}
