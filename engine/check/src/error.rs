//! The codes of this crate that are no rules. Rules have sections in `docs/checks.md`; their codes end in their ids.

use syntax::ErrorDoc;

/// The codes and what they mean.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    ErrorDoc {
        code: "stratiform::check::exception",
        title: "an exception that cannot be used",
        explanation: "An `exception` block of the `stack` block names a check that exists, a reason and a last day.",
        example: "stack { exception \"C-31\" { reason = \"raised\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::excepted",
        title: "a check is set aside",
        explanation: "An exception sets aside what a check has found. Every plan shows it, with the reason.",
        example: "stack { exception \"C-31\" { reason = \"raised\", until = \"2027-03-31\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::exception_over",
        title: "an exception has ended",
        explanation: "The last day of an exception has passed; the check counts again.",
        example: "stack { exception \"C-31\" { reason = \"raised\", until = \"2020-01-01\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::limit",
        title: "a limit that cannot be used",
        explanation: "A limit of the `budget` block is a number that is known before planning.",
        example: "stack { budget { max_hourly_usd = \"much\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::over_budget",
        title: "the plan is over a limit",
        explanation: "What the plan certainly costs or emits is more than the `budget` block allows.",
        example: "stack { budget { max_hourly_usd = 0.01 } }",
    },
    ErrorDoc {
        code: "stratiform::check::perhaps_over_budget",
        title: "the plan may be over a limit",
        explanation: "Prices that are intervals or not known may add up to more than the `budget` block allows.",
        example: "stack { budget { max_hourly_usd = 100 } }",
    },
    ErrorDoc {
        code: "stratiform::check::rule",
        title: "a rule of one's own that cannot be used",
        explanation: "A `rule` block of the `stack` block has a condition, which is true or false, and an error message; types and severity are written out.",
        example: "stack { rule \"small\" { error_message = \"too large\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::rego",
        title: "a rule in Rego that cannot be used",
        explanation: "A `rego` block of the `stack` block names a file or a folder of Rego, whose packages have `deny` or `warn`.",
        example: "stack { rego \"ours\" { source = \"./nowhere\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::undecided",
        title: "a check could not be decided",
        explanation: "A check waited for a value that is known only once the object is there. The next plan decides it.",
        example: "stack { rule \"named\" { condition = self.id != \"\", error_message = \"no name\" } }",
    },
    ErrorDoc {
        code: "stratiform::check::stale_prices",
        title: "prices are old",
        explanation: "A price that counts is older than 90 days. `stratiform catalog update FILE` takes newer ones.",
        example: "stratiform cost",
    },
];
