//! Regular expressions as RE2 has them, in the syntax of the library that carries them out.
//!
//! What differs: `\d`, `\w`, `\s` and `\b` are about ASCII alone; `\Q…\E` quotes; octal escapes exist; within
//! brackets `[`, `&&`, `--` and `~~` mean nothing special; repetitions of repetitions, counts beyond 1000 and the
//! flag `x` do not exist.

/// The largest count of a repetition.
const MOST_REPETITIONS: u32 = 1000;

/// Rewrites an expression.
///
/// # Errors
///
/// What RE2 refuses although the library would take it, in words.
pub(super) fn translate(pattern: &str) -> Result<String, &'static str> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut at = 0;
    let mut repeated = false;
    while at < letters.len() {
        let mut repeats = false;
        match letters[at] {
            '\\' => at = escape(&letters, at, &mut out, false)?,
            '[' => at = class(&letters, at, &mut out)?,
            '(' if letters.get(at + 1) == Some(&'?') => at = flags(&letters, at, &mut out)?,
            '*' | '+' | '?' => {
                if repeated {
                    return Err("a repetition cannot be repeated");
                }
                out.push(letters[at]);
                at += 1;
                repeats = true;
            }
            '{' => {
                let counts = counts(&letters, at)?;
                if counts.is_some() && repeated {
                    return Err("a repetition cannot be repeated");
                }
                match counts {
                    Some(end) => {
                        out.extend(&letters[at..end]);
                        at = end;
                        repeats = true;
                    }
                    None => {
                        out.push_str("\\{");
                        at += 1;
                    }
                }
            }
            '}' => {
                out.push_str("\\}");
                at += 1;
            }
            other => {
                out.push(other);
                at += 1;
            }
        }
        if repeats && letters.get(at) == Some(&'?') {
            out.push('?');
            at += 1;
        }
        repeated = repeats;
    }
    Ok(out)
}

/// Where a count such as `{2,5}` ends; `None` if the brace is only a brace.
fn counts(letters: &[char], start: usize) -> Result<Option<usize>, &'static str> {
    let Some(length) = letters[start..].iter().position(|letter| *letter == '}') else {
        return Ok(None);
    };
    let inner: String = letters[start + 1..start + length].iter().collect();
    let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if least.is_empty() || !digits(least) || !digits(most) {
        return Ok(None);
    }
    let small = |text: &str| {
        text.is_empty() || text.parse::<u32>().is_ok_and(|count| count <= MOST_REPETITIONS)
    };
    if small(least) && small(most) {
        Ok(Some(start + length + 1))
    } else {
        Err("a repetition has a count of at most 1000")
    }
}

/// A group that begins with flags or a name.
fn flags(letters: &[char], start: usize, out: &mut String) -> Result<usize, &'static str> {
    let mut at = start + 2;
    out.push_str("(?");
    if matches!(letters.get(at), Some('P' | '<')) {
        return Ok(at);
    }
    while let Some(letter) = letters.get(at) {
        match letter {
            'i' | 'm' | 's' | 'U' | '-' => out.push(*letter),
            ':' | ')' => break,
            _ => return Err("a group has a flag other than i, m, s and U"),
        }
        at += 1;
    }
    Ok(at)
}

/// What follows a backslash.
fn escape(
    letters: &[char],
    start: usize,
    out: &mut String,
    in_class: bool,
) -> Result<usize, &'static str> {
    let Some(letter) = letters.get(start + 1) else { return Err("it ends with a backslash") };
    let plain = match letter {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some("\\t\\n\\x0C\\r "),
        _ => None,
    };
    let opposite = match letter {
        'D' => Some("[^0-9]"),
        'W' => Some("[^0-9A-Za-z_]"),
        'S' => Some("[^\\t\\n\\x0C\\r ]"),
        _ => None,
    };
    match (plain, opposite, letter) {
        (Some(plain), ..) if in_class => out.push_str(plain),
        (Some(plain), ..) => out.extend(["[", plain, "]"]),
        (_, Some(opposite), _) => out.push_str(opposite),
        (.., 'b') if !in_class => out.push_str("(?-u:\\b)"),
        (.., 'Q') => return Ok(quoted(letters, start + 2, out)),
        (.., 'E') => {}
        (.., '0'..='7') => return octal(letters, start + 1, out),
        (.., 'u' | 'U' | '<' | '>') => return Err("it has an escape that does not exist"),
        (.., letter) => {
            out.push('\\');
            out.push(*letter);
            if matches!(letter, 'x' | 'p' | 'P') && letters.get(start + 2) == Some(&'{') {
                let length = letters[start..].iter().position(|letter| *letter == '}');
                let end = length.ok_or("a brace is not closed")? + start + 1;
                out.extend(&letters[start + 2..end]);
                return Ok(end);
            }
        }
    }
    Ok(start + 2)
}

fn quoted(letters: &[char], start: usize, out: &mut String) -> usize {
    let mut at = start;
    while at < letters.len() {
        if letters[at] == '\\' && letters.get(at + 1) == Some(&'E') {
            return at + 2;
        }
        out.push_str(&regex::escape(&letters[at].to_string()));
        at += 1;
    }
    at
}

/// `\0`, `\07` and `\123`; a single digit other than 0 would refer to a group.
fn octal(letters: &[char], start: usize, out: &mut String) -> Result<usize, &'static str> {
    let digits: String =
        letters[start..].iter().take(3).take_while(|digit| digit.is_digit(8)).collect();
    if digits.len() == 1 && digits != "0" {
        return Err("references to groups do not exist");
    }
    let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
    out.push_str(&format!("\\x{{{code:x}}}"));
    Ok(start + digits.len())
}

/// A class in brackets.
fn class(letters: &[char], start: usize, out: &mut String) -> Result<usize, &'static str> {
    let mut at = start + 1;
    out.push('[');
    if letters.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    loop {
        match letters.get(at) {
            None => return Err("a bracket is not closed"),
            Some(']') if at > first => {
                out.push(']');
                return Ok(at + 1);
            }
            Some('\\') => at = escape(letters, at, out, true)?,
            Some('[') if letters.get(at + 1) == Some(&':') => {
                let rest: String = letters[at..].iter().collect();
                match rest.find(":]") {
                    Some(end) => {
                        out.push_str(&rest[..end + 2]);
                        at += rest[..end + 2].chars().count();
                    }
                    None => return Err("a class name is not closed"),
                }
            }
            Some(letter @ ('[' | ']' | '&' | '~')) => {
                out.push('\\');
                out.push(*letter);
                at += 1;
            }
            Some('-') => {
                let between = at > first && letters.get(at + 1).is_some_and(|next| *next != ']');
                out.push_str(if between { "-" } else { "\\-" });
                at += 1;
            }
            Some(letter) => {
                out.push(*letter);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn differences_of_the_syntax_are_evened_out() {
        let table = [
            ("\\d+", Ok("[0-9]+")),
            ("[\\d-]", Ok("[0-9\\-]")),
            ("[[&&]", Ok("[\\[\\&\\&]")),
            ("\\Qa.b\\E+", Ok("a\\.b+")),
            ("a{2}?", Ok("a{2}?")),
            ("a{x}", Ok("a\\{x\\}")),
            ("\\101", Ok("\\x{41}")),
            ("[[:alpha:]]", Ok("[[:alpha:]]")),
            ("a**", Err("a repetition cannot be repeated")),
            ("(?x)a", Err("a group has a flag other than i, m, s and U")),
        ];
        for (pattern, expected) in table {
            assert_eq!(translate(pattern), expected.map(str::to_owned), "{pattern}");
        }
    }
}
