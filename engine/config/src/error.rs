//! What can be wrong with a configuration before anything is evaluated.

use miette::Diagnostic;
use syntax::error_doc as doc;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault of what a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ConfigError {
    /// A folder holds no configuration.
    #[error("no configuration files in `{dir}`")]
    #[diagnostic(
        code(stratiform::config::no_files),
        help(
            "a stack is a folder with at least one `.tf` or `.tf.json` file; `-chdir=DIR` chooses another folder"
        )
    )]
    NoFiles {
        /// The folder.
        dir: String,
    },
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    #[diagnostic(code(stratiform::config::unreadable))]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What the system says.
        reason: String,
        /// Who asks for it.
        #[label("asked for here")]
        span: Option<Span>,
    },
    /// A module's folder does not exist.
    #[error("module folder `{dir}` does not exist")]
    #[diagnostic(
        code(stratiform::config::module_missing),
        help("the source is relative to the folder of the file that calls it")
    )]
    ModuleMissing {
        /// The folder.
        dir: String,
        /// The source.
        #[label("no such folder")]
        span: Span,
    },
    /// A module from elsewhere is not here, or what is here was installed for another source or version.
    #[error("module from `{source_text}` is not installed")]
    #[diagnostic(code(stratiform::config::module_source), help("run `stratiform init`"))]
    ModuleSource {
        /// The source.
        source_text: String,
        /// Where it is written.
        #[label("not in `.terraform/modules`, or there from another source or version")]
        span: Span,
    },
    /// A module calls itself.
    #[error("module `{dir}` calls itself")]
    #[diagnostic(
        code(stratiform::config::module_recursion),
        help("a chain of module calls may not come back to a module that it began with")
    )]
    ModuleRecursion {
        /// The folder.
        dir: String,
        /// The call.
        #[label("closes the ring")]
        span: Span,
    },
    /// Two things have the same name.
    #[error("duplicate {kind} `{name}`")]
    #[diagnostic(code(stratiform::config::duplicate), help("rename one of the two"))]
    Duplicate {
        /// What it is.
        kind: &'static str,
        /// The name.
        name: String,
        /// The first.
        #[label("first declared here")]
        first: Span,
        /// The second.
        #[label(primary, "declared again here")]
        second: Span,
    },
    /// A name is not one.
    #[error("`{name}` is not a valid name")]
    #[diagnostic(
        code(stratiform::config::invalid_name),
        help(
            "a name begins with a letter or underscore and goes on with letters, digits, underscores and dashes"
        )
    )]
    InvalidName {
        /// The text.
        name: String,
        /// Where it is written.
        #[label("not a name")]
        span: Span,
    },
    /// A block has too few or too many labels.
    #[error("`{kind}` takes {expected}")]
    #[diagnostic(code(stratiform::config::labels))]
    Labels {
        /// The kind of block.
        kind: String,
        /// Which labels it takes, as words.
        expected: &'static str,
        /// The header.
        #[label("found {found} label(s)")]
        span: Span,
        /// How many there are.
        found: usize,
        /// What to write.
        #[help]
        help: String,
    },
    /// A block lacks an argument.
    #[error("missing argument `{name}` in `{block}`")]
    #[diagnostic(code(stratiform::config::missing_argument), help("add `{name} = …`"))]
    MissingArgument {
        /// The argument.
        name: String,
        /// The kind of block.
        block: String,
        /// The header.
        #[label("`{name}` belongs in this block")]
        span: Span,
    },
    /// A block has an argument that its kind does not have.
    #[error("unsupported argument `{name}` in `{block}`")]
    #[diagnostic(code(stratiform::config::unsupported_argument))]
    UnsupportedArgument {
        /// The argument.
        name: String,
        /// The kind of block.
        block: String,
        /// The name.
        #[label("no such argument")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A block has a nested block that its kind does not have.
    #[error("unsupported block `{name}` in `{block}`")]
    #[diagnostic(code(stratiform::config::unsupported_block))]
    UnsupportedBlock {
        /// The nested block.
        name: String,
        /// The kind of block.
        block: String,
        /// The name.
        #[label("no such block")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A value must be written out.
    #[error("`{name}` must be {expected}")]
    #[diagnostic(code(stratiform::config::constant_required))]
    ConstantRequired {
        /// The argument.
        name: String,
        /// What it must be.
        expected: &'static str,
        /// The expression.
        #[label("must be {expected}")]
        span: Span,
    },
    /// A default value has not its variable's type.
    #[error("the default of `var.{name}` does not fit its type: {message}")]
    #[diagnostic(
        code(stratiform::config::default_type),
        help("the variable is declared as `{wanted}`")
    )]
    DefaultType {
        /// The variable.
        name: String,
        /// Where in the value, what was wanted and what was found.
        message: String,
        /// The declared type, of the part that does not fit.
        wanted: String,
        /// What is wrong with that part.
        reason: String,
        /// The part that does not fit.
        #[label("{reason}")]
        span: Span,
    },
    /// Two ways to repeat a block.
    #[error("`count` and `for_each` cannot stand in one block")]
    #[diagnostic(
        code(stratiform::config::count_and_for_each),
        help(
            "keep `for_each` where instances have names, `count` where only their number matters"
        )
    )]
    CountAndForEach {
        /// The `count`.
        #[label("`count` is here")]
        count: Span,
        /// The `for_each`.
        #[label("`for_each` is here")]
        for_each: Span,
    },
    /// A name that means something only elsewhere.
    #[error("`{name}` means nothing here")]
    #[diagnostic(code(stratiform::config::out_of_place))]
    OutOfPlace {
        /// The name.
        name: String,
        /// Where it stands.
        #[label("not available here")]
        span: Span,
        /// Where it means something.
        #[help]
        help: String,
    },
    /// A block refers to itself.
    #[error("`{address}` refers to itself")]
    #[diagnostic(
        code(stratiform::config::self_reference),
        help(
            "within a postcondition write `self`; elsewhere an object cannot be made from itself"
        )
    )]
    SelfReference {
        /// The block.
        address: String,
        /// The reference.
        #[label("this is the block itself")]
        span: Span,
    },
    /// A call gives a variable that the module does not have.
    #[error("module `{module}` has no variable `{name}`")]
    #[diagnostic(code(stratiform::config::unknown_input))]
    UnknownInput {
        /// The call.
        module: String,
        /// The variable.
        name: String,
        /// The argument.
        #[label("no such variable")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A call lacks a variable that has no default.
    #[error("module `{module}` needs a value for `{name}`")]
    #[diagnostic(
        code(stratiform::config::missing_input),
        help("add `{name} = …` to the call, or a `default` to the variable")
    )]
    MissingInput {
        /// The call.
        module: String,
        /// The variable.
        name: String,
        /// The call.
        #[label("`{name}` belongs in this block")]
        span: Span,
        /// The variable.
        #[label("declared here without a default")]
        declared: Span,
    },
    /// A provider configuration that nobody declares.
    #[error("provider configuration `{name}` is not declared")]
    #[diagnostic(code(stratiform::config::unknown_provider_config))]
    UnknownProviderConfig {
        /// Local name and alias.
        name: String,
        /// Who asks for it.
        #[label("asked for here")]
        span: Span,
        /// What to write.
        #[help]
        help: String,
    },
    /// The configuration is for another version.
    #[error("this stack requires version `{wanted}`, but this is {ours}")]
    #[diagnostic(
        code(stratiform::config::required_version),
        help(
            "`required_version` is compared with the Terraform version whose language this engine reads"
        )
    )]
    RequiredVersion {
        /// The constraint.
        wanted: String,
        /// Our version.
        ours: &'static str,
        /// The constraint.
        #[label("not satisfied")]
        span: Span,
    },
    /// Something of the language that is not there yet.
    #[error("{what} is not supported yet")]
    #[diagnostic(code(stratiform::config::unsupported))]
    Unsupported {
        /// The feature.
        what: String,
        /// Where it is used.
        #[label("used here")]
        span: Span,
        /// What to do instead.
        #[help]
        help: Option<String>,
    },
    /// A root variable has no value.
    #[error("no value for required variable `{name}`")]
    #[diagnostic(
        code(stratiform::config::missing_variable),
        help(
            "give one by `-var '{name}=…'`, in a `.tfvars` file, or in the environment as `TF_VAR_{name}`"
        )
    )]
    MissingVariable {
        /// The variable.
        name: String,
        /// Its block.
        #[label("declared here without a default")]
        span: Span,
    },
    /// A value is given for a variable that does not exist.
    #[error("there is no variable `{name}`, but {source_text} gives it a value")]
    #[diagnostic(code(stratiform::config::undeclared_variable))]
    UndeclaredVariable {
        /// The variable.
        name: String,
        /// Where the value comes from.
        source_text: String,
        /// The value, if it is in a file.
        #[label("no such variable")]
        span: Option<Span>,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A variables file gives a value that nobody reads.
    #[error("there is no variable `{name}`, but {source_text} gives it a value")]
    #[diagnostic(code(stratiform::config::unused_value), severity(warning))]
    UnusedValue {
        /// The variable.
        name: String,
        /// Where the value comes from.
        source_text: String,
        /// The value.
        #[label("no such variable")]
        span: Option<Span>,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// A value does not fit its variable.
    #[error("the value of `var.{name}` from {source_text} does not fit: {message}")]
    #[diagnostic(
        code(stratiform::config::variable_type),
        help("the variable is declared as `{wanted}`")
    )]
    VariableType {
        /// The variable.
        name: String,
        /// Where the value comes from.
        source_text: String,
        /// What was wanted and found.
        message: String,
        /// The declared type.
        wanted: String,
        /// The value, or the variable.
        #[label("{message}")]
        span: Option<Span>,
    },
    /// An address that is none, or not one that can stand there.
    #[error("`{text}` is not {expected}")]
    #[diagnostic(code(stratiform::config::invalid_address))]
    InvalidAddress {
        /// The text.
        text: String,
        /// What belongs there.
        expected: &'static str,
        /// Where it is written.
        #[label("expected {expected}")]
        span: Span,
    },
}

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::config::no_files",
        "No configuration",
        "The folder has no `.tf` or `.tf.json` file.",
    ),
    doc(
        "stratiform::config::unreadable",
        "Unreadable file",
        "A file or folder exists but cannot be read.",
    ),
    doc(
        "stratiform::config::module_missing",
        "Missing module",
        "The source of a module call leads to no folder.",
    ),
    doc(
        "stratiform::config::module_source",
        "Module not installed",
        "The module comes from a registry, git or an archive, and `init` has not brought it yet, or has brought it from another source or in another version.",
    ),
    doc(
        "stratiform::config::module_recursion",
        "Module recursion",
        "A module calls itself, at once or through others.",
    ),
    doc(
        "stratiform::config::duplicate",
        "Duplicate name",
        "Two blocks of one kind have the same name in a module.",
    ),
    doc("stratiform::config::invalid_name", "Invalid name", "A label is not an identifier."),
    doc("stratiform::config::labels", "Wrong labels", "A block has too few or too many labels."),
    doc(
        "stratiform::config::missing_argument",
        "Missing argument",
        "A block lacks an argument that its kind requires.",
    ),
    doc(
        "stratiform::config::unsupported_argument",
        "Unsupported argument",
        "A block has an argument that its kind does not know.",
    ),
    doc(
        "stratiform::config::unsupported_block",
        "Unsupported block",
        "A block has a nested block that its kind does not know.",
    ),
    doc(
        "stratiform::config::constant_required",
        "Constant required",
        "The argument is read before anything is evaluated, so it must be written out.",
    ),
    doc(
        "stratiform::config::default_type",
        "Default of another type",
        "The default of a variable does not convert to the variable's type.",
    ),
    doc(
        "stratiform::config::count_and_for_each",
        "Two repetitions",
        "A block has both `count` and `for_each`.",
    ),
    doc(
        "stratiform::config::out_of_place",
        "Name out of place",
        "`count`, `each` or `self` stands where it means nothing.",
    ),
    doc("stratiform::config::self_reference", "Self reference", "A block refers to itself."),
    doc(
        "stratiform::config::unknown_input",
        "Unknown input",
        "A module call sets a variable that the module does not declare.",
    ),
    doc(
        "stratiform::config::missing_input",
        "Missing input",
        "A module call does not set a variable that has no default.",
    ),
    doc(
        "stratiform::config::unknown_provider_config",
        "Unknown provider configuration",
        "A block names a provider configuration that is not declared.",
    ),
    doc(
        "stratiform::config::required_version",
        "Other version required",
        "`required_version` excludes the language version that this engine reads.",
    ),
    doc(
        "stratiform::config::unsupported",
        "Not supported yet",
        "The configuration uses a part of the language that this version does not have; `docs/status.md` lists them.",
    ),
    doc(
        "stratiform::config::missing_variable",
        "Missing variable",
        "A root variable without a default got no value.",
    ),
    doc(
        "stratiform::config::undeclared_variable",
        "Undeclared variable",
        "`-var` names a variable that the root module does not declare.",
    ),
    doc(
        "stratiform::config::unused_value",
        "Unused value",
        "A variables file sets a variable that the root module does not declare.",
    ),
    doc(
        "stratiform::config::variable_type",
        "Value of another type",
        "The given value does not convert to the variable's type.",
    ),
    doc(
        "stratiform::config::invalid_address",
        "Invalid address",
        "An argument that names a resource or module holds something else.",
    ),
    doc(
        "stratiform::config::unknown_reference",
        "Unknown reference",
        "An expression refers to something that the module does not declare.",
    ),
    doc(
        "stratiform::config::incomplete_reference",
        "Incomplete reference",
        "`var`, `module`, the type of a resource and others are no values: a name follows them.",
    ),
];
