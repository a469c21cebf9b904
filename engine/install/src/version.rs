//! Versions, as the registry protocol writes them: `1.2.3-beta.1+build`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// One version. The order is that of semantic versioning; build metadata breaks ties by its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version {
    /// The three numbers.
    pub numbers: [u64; 3],
    /// What follows `-`; empty in a release.
    pub prerelease: String,
    /// What follows `+`.
    pub metadata: String,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAVersion;

impl Version {
    /// Whether this is not yet a release.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `1.2.3`; fewer numbers are filled up with zeros, as Terraform does for module versions.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let (version, given) = parse_parts(text.strip_prefix('v').unwrap_or(text))?;
        if given == 0 { Err(NotAVersion) } else { Ok(version) }
    }
}

/// Reads up to three numbers and says how many were given.
pub(crate) fn parse_parts(text: &str) -> Result<(Version, usize), NotAVersion> {
    let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
    let (core, prerelease) = text.split_once('-').unwrap_or((text, ""));
    if (text.contains('-') && prerelease.is_empty()) || ![prerelease, metadata].iter().all(is_extra)
    {
        return Err(NotAVersion);
    }
    let mut numbers = [0; 3];
    let mut given = 0;
    for part in core.split('.') {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse().map_err(|_| NotAVersion)?;
        *numbers.get_mut(given).filter(|_| digits).ok_or(NotAVersion)? = number;
        given += 1;
    }
    let version =
        Version { numbers, prerelease: prerelease.to_owned(), metadata: metadata.to_owned() };
    Ok((version, given))
}

fn is_extra(text: &&str) -> bool {
    text.is_empty()
        || text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other).then_with(|| compare_extra(&self.metadata, &other.metadata))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Version {
    /// The order that semantic versioning defines; build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.is_prerelease(), other.is_prerelease()) {
                (false, true) => Ordering::Greater,
                (true, false) => Ordering::Less,
                _ => compare_extra(&self.prerelease, &other.prerelease),
            }
        })
    }
}

/// Identifiers from left to right: numbers by value and before words, more of them after fewer.
fn compare_extra(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (identifiers(left), identifiers(right));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split('.').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semantic_versioning_says() {
        let order = [
            "0.9.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.0+build",
            "1.0.1",
            "1.10.0",
            "2.0.0",
        ];
        let read: Vec<Version> = order.iter().map(|text| text.parse().expect(text)).collect();
        let mut sorted = read.clone();
        sorted.reverse();
        sorted.sort();
        assert_eq!(read, sorted);
        assert_eq!(sorted.iter().map(ToString::to_string).collect::<Vec<_>>(), order);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "a", "1.", "1..2", "1.2.3.4", "1.2.3-", "1.2.3-a..b", "-1", "1.2.x"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
