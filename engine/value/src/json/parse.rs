//! JSON text to a tree, as deep as a state needs it.

use serde::Deserialize;
use serde_json::Value as Json;
use thiserror::Error;

/// How many arrays and objects may stand within each other. A state keeps the type of an `any` beside its value,
/// with two levels for each of the value's, so that this is enough for [`MOST_VALUE_LEVELS`] and what stands around them.
pub const MOST_LEVELS: usize = 1024;

/// How many collections may stand within each other in a value that another program or a file gives.
pub const MOST_VALUE_LEVELS: usize = 400;

/// What the reader takes by itself, on any stack.
const READER_LEVELS: usize = 127;

/// Holds the frames of [`MOST_LEVELS`] rounds of the reader, in a build without optimisation too.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// A text that is not read.
#[derive(Debug, Error)]
pub enum ParseError {
    /// It is no JSON.
    #[error("{0}")]
    Syntax(#[from] serde_json::Error),
    /// It has more than [`MOST_LEVELS`] levels.
    #[error("it is nested more than {MOST_LEVELS} levels deep at line {line} column {column}")]
    TooDeep {
        /// The line where the first level too many begins, from 1.
        line: usize,
        /// The byte in that line, from 1.
        column: usize,
    },
}

impl ParseError {
    /// The line and the byte in it, both from 1.
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Syntax(error) => (error.line(), error.column()),
            Self::TooDeep { line, column } => (*line, *column),
        }
    }
}

/// Reads a JSON text.
///
/// # Errors
///
/// [`ParseError`] if it is no JSON, or nested more than [`MOST_LEVELS`] levels deep.
pub fn parse(text: &str) -> Result<Json, ParseError> {
    let refused = match serde_json::from_str(text) {
        Ok(json) => return Ok(json),
        Err(error) => error,
    };
    // Only what the reader refuses is looked at twice: hardly any text is so deep.
    if check_levels(text)? <= READER_LEVELS {
        return Err(refused.into());
    }
    stacker::grow(STACK_BYTES, || {
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.disable_recursion_limit();
        let json = Json::deserialize(&mut reader)?;
        reader.end()?;
        Ok(json)
    })
}

/// How many arrays and objects stand within each other in a JSON text; what is no JSON may give any number.
///
/// # Errors
///
/// [`ParseError::TooDeep`] if they are more than [`MOST_LEVELS`].
pub fn check_levels(text: &str) -> Result<usize, ParseError> {
    let (mut levels, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => {
                levels += 1;
                most = most.max(levels);
                if levels > MOST_LEVELS {
                    return Err(too_deep(&text[..at]));
                }
            }
            b']' | b'}' => levels = levels.saturating_sub(1),
            _ => {}
        }
    }
    Ok(most)
}

fn too_deep(before: &str) -> ParseError {
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    let column = 1 + before.len() - before.rfind('\n').map_or(0, |end| end + 1);
    ParseError::TooDeep { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrays(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn texts_are_read_up_to_the_limit_and_refused_beyond_it() {
        for levels in [1, 126, 127, 128, 129, 500, MOST_LEVELS] {
            let text = arrays(levels);
            // Small stacks are those of threads that others make.
            let read = std::thread::Builder::new().stack_size(512 * 1024).spawn(move || {
                let json = parse(&text).expect("it is within the limit");
                let mut depth = 0;
                let mut part = Some(&json);
                while let Some(Json::Array(items)) = part {
                    depth += 1;
                    part = items.first();
                }
                depth
            });
            assert_eq!(read.unwrap().join().unwrap(), levels);
        }
        let error = parse(&format!("[1,\n {}]", arrays(MOST_LEVELS))).expect_err("one too many");
        assert_eq!(error.place(), (2, MOST_LEVELS + 1), "{error}");
    }

    #[test]
    fn brackets_in_texts_are_no_levels() {
        let text = format!("[\"\\\\\", \"\\\"{}\"]", "[".repeat(2000));
        assert_eq!(check_levels(&text).expect("there is one level"), 1);
        assert!(parse(&text).is_ok());
    }

    #[test]
    fn what_follows_a_deep_value_is_refused() {
        let error = parse(&format!("{} 1", arrays(300))).expect_err("something follows");
        assert!(matches!(error, ParseError::Syntax(_)), "{error}");
        assert!(parse(&format!("{}\n", arrays(300))).is_ok());
    }
}
