//! The written form: text, one fact a line, tabs between cells.

use crate::error::CatalogError;

/// The version of the format that this reads.
pub const FORMAT: &str = "1";
const MARK: &str = "# stratiform-catalog ";

/// A table as it was written.
#[derive(Debug)]
pub struct Table<'a> {
    /// The file.
    pub file: &'a str,
    /// What its rows describe: `chips`, `types`, …
    pub kind: &'a str,
    /// The backend that the rows are about, where the kind needs one.
    pub backend: Option<&'a str>,
    columns: Vec<&'a str>,
    /// Where the columns are named.
    header_line: usize,
    /// Where it begins.
    pub line: usize,
    rows: Vec<(usize, &'a str)>,
}

/// A row of a table.
#[derive(Debug)]
pub struct Row<'a, 't> {
    table: &'t Table<'a>,
    /// Its line in the file, from 1.
    pub line: usize,
    cells: Vec<&'a str>,
}

/// Reads all tables of a file.
pub fn read<'a>(file: &'a str, text: &'a str) -> Result<Vec<Table<'a>>, CatalogError> {
    let mut tables: Vec<Table<'a>> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        let line = line.trim_end_matches('\r');
        if let Some(rest) = line.strip_prefix(MARK) {
            tables.push(begin(file, rest, line_number)?);
        } else if line.is_empty() || line.starts_with('#') {
            // A comment, but not before it is clear that this is a table at all.
            if tables.is_empty() {
                return Err(CatalogError::NotATable { file: file.to_owned(), line: line_number });
            }
        } else {
            let Some(table) = tables.last_mut() else {
                return Err(CatalogError::NotATable { file: file.to_owned(), line: line_number });
            };
            if table.columns.is_empty() {
                table.columns = line.split('\t').collect();
                table.header_line = line_number;
            } else {
                table.rows.push((line_number, line));
            }
        }
    }
    if tables.is_empty() {
        return Err(CatalogError::NotATable { file: file.to_owned(), line: 1 });
    }
    Ok(tables)
}

fn begin<'a>(file: &'a str, rest: &'a str, line: usize) -> Result<Table<'a>, CatalogError> {
    let mut words = rest.split_whitespace();
    let version = words.next().unwrap_or_default();
    if version != FORMAT {
        return Err(CatalogError::NewerFormat {
            file: file.to_owned(),
            line,
            found: version.to_owned(),
        });
    }
    let kind = words.next().unwrap_or_default();
    let backend = words.next();
    Ok(Table {
        file,
        kind,
        backend,
        columns: Vec::new(),
        header_line: line,
        line,
        rows: Vec::new(),
    })
}

impl<'a> Table<'a> {
    /// The rows, cut into cells.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'a, '_>, CatalogError>> {
        self.rows.iter().map(|&(line, text)| {
            let cells: Vec<&str> = text.split('\t').collect();
            if cells.len() == self.columns.len() {
                return Ok(Row { table: self, line, cells });
            }
            Err(CatalogError::Cells {
                file: self.file.to_owned(),
                line,
                expected: self.columns.len(),
                found: cells.len(),
            })
        })
    }

    /// A fault of this table, at its first line.
    pub fn fault(&self, message: String, help: Option<String>) -> CatalogError {
        CatalogError::Kind { file: self.file.to_owned(), line: self.line, message, help }
    }
}

impl<'a> Row<'a, '_> {
    /// The file that it stands in.
    pub fn file(&self) -> &'a str {
        self.table.file
    }

    /// A cell; `None` if it is not known, or if the table has no such column.
    pub fn optional(&self, column: &str) -> Option<&'a str> {
        let at = self.table.columns.iter().position(|name| *name == column)?;
        Some(self.cells[at]).filter(|cell| *cell != "-" && !cell.is_empty())
    }

    /// A cell that must be there.
    pub fn text(&self, column: &str) -> Result<&'a str, CatalogError> {
        if !self.table.columns.contains(&column) {
            return Err(CatalogError::MissingColumn {
                file: self.file().to_owned(),
                line: self.table.header_line,
                column: column.to_owned(),
            });
        }
        self.optional(column).ok_or_else(|| self.unexpected(column, "-", "something known"))
    }

    /// A number that is not negative; `None` if it is not known.
    pub fn number(&self, column: &str) -> Result<Option<f64>, CatalogError> {
        let Some(cell) = self.optional(column) else { return Ok(None) };
        let number = cell.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
        number
            .map(Some)
            .ok_or_else(|| self.unexpected(column, cell, "a number that is not negative"))
    }

    /// A whole number that is not negative; `None` if it is not known.
    pub fn whole(&self, column: &str) -> Result<Option<u64>, CatalogError> {
        let Some(cell) = self.optional(column) else { return Ok(None) };
        cell.parse::<u64>()
            .map(Some)
            .map_err(|_| self.unexpected(column, cell, "a whole number that is not negative"))
    }

    /// The parts of a list, in the order in which they stand; none if it is not known.
    pub fn list(&self, column: &str) -> Vec<String> {
        let cell = self.optional(column).unwrap_or_default();
        cell.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The fault of a cell.
    pub fn unexpected(&self, column: &str, found: &str, expected: &'static str) -> CatalogError {
        CatalogError::Cell {
            file: self.file().to_owned(),
            line: self.line,
            column: column.to_owned(),
            found: found.to_owned(),
            expected,
        }
    }
}
