//! What can be wrong with tables.

use miette::Diagnostic;
use syntax::ErrorDoc;
use syntax::error_doc_with_example as doc;
use thiserror::Error;

/// A table that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CatalogError {
    /// A file does not begin with the line that says what it is.
    #[error("`{file}` line {line}: a table begins with `# stratiform-catalog 1 KIND`")]
    #[diagnostic(
        code(stratiform::catalog::not_a_table),
        help("begin with a line such as `# stratiform-catalog 1 prices aws`")
    )]
    NotATable {
        /// The file.
        file: String,
        /// Where, from 1.
        line: usize,
    },

    /// The table was written for a newer version of the format.
    #[error("`{file}` line {line}: format {found} of the catalog is not known, only 1 is")]
    #[diagnostic(
        code(stratiform::catalog::newer_format),
        help("use a newer version of stratiform, or a table of format 1")
    )]
    NewerFormat {
        /// The file.
        file: String,
        /// Where, from 1.
        line: usize,
        /// The version that it names.
        found: String,
    },

    /// No such kind of table, or one that needs a backend and names none.
    #[error("`{file}` line {line}: {message}")]
    #[diagnostic(code(stratiform::catalog::kind))]
    Kind {
        /// The file.
        file: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// What to write.
        #[help]
        help: Option<String>,
    },

    /// A column that every table of the kind has is not there.
    #[error("`{file}` line {line}: column `{column}` is missing")]
    #[diagnostic(
        code(stratiform::catalog::missing_column),
        help("name the columns in the line after the comments, with tabs between them")
    )]
    MissingColumn {
        /// The file.
        file: String,
        /// Where the columns are named.
        line: usize,
        /// The column.
        column: String,
    },

    /// A row has more or fewer cells than there are columns.
    #[error("`{file}` line {line}: {expected} cells are expected, {found} are there")]
    #[diagnostic(
        code(stratiform::catalog::cells),
        help("separate cells by one tab each, and write `-` for what is not known")
    )]
    Cells {
        /// The file.
        file: String,
        /// The row's line.
        line: usize,
        /// How many columns there are.
        expected: usize,
        /// How many cells.
        found: usize,
    },

    /// A cell holds something else than its column is for.
    #[error("`{file}` line {line}: `{column}` is `{found}`, but {expected} is expected")]
    #[diagnostic(
        code(stratiform::catalog::cell),
        help("correct the cell, or write `-` if the fact is not known")
    )]
    Cell {
        /// The file.
        file: String,
        /// The row's line.
        line: usize,
        /// The column.
        column: String,
        /// The cell.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },

    /// A fact names a source that no table describes.
    #[error("`{file}` line {line}: source `{source_id}` is not described")]
    #[diagnostic(
        code(stratiform::catalog::unknown_source),
        help("add a row with its licence and date to a table of the kind `sources`")
    )]
    UnknownSource {
        /// The file.
        file: String,
        /// The row's line.
        line: usize,
        /// The source.
        source_id: String,
    },

    /// One file says two things about the same.
    #[error("`{file}` line {line}: `{name}` is given twice, first in line {first}")]
    #[diagnostic(code(stratiform::catalog::duplicate), help("keep one of the two rows"))]
    Duplicate {
        /// The file.
        file: String,
        /// The second row.
        line: usize,
        /// The first row.
        first: usize,
        /// What both describe.
        name: String,
    },
}

/// The codes and what they mean.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::catalog::not_a_table",
        "a table begins with `# stratiform-catalog 1 KIND`",
        "A file of the catalog does not begin with the line that says what it is.",
        "a file that holds other text",
    ),
    doc(
        "stratiform::catalog::newer_format",
        "format of the catalog is not known",
        "A table was written for a newer version of the format. Nothing of it is read.",
        "# stratiform-catalog 2 prices aws",
    ),
    doc(
        "stratiform::catalog::kind",
        "kind of table not known, or backend missing",
        "Kinds are sources, chips, mig, types, offerings, prices, regions, tpu, storage and services; types, offerings, prices and regions name a backend.",
        "# stratiform-catalog 1 price aws",
    ),
    doc(
        "stratiform::catalog::missing_column",
        "column is missing",
        "Each kind of table has columns that it needs; more are allowed.",
        "a table of prices without `region`",
    ),
    doc(
        "stratiform::catalog::cells",
        "another number of cells is expected",
        "Each row has as many cells as there are columns, with one tab between two.",
        "a row that was written with spaces",
    ),
    doc(
        "stratiform::catalog::cell",
        "a cell holds something unexpected",
        "Numbers are not negative and have no units; what is not known is a dash.",
        "usd_per_hour_low is `-3`",
    ),
    doc(
        "stratiform::catalog::unknown_source",
        "source is not described",
        "Every fact names a row of a table of sources, which gives title, address, licence and date.",
        "source is `someone`",
    ),
    doc(
        "stratiform::catalog::duplicate",
        "given twice",
        "One file describes a thing once. A later file may replace what an earlier one says.",
        "two rows for `p5.48xlarge`",
    ),
];
