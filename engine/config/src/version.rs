//! Versions and what constraints say of them.

/// Says whether a version satisfies a constraint such as `>= 1.5, < 2.0` or `~> 1.11`. What cannot be read is
/// not satisfied.
pub(crate) fn satisfies(version: &str, constraint: &str) -> bool {
    let parse = |text: &str| -> Option<Vec<u64>> {
        let number = text.trim().split('-').next().unwrap_or_default();
        number.split('.').map(|part| part.parse().ok()).collect()
    };
    let Some(ours) = parse(version) else { return false };
    let padded = |numbers: &[u64]| {
        let mut numbers = numbers.to_vec();
        numbers.resize(3.max(numbers.len()), 0);
        numbers
    };
    let ours = padded(&ours);
    constraint.split(',').all(|part| {
        let part = part.trim();
        let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (operator, wanted) = part.split_at(at);
        let Some(wanted) = parse(wanted) else { return false };
        let full = padded(&wanted);
        match operator.trim() {
            "" | "=" => ours == full,
            "!=" => ours != full,
            ">" => ours > full,
            ">=" => ours >= full,
            "<" => ours < full,
            "<=" => ours <= full,
            "~>" => {
                let fixed = wanted.len().saturating_sub(1).max(1);
                ours >= full && ours[..fixed] == full[..fixed]
            }
            _ => false,
        }
    })
}

/// Says whether a text reads as a version constraint.
pub(crate) fn is_constraint(text: &str) -> bool {
    text.split(',').all(|part| {
        let part = part.trim();
        let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (operator, version) = part.split_at(at);
        let operator = operator.trim_end();
        let operator = operator.strip_suffix('v').unwrap_or(operator).trim_end();
        let (number, rest) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
        let numbers: Vec<&str> = number.split('.').collect();
        matches!(operator, "" | "=" | "!=" | ">" | ">=" | "<" | "<=" | "~>")
            && numbers.len() <= 3
            && numbers
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()))
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-+.~".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::{is_constraint, satisfies};

    #[test]
    fn version_constraints_are_compared_part_by_part() {
        let table = [
            (">= 1.5", true),
            (">= 1.5, < 2.0", true),
            ("< 1.11.4", false),
            ("~> 1.11", true),
            ("~> 1.11.0", true),
            ("~> 1.10.0", false),
            ("1.11.4", true),
            ("!= 1.11.4", false),
            ("nonsense", false),
        ];
        for (constraint, expected) in table {
            assert_eq!(satisfies("1.11.4", constraint), expected, "{constraint}");
        }
    }

    #[test]
    fn constraints_are_told_from_other_texts() {
        for text in ["1.0", ">= 1.2, < 2", "~> 3.0.1", "!= 1.0.0-beta.1", "v1.2"] {
            assert!(is_constraint(text), "{text}");
        }
        for text in ["", "abc", "1.2.3.4", "=> 1", ">= 1,", "1..2"] {
            assert!(!is_constraint(text), "{text}");
        }
    }
}
