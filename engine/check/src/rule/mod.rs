//! The rules. One file each; to add one, copy the nearest neighbour and add it to [`RULES`].

use catalog::Catalog;

use crate::subject::{Everything, Subject};

mod c01_machine_type;
mod c06_ended;
mod c12_partition;
mod c15_tpu_topology;
mod c20_network_cards;
mod c23_placement;
mod c27_public_address;
mod c30_lustre;
mod c31_gp3;
mod c35_data_loss;
mod c36_azure_lustre;
mod c37_google_lustre;
mod c38_filestore;
mod c39_netapp;
mod c44_serverless;
mod c56_spot_price;
mod c61_exposure;

/// All rules, by id.
pub const RULES: &[Rule] = &[
    c01_machine_type::RULE,
    c06_ended::RULE,
    c12_partition::RULE,
    c15_tpu_topology::RULE,
    c20_network_cards::RULE,
    c23_placement::RULE,
    c27_public_address::RULE,
    c30_lustre::RULE,
    c31_gp3::RULE,
    c35_data_loss::RULE,
    c36_azure_lustre::RULE,
    c37_google_lustre::RULE,
    c38_filestore::RULE,
    c39_netapp::RULE,
    c44_serverless::RULE,
    c56_spot_price::RULE,
    c61_exposure::RULE,
];

/// How bad it is if a rule does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// The plan stands.
    Warning,
    /// The plan is refused: apply would fail, or lose data.
    Error,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Such as `C-31`. Never used for anything else.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// How bad it is if it does not hold; a finding may be less bad than that.
    pub grade: Grade,
    /// What must hold, as a formula or a sentence.
    pub formula: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// The resource types that it is for.
    pub types: &'static [&'static str],
    /// An example, worked out by hand.
    pub example: &'static str,
    /// Looks at a resource.
    pub run: fn(&Subject<'_>, &mut Found<'_>),
}

/// What a rule has to go by, and what it finds.
pub struct Found<'a> {
    /// What is known.
    pub catalog: &'a Catalog,
    /// Days since 1970.
    pub today: i64,
    /// Everything else that is planned.
    pub all: &'a Everything<'a>,
    pub(crate) findings: Vec<Problem>,
    pub(crate) waits_for: Vec<String>,
}

/// Something that is wrong with a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub grade: Grade,
    /// The argument at fault, where it is one.
    pub attribute: Option<&'static str>,
    /// What is wrong, with the numbers that show it.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

/// What a rule has found wrong with a resource.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The resource instance.
    pub address: String,
    /// What is wrong.
    pub problem: Problem,
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        self.rule.id == other.rule.id
            && self.address == other.address
            && self.problem == other.problem
    }
}

impl Found<'_> {
    fn error(&mut self, attribute: &'static str, message: String, fix: String) {
        self.push(Grade::Error, attribute, message, fix);
    }

    fn warning(&mut self, attribute: &'static str, message: String, fix: String) {
        self.push(Grade::Warning, attribute, message, fix);
    }

    fn push(&mut self, grade: Grade, attribute: &'static str, message: String, fix: String) {
        self.findings.push(Problem { grade, attribute: Some(attribute), message, fix });
    }

    /// The rule cannot be decided before an argument is known.
    fn wait_for(&mut self, attribute: &str) {
        self.waits_for.push(attribute.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::RULES;

    #[test]
    fn rules_are_unique_sorted_and_documented() {
        let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        let sorted: Vec<&str> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(ids, sorted);
        for rule in RULES {
            for (what, text) in [
                ("title", rule.title),
                ("formula", rule.formula),
                ("source", rule.source),
                ("example", rule.example),
            ] {
                assert!(text.len() > 5, "{} has a {what}", rule.id);
            }
            assert!(!rule.types.is_empty(), "{} is for something", rule.id);
        }
    }
}
