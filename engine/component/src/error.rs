//! What can be wrong with component types and components.

use miette::Diagnostic;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault in the component layer.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ComponentError {
    /// A top-level block is neither part of the language nor a component.
    #[error("unknown block type `{name}`")]
    #[diagnostic(code(stratiform::component::unknown_block))]
    UnknownBlock {
        /// The block's kind.
        name: String,
        /// Its place.
        #[label("neither a block of the language nor a component type")]
        span: Span,
        /// The nearest kind, where one is near.
        #[help]
        suggestion: Option<String>,
    },

    /// A component has no name, or more than one.
    #[error("a `{kind}` component has one label, its name")]
    #[diagnostic(code(stratiform::component::labels), help("write `{kind} \"name\" {{ … }}`"))]
    Labels {
        /// The component's type.
        kind: String,
        /// The block's header.
        #[label("one label is expected here")]
        span: Span,
    },

    /// Two components of one type have the same name.
    #[error("component `{name}` is declared twice")]
    #[diagnostic(code(stratiform::component::duplicate), help("give one of them another name"))]
    Duplicate {
        /// Type and name.
        name: String,
        /// The first one.
        #[label("declared here first")]
        first: Span,
        /// The second one.
        #[label(primary, "declared again here")]
        span: Span,
    },

    /// A type of the configuration takes the place of another one.
    #[error("component type `{name}` replaces the one {origin}")]
    #[diagnostic(
        code(stratiform::component::overridden_type),
        severity(Warning),
        help("give it another name if that is not meant")
    )]
    OverriddenType {
        /// The type.
        name: String,
        /// Where the other one comes from.
        origin: &'static str,
        /// The declaration that counts.
        #[label("this one counts")]
        span: Span,
    },

    /// A declaration cannot be understood.
    #[error("unsuitable declaration: {message}")]
    #[diagnostic(code(stratiform::component::declaration))]
    Declaration {
        /// What is wrong.
        message: String,
        /// The place.
        #[label("{message}")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },

    /// The standard library cannot be read.
    #[error("the standard library of component types cannot be read: {path}")]
    #[diagnostic(
        code(stratiform::component::library),
        help("the installation is damaged; install stratiform again")
    )]
    Library {
        /// The path that failed.
        path: String,
    },

    /// A component sets something that its type does not have.
    #[error("component type `{kind}` has no input `{name}`")]
    #[diagnostic(code(stratiform::component::unknown_input))]
    UnknownInput {
        /// The component's type.
        kind: String,
        /// The name as written.
        name: String,
        /// Its place.
        #[label("not an input of `{kind}`")]
        span: Span,
        /// The nearest input, or all of them.
        #[help]
        suggestion: Option<String>,
    },

    /// A component lacks an input.
    #[error("component `{component}` needs the input `{name}`")]
    #[diagnostic(code(stratiform::component::missing_input))]
    MissingInput {
        /// Type and name.
        component: String,
        /// The input.
        name: String,
        /// The component's header.
        #[label("`{name}` is not set")]
        span: Span,
        /// What it means.
        #[help]
        help: Option<String>,
    },

    /// An input has a value of another type.
    #[error("unsuitable value for input `{name}`: {message}")]
    #[diagnostic(code(stratiform::component::input_type))]
    InputType {
        /// The input.
        name: String,
        /// What was wanted and found.
        message: String,
        /// The value.
        #[label("{message}")]
        span: Span,
    },

    /// A validation of the type does not hold.
    #[error("unsuitable value for input `{name}` of `{component}`")]
    #[diagnostic(code(stratiform::component::validation), help("{message}"))]
    Validation {
        /// The input.
        name: String,
        /// Type and name.
        component: String,
        /// What the type says.
        message: String,
        /// The value, or the component.
        #[label("does not pass the check of its type")]
        span: Span,
    },

    /// What an implementation requires turns out not to hold when more is known.
    #[error("`{component}` does not fit where it was placed: {message}")]
    #[diagnostic(
        code(stratiform::component::fits_no_more),
        help("ask for less, or let it go elsewhere; what it was placed by was not known yet")
    )]
    FitsNoMore {
        /// Type and name.
        component: String,
        /// What the implementation says.
        message: String,
        /// The component's header.
        #[label("this component")]
        span: Span,
    },

    /// A component does not fit anywhere.
    #[error("no place for `{component}`")]
    #[diagnostic(code(stratiform::component::no_placement), help("{reasons}"))]
    NoPlacement {
        /// Type and name.
        component: String,
        /// One line for each candidate: what it lacks, and by how much.
        reasons: String,
        /// The component's header.
        #[label("fits none of the offers")]
        span: Span,
    },

    /// The sum of prices is over the limit.
    #[error("the stack costs {total} USD per hour, {over} more than `max_hourly_usd` allows")]
    #[diagnostic(
        code(stratiform::component::over_budget),
        help("raise `max_hourly_usd`, or ask for less: {parts}")
    )]
    OverBudget {
        /// The sum.
        total: String,
        /// By how much it is over.
        over: String,
        /// What each component costs.
        parts: String,
        /// The limit.
        #[label("the limit")]
        span: Span,
    },

    /// A limit of prices, and a machine whose price nobody knows.
    #[error("`max_hourly_usd` cannot be kept: the price of {parts} is not known")]
    #[diagnostic(
        code(stratiform::component::unknown_price),
        help(
            "state the price in a table of `stratiform catalog update`, ask for a machine that has one, or take the limit away"
        )
    )]
    UnknownPrice {
        /// Components and their offers.
        parts: String,
        /// The limit.
        #[label("the limit")]
        span: Span,
    },

    /// Each component has a place, but not all of them together.
    #[error("no placement for all components together")]
    #[diagnostic(
        code(stratiform::component::conflict),
        help("these cannot all hold:\n{requirements}\n{relaxation}")
    )]
    Conflict {
        /// One line for each requirement of the smallest set that cannot hold.
        requirements: String,
        /// What to give up, and what the whole costs then.
        relaxation: String,
        /// A component that is concerned.
        #[label("has a place alone, but not with the others")]
        span: Span,
    },

    /// What is placed stays, but something else would be better.
    #[error("a better placement exists: {better}")]
    #[diagnostic(
        code(stratiform::component::better_placement),
        severity(Warning),
        help(
            "`-reoptimize` plans the move; `move_usd` in the placement counts what it interrupts and copies"
        )
    )]
    BetterPlacement {
        /// What it would be, and by how much it is better.
        better: String,
    },

    /// A setting of the stack cannot be used.
    #[error("unsuitable setting: {message}")]
    #[diagnostic(code(stratiform::component::setting))]
    Setting {
        /// What is wrong.
        message: String,
        /// The setting.
        #[label("{message}")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },

    /// An implementation lacks an output of its type.
    #[error("implementation `{implementation}` of `{kind}` lacks the output `{name}`")]
    #[diagnostic(
        code(stratiform::component::missing_output),
        help("add `output \"{name}\" {{ value = … }}` to the module in `{dir}`")
    )]
    MissingOutput {
        /// The type.
        kind: String,
        /// The implementation.
        implementation: String,
        /// The output.
        name: String,
        /// The module's folder.
        dir: String,
        /// Where the type declares it.
        #[label("declared by the type")]
        span: Span,
    },

    /// Components contain each other without end.
    #[error("component `{component}` is nested too deeply")]
    #[diagnostic(
        code(stratiform::component::recursion),
        help("an implementation cannot use a component that uses the implementation again")
    )]
    Recursion {
        /// The address.
        component: String,
        /// The component's header.
        #[label("one level too many")]
        span: Span,
    },

    /// A component cannot be ejected.
    #[error("component `{address}` cannot be ejected: it {what}")]
    #[diagnostic(code(stratiform::component::eject))]
    Eject {
        /// The address.
        address: String,
        /// Why not, as the end of a sentence.
        what: String,
        /// The component's header.
        #[label("this component")]
        span: Span,
        /// What to do.
        #[help]
        help: String,
    },

    /// What is to be ejected is no component.
    #[error("there is no component `{address}` to eject")]
    #[diagnostic(code(stratiform::component::eject_unknown))]
    EjectUnknown {
        /// The address.
        address: String,
        /// What there is.
        #[help]
        help: String,
    },
}

