//! Why a plan file is not carried out.

use address::ResourceInstance;
use miette::Diagnostic;
use syntax::ErrorDoc;
use syntax::error_doc as doc;
use thiserror::Error;

/// A plan file that cannot be read, or that must not be carried out.
#[derive(Debug, Error, Diagnostic)]
pub enum PlanFileError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    #[diagnostic(
        code(stratiform::plan_file::unreadable),
        help("give the path of a file that `plan -out` has written")
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// It is something else, or a plan of another version.
    #[error("`{path}` is not a plan file of this version")]
    #[diagnostic(code(stratiform::plan_file::not_a_plan), help("{help}"))]
    NotAPlan {
        /// The file.
        path: String,
        /// What it is, as far as that is known, and what to do.
        help: String,
    },
    /// Its checksum does not match.
    #[error("`{path}` is damaged: {reason}")]
    #[diagnostic(
        code(stratiform::plan_file::damaged),
        help("nothing was changed; make a new plan with `plan -out={path}`")
    )]
    Damaged {
        /// The file.
        path: String,
        /// What does not fit.
        reason: String,
    },
    /// Its values cannot be unsealed.
    #[error("the values in `{path}` are sealed, and {reason}")]
    #[diagnostic(code(stratiform::plan_file::sealed), help("{help}"))]
    Sealed {
        /// The file.
        path: String,
        /// Why they cannot be read.
        reason: String,
        /// Where the key is.
        help: String,
    },
    /// It was made for another state.
    #[error("`{path}` was made for {planned}, but this is {found}")]
    #[diagnostic(
        code(stratiform::plan_file::elsewhere),
        help("apply the plan in the folder and workspace that it was made in")
    )]
    Elsewhere {
        /// The file.
        path: String,
        /// Where it was made.
        planned: String,
        /// Where it is applied.
        found: String,
    },
    /// There were errors when it was made.
    #[error("`{path}` holds a plan that is not complete: there were errors when it was made")]
    #[diagnostic(
        code(stratiform::plan_file::errored),
        help(
            "`show {path}` tells what could be planned; mend the errors that `plan` has told, and make a new plan"
        )
    )]
    Errored {
        /// The file.
        path: String,
    },
    /// It was carried out before.
    #[error("`{path}` was carried out already, by operation {operation}")]
    #[diagnostic(
        code(stratiform::plan_file::used),
        help("a plan is carried out once; make a new one to see what is left to do")
    )]
    Used {
        /// The file.
        path: String,
        /// The number in the history.
        operation: u64,
    },
    /// Something that it rests on is not what it was.
    #[error("the plan is stale: `{address}` has changed since it was made")]
    #[diagnostic(
        code(stratiform::plan_file::stale),
        help(
            "the plan touches it, or was made from it; make a new plan. Changes of other objects would not matter"
        )
    )]
    Stale {
        /// The first such object.
        address: ResourceInstance,
    },
    /// A component would go elsewhere now.
    #[error("the plan is stale: `{component}` cannot be placed any more as it was planned")]
    #[diagnostic(
        code(stratiform::plan_file::placement),
        help("what was to be had has changed since; make a new plan")
    )]
    Placement {
        /// The component.
        component: String,
    },
    /// A variable was given another value than the plan was made with.
    #[error("the variable `{name}` has another value in the plan")]
    #[diagnostic(
        code(stratiform::plan_file::variable),
        help(
            "a plan file holds the values of its variables; only ephemeral ones are given again. Leave it out, or make a new plan"
        )
    )]
    Variable {
        /// The variable.
        name: String,
    },
}

/// The codes of plan files, for the reference.
pub const PLAN_FILE_ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::plan_file::unreadable",
        "Plan file unreadable",
        "The plan file cannot be read.",
    ),
    doc(
        "stratiform::plan_file::not_a_plan",
        "Not a plan file",
        "The file is something else, or was written by a version with another form of plan files.",
    ),
    doc(
        "stratiform::plan_file::damaged",
        "Plan file damaged",
        "The plan file is not what was written: its checksum does not match, or a part of it is missing.",
    ),
    doc(
        "stratiform::plan_file::sealed",
        "Plan file sealed",
        "The values in a plan file are sealed: with the state's key where one is given, else with a key of its own that lies in the working folder under `.stratiform/plans` until the plan is carried out.",
    ),
    doc(
        "stratiform::plan_file::elsewhere",
        "Plan of another state",
        "The plan was made for another state or workspace.",
    ),
    doc(
        "stratiform::plan_file::errored",
        "Plan not complete",
        "`plan -out` writes what could be planned in spite of errors, for people and programs that look at it. It cannot be carried out.",
    ),
    doc("stratiform::plan_file::used", "Plan used already", "A plan file is carried out once."),
    doc(
        "stratiform::plan_file::stale",
        "Plan overtaken",
        "An object that the plan touches, or that a touched one is made from, has changed since the plan was made.",
    ),
    doc(
        "stratiform::plan_file::placement",
        "Placement gone",
        "What a component was placed on when the plan was made is not to be had any more.",
    ),
    doc(
        "stratiform::plan_file::variable",
        "Variable of a plan file",
        "A variable is given another value than the plan was made with.",
    ),
];
