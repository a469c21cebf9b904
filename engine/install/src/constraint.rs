//! Version constraints: `>= 1.2, != 1.4.0, ~> 1.0`.

use std::fmt;
use std::str::FromStr;

use crate::version::{Version, parse_parts};

/// What a constraint asks. The order is the one in which equal boundaries are written in a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `=`, or none
    Equal,
    /// `~> 1.2.3`: the last number may grow
    Patch,
    /// `~> 1.2`
    Minor,
    /// `<=`
    AtMost,
    /// `<`
    Less,
    /// `!=`
    NotEqual,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// How to compare.
    pub operator: Operator,
    /// With what.
    pub boundary: Version,
}

/// Conditions that must all hold. None of them: any release will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraints(pub Vec<Term>);

/// A text that is no constraint, with the part that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAConstraint(pub String);

impl Constraints {
    /// Exactly this version.
    pub fn exactly(version: Version) -> Self {
        Self(vec![Term { operator: Operator::Equal, boundary: version }])
    }

    /// Adds those of another place: all must hold.
    pub fn add(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
    }

    /// Whether a version may be taken. A version before a release may be taken only where it is named exactly.
    pub fn allow(&self, version: &Version) -> bool {
        let named = self.0.iter().any(|term| {
            term.operator == Operator::Equal && term.boundary.prerelease == version.prerelease
        });
        (!version.is_prerelease() || named) && self.0.iter().all(|term| term.holds(version))
    }

    /// The newest of these that may be taken.
    pub fn newest<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
    ) -> Option<&'a Version> {
        versions.into_iter().filter(|version| self.allow(version)).max()
    }
}

impl Term {
    fn holds(&self, version: &Version) -> bool {
        let order = version.precedence(&self.boundary);
        let [major, minor, _] = self.boundary.numbers;
        match self.operator {
            Operator::Greater => order.is_gt(),
            Operator::AtLeast => order.is_ge(),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::AtMost => order.is_le(),
            Operator::Less => order.is_lt(),
            Operator::Minor => order.is_ge() && version.numbers[0] == major,
            Operator::Patch => order.is_ge() && version.numbers[..2] == [major, minor],
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = text.find(|c: char| !"=!<>~".contains(c))?;
        let (sign, rest) = text.split_at(at);
        let rest = rest.trim();
        let (boundary, given) = parse_parts(rest.strip_prefix('v').unwrap_or(rest)).ok()?;
        let operator = match (sign, given) {
            ("" | "=", _) => Operator::Equal,
            ("!=", _) => Operator::NotEqual,
            (">", _) => Operator::Greater,
            (">=", _) => Operator::AtLeast,
            ("<", _) => Operator::Less,
            ("<=", _) => Operator::AtMost,
            ("~>", 3) => Operator::Patch,
            ("~>", _) => Operator::Minor,
            _ => return None,
        };
        Some(Self { operator, boundary })
    }
}

impl FromStr for Constraints {
    type Err = NotAConstraint;

    fn from_str(text: &str) -> Result<Self, NotAConstraint> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let terms = text
            .split(',')
            .map(|part| Term::parse(part).ok_or_else(|| NotAConstraint(part.trim().to_owned())));
        terms.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Constraints {
    /// The form of the lock file: without repetitions, by version, then by operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms: Vec<&Term> = self.0.iter().collect();
        terms.sort_by(|a, b| a.boundary.cmp(&b.boundary).then(a.operator.cmp(&b.operator)));
        terms.dedup();
        for (at, term) in terms.into_iter().enumerate() {
            let sign = match term.operator {
                Operator::Greater => "> ",
                Operator::AtLeast => ">= ",
                Operator::Equal => "",
                Operator::Patch | Operator::Minor => "~> ",
                Operator::AtMost => "<= ",
                Operator::Less => "< ",
                Operator::NotEqual => "!= ",
            };
            let text = match term.operator {
                Operator::Minor => two_numbers(&term.boundary),
                _ => term.boundary.to_string(),
            };
            write!(f, "{}{sign}{text}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

fn two_numbers(version: &Version) -> String {
    let [major, minor, _] = version.numbers;
    let mut text = format!("{major}.{minor}");
    if version.is_prerelease() {
        text = format!("{text}-{}", version.prerelease);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraints(text: &str) -> Constraints {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn the_newest_allowed_version_is_taken() {
        let versions = ["0.9.0", "1.0.0", "1.2.0", "1.2.9", "1.3.0", "2.0.0", "2.1.0-beta1"];
        let versions: Vec<Version> =
            versions.iter().map(|v| v.parse().expect("a version")).collect();
        let table = [
            ("", Some("2.0.0")),
            ("~> 1.2", Some("1.3.0")),
            ("~> 1.2.0", Some("1.2.9")),
            ("~> 1", Some("1.3.0")),
            (">= 1.0, < 1.2.9", Some("1.2.0")),
            ("!= 2.0.0", Some("1.3.0")),
            ("> 2.0.0", None),
            (">= 2.1.0-beta1", None),
            ("2.1.0-beta1", Some("2.1.0-beta1")),
            ("= 1.0", Some("1.0.0")),
            ("<= 0.9", Some("0.9.0")),
            ("3.0.0", None),
        ];
        for (text, expected) in table {
            let found = constraints(text).newest(&versions).map(ToString::to_string);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_lock_files_form_is_sorted_and_without_repetitions() {
        let table = [
            ("~> 5.0, != 5.99.0, >= 4.0, >= 4.0.0", ">= 4.0.0, ~> 5.0, != 5.99.0"),
            ("5.100.0, >= 4, < 6.0", ">= 4.0.0, 5.100.0, < 6.0.0"),
            ("~> 2, ~> 2.1.3", "~> 2.0, ~> 2.1.3"),
            ("= 1.0.0-beta", "1.0.0-beta"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(constraints(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        for text in ["abc", ">> 1", ">=", "1.0,", "~ 1.0", "=> 1.0", ">= 1.0 2.0"] {
            assert!(text.parse::<Constraints>().is_err(), "{text}");
        }
    }
}