/// The codes of this crate, for the reference.
pub fn error_docs() -> &'static [ErrorDoc] {
    macro_rules! docs {
        ($($code:literal, $title:literal, $explanation:literal, $example:literal;)*) => {
            &[$(ErrorDoc {
                code: concat!("stratiform::component::", $code),
                title: $title,
                explanation: $explanation,
                example: $example,
            }),*]
        };
    }
    docs![
        "unknown_block", "unknown block type", "A top-level block is part of the language or a component; this is neither.", "resorce \"a\" \"b\" {}";
        "labels", "wrong number of labels", "A component has its type as keyword and one label, its name.", "cluster {}";
        "duplicate", "component declared twice", "The name is part of the address, so it is used once per type.", "cluster \"a\" {}\ncluster \"a\" {}";
        "overridden_type", "component type replaced", "A type of the configuration wins over one of the same name.", "component_type \"cluster\" {}";
        "declaration", "unsuitable declaration", "A part of a `component_type` block is missing or of another form.", "component_type \"a\" { implementation \"b\" {} }";
        "library", "standard library unreadable", "The binary carries the standard library; it could not be read.", "stratiform plan";
        "unknown_input", "no such input", "A component sets only what its type declares.", "cluster \"a\" { acelerator = {} }";
        "missing_input", "input missing", "An input without a default must be set.", "filesystem \"a\" {}";
        "input_type", "input of another type", "The value does not convert to the type that is declared.", "filesystem \"a\" { capacity_gib = [] }";
        "validation", "input does not pass a check", "The type checks values of its inputs.", "filesystem \"a\" { capacity_gib = -1 }";
        "no_placement", "no place", "Every implementation and offer lacks something.", "filesystem \"a\" { capacity_gib = 1e9 }";
        "over_budget", "over the budget", "The prices of the chosen offers add up to more than the limit.", "stack { placement { max_hourly_usd = 0.01 } }";
        "unknown_price", "a limit and no price", "A machine that nobody knows the price of may cost more than the limit, so that it is not taken for free.", "stack { placement { max_hourly_usd = 100 } }";
        "conflict", "no placement for all together", "Each component has a place, but limits, quotas, shared capacity or nearness rule out every combination. The smallest set of requirements that cannot all hold is named, and the cheapest one to give up.", "stack { placement { regions = [\"nowhere\"] } }";
        "better_placement", "a better placement exists", "Placements are kept. This says that a new decision would be better by more than `reoptimize_threshold`.", "stratiform plan -reoptimize";
        "fits_no_more", "fits no more", "A requirement of an implementation that could not be decided before planning is decided in apply, before anything is made that depends on it.", "cluster \"a\" { nodes = terraform_data.a.output }";
        "setting", "unsuitable setting", "A setting of the `stack` block, or `backend`, is unknown or has an unknown value.", "stack { placement { objective = \"fun\" } }";
        "missing_output", "output missing", "An implementation has all outputs that its type declares.", "component_type \"a\" { output \"x\" {} }";
        "recursion", "nested too deeply", "Components of implementations are placed too, and must come to an end.", "cluster \"a\" {}";
        "eject", "component not ejected", "Some components have no plain form yet, or one that would collide with what is there.", "stratiform eject cluster.a";
        "eject_unknown", "no component of this name", "Components of the root module are ejected by their address, `TYPE.NAME`.", "stratiform eject cluster.b";
    ]
}
