//! What can be wrong with a test file.

use miette::Diagnostic;
use syntax::error_doc as doc;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A fault of a test file.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum TestError {
    /// A block overrides another kind of thing than it can.
    #[error("`{block}` cannot override `{target}`")]
    #[diagnostic(code(stratiform::config::override_target))]
    OverrideTarget {
        /// The block's kind.
        block: String,
        /// What it names.
        target: String,
        /// What it may name.
        expected: &'static str,
        /// The target.
        #[label("{expected}")]
        span: Span,
    },
    /// `plan_options` contradict each other.
    #[error("`refresh = false` contradicts `mode = refresh-only`")]
    #[diagnostic(
        code(stratiform::config::run_options),
        help("such a run does nothing but refresh; remove one of the two")
    )]
    RunOptions {
        /// The argument.
        #[label("nothing would be done")]
        span: Span,
    },
    /// `run.NAME` leads nowhere.
    #[error("`{name}` has no value here: {reason}")]
    #[diagnostic(
        code(stratiform::config::run_reference),
        help("a run sees the outputs of runs above it in the same file")
    )]
    RunReference {
        /// The reference.
        name: String,
        /// Why.
        reason: String,
        /// Where it is written.
        #[label("no value")]
        span: Span,
    },
    /// A variable that is not known where a value for a variable is worked out.
    #[error("`var.{name}` has no value here")]
    #[diagnostic(
        code(stratiform::config::variable_reference),
        help(
            "`variables` of a run see those of the file and of the command line; those of the file see the command line's alone"
        )
    )]
    VariableReference {
        /// The variable.
        name: String,
        /// The reference.
        #[label("no value")]
        span: Span,
    },
    /// A name that means nothing in a test file outside of assertions.
    #[error("`{name}` means nothing here")]
    #[diagnostic(
        code(stratiform::config::test_reference),
        help("only `var.NAME` and `run.NAME.OUTPUT` have a value before the run")
    )]
    NameReference {
        /// The first name of the reference.
        name: String,
        /// The reference.
        #[label("no value")]
        span: Span,
    },
    /// `expect_failures` names what has no conditions.
    #[error("no failure can be expected from `{name}`")]
    #[diagnostic(
        code(stratiform::config::expected_failure),
        help(
            "name variables, outputs, checks, resources or data sources of the module under test"
        )
    )]
    ExpectedFailure {
        /// The reference.
        name: String,
        /// Where it is written.
        #[label("has no conditions")]
        span: Span,
    },
    /// A run gives a variable that its module does not have.
    #[error("the module under test has no variable `{name}`")]
    #[diagnostic(
        code(stratiform::config::unused_variable),
        severity(warning),
        help("remove it, or declare `variable \"{name}\" {{}}` in the module")
    )]
    UnusedVariable {
        /// The variable.
        name: String,
        /// Where it is given a value.
        #[label("has no effect but in this file")]
        span: Span,
    },
    /// An override leads to nothing.
    #[error("`{target}` is overridden, but is nowhere in the module under test")]
    #[diagnostic(
        code(stratiform::config::override_nowhere),
        severity(warning),
        help("look for a typing error in the address, or remove the override")
    )]
    OverrideNowhere {
        /// The address.
        target: String,
        /// The block.
        #[label("has no effect")]
        span: Span,
    },
    /// The version of a provider is not for a test to choose.
    #[error("`version` of provider `{name}` stands in a test file")]
    #[diagnostic(
        code(stratiform::config::test_provider_version),
        help("write it in `required_providers` of the module under test")
    )]
    ProviderVersion {
        /// The provider's local name.
        name: String,
        /// The argument.
        #[label("a test takes the versions of its module")]
        span: Span,
    },
    /// A provider configuration stands for two providers.
    #[error("provider `{name}` of the test file is {is} already")]
    #[diagnostic(
        code(stratiform::config::test_provider_mismatch),
        help(
            "the first run that uses the name decides which provider it is: give the other one a name of its own"
        )
    )]
    ProviderMismatch {
        /// The name in the test file.
        name: String,
        /// What it is.
        is: String,
        /// What it should be, and why.
        wanted: String,
        /// The run's `providers`, or the block of the provider.
        #[label("{wanted}")]
        span: Span,
    },
}

/// The codes of this file, for the reference.
pub const TEST_ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::config::override_target",
        "Override of another kind",
        "`override_resource`, `override_data` and `override_module` name a thing of their own kind.",
    ),
    doc(
        "stratiform::config::run_options",
        "Contradicting plan options",
        "A run of mode `refresh-only` must refresh.",
    ),
    doc(
        "stratiform::config::run_reference",
        "Run without value",
        "A reference to a run that does not exist, has not been executed, or has no such output.",
    ),
    doc(
        "stratiform::config::variable_reference",
        "Variable without value",
        "A value in a test file refers to a variable that is not known there.",
    ),
    doc(
        "stratiform::config::test_reference",
        "Name without value",
        "A value in a test file is worked out before the module under test, so it can only refer to variables and runs.",
    ),
    doc(
        "stratiform::config::expected_failure",
        "Nothing that can fail",
        "Only what has conditions can be named in `expect_failures`.",
    ),
    doc(
        "stratiform::config::unused_variable",
        "Value for no variable",
        "A run gives a value to a variable that its module does not declare.",
    ),
    doc(
        "stratiform::config::override_nowhere",
        "Override without effect",
        "The address of an override is not in the module under test.",
    ),
    doc(
        "stratiform::config::test_provider_version",
        "Provider version in a test file",
        "Versions of providers are chosen by the modules, not by their tests.",
    ),
    doc(
        "stratiform::config::test_provider_mismatch",
        "Provider of another kind",
        "Two runs give one provider configuration of a test file to different providers.",
    ),
];
