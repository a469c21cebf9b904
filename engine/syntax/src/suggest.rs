//! The nearest name, for "did you mean".

/// Finds the candidate that is most like `name`, if any is near enough to be meant.
///
/// Near means: at most one edit in three characters, where an edit adds, drops or changes a
/// character or swaps two neighbours. The first of equally near ones wins. A candidate that is equal to
/// `name` is no suggestion.
pub fn suggest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.chars().collect();
        let allowed = (name.len().max(letters.len()) / 3).max(1);
        let limit = best.map_or(allowed, |(distance, _)| allowed.min(distance.saturating_sub(1)));
        if limit == 0 || name.len().abs_diff(letters.len()) > limit || name.len() > 200 {
            continue;
        }
        let distance = edit_distance(&name, &letters);
        if distance > 0 && distance <= limit {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The least number of edits between two names, neighbours swapped counting as one.
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1; right.len() + 1];
        for (column, b) in right.iter().enumerate() {
            let change = last[column] + usize::from(a != b);
            let mut cost = change.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                cost = cost.min(before_last[column - 1] + 1);
            }
            current[column + 1] = cost;
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn nearest_name_is_suggested_only_if_near_enough() {
        let table = [
            ("swapped letters", "corpsu", &["config", "corpus"][..], Some("corpus")),
            ("missing letter", "clster", &["cluster", "fabric"], Some("cluster")),
            ("nothing alike", "volume", &["cluster", "fabric"], None),
            ("the first of equals", "ab", &["ac", "ad"], Some("ac")),
            ("the nearer one", "resorce", &["resources", "resource"], Some("resource")),
            ("itself is no suggestion", "count", &["count"], None),
            ("short names need one edit", "if", &["of", "xy"], Some("of")),
            ("no candidates", "a", &[], None),
        ];
        for (case, name, candidates, expected) in table {
            assert_eq!(suggest(name, candidates.iter().copied()), expected, "{case}");
        }
    }
}
