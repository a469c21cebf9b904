//! The rules. One file each; to add one, copy the nearest neighbour and add it to [`RULES`].

use catalog::Catalog;

use crate::judge::Circumstances;
use crate::subject::{Everything, Subject};

mod c01_machine_type;
mod c02_precision;
mod c04_image;
mod c06_ended;
mod c10_serving_memory;
mod c11_training_memory;
mod c12_partition;
mod c14_parallelism;
mod c15_tpu_topology;
mod c20_network_cards;
mod c21_efa_rules;
mod c22_one_zone;
mod c23_placement;
mod c24_all_reduce;
mod c25_scale_up;
mod c27_public_address;
mod c30_lustre;
mod c31_gp3;
mod c32_checkpoint;
mod c33_feed;
mod c34_locality;
mod c35_data_loss;
mod c36_azure_lustre;
mod c37_google_lustre;
mod c38_filestore;
mod c39_netapp;
mod c40_serving_rate;
mod c41_cold_start;
mod c42_scale_to_zero;
mod c44_serverless;
mod c45_canary;
mod c46_pinned;
mod c50_quota;
mod c51_block;
mod c52_spot;
mod c53_reserved;
mod c54_run;
mod c56_spot_price;
mod c58_idle;
mod c61_exposure;
mod launch;

pub(crate) use c10_serving_memory::memory as c10;
pub(crate) use c32_checkpoint::checkpoint as c32;
pub(crate) use c40_serving_rate::rate as c40;
pub(crate) use c52_spot::useful as c52;
pub use c54_run::RunEstimate;
pub(crate) use c54_run::estimate as c54;

/// All rules, by id.
pub const RULES: &[Rule] = &[
    c01_machine_type::RULE,
    c02_precision::RULE,
    c04_image::RULE,
    c06_ended::RULE,
    c10_serving_memory::RULE,
    c11_training_memory::RULE,
    c12_partition::RULE,
    c14_parallelism::RULE,
    c15_tpu_topology::RULE,
    c20_network_cards::RULE,
    c21_efa_rules::RULE,
    c22_one_zone::RULE,
    c23_placement::RULE,
    c24_all_reduce::RULE,
    c25_scale_up::RULE,
    c27_public_address::RULE,
    c30_lustre::RULE,
    c31_gp3::RULE,
    c32_checkpoint::RULE,
    c33_feed::RULE,
    c34_locality::RULE,
    c35_data_loss::RULE,
    c36_azure_lustre::RULE,
    c37_google_lustre::RULE,
    c38_filestore::RULE,
    c39_netapp::RULE,
    c40_serving_rate::RULE,
    c41_cold_start::RULE,
    c42_scale_to_zero::RULE,
    c44_serverless::RULE,
    c45_canary::RULE,
    c46_pinned::RULE,
    c50_quota::RULE,
    c51_block::RULE,
    c52_spot::RULE,
    c53_reserved::RULE,
    c54_run::RULE,
    c56_spot_price::RULE,
    c58_idle::RULE,
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
    /// Seconds since 1970.
    pub now_s: i64,
    /// Everything else that is planned.
    pub all: &'a Everything<'a>,
    /// How many machines there may be, by `backend/type`.
    pub quotas: &'a [(String, u64)],
    /// The label of the nested block that is looked at, such as a step's.
    pub(crate) part: Option<String>,
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
    /// The label of the nested block that the argument is, where there are several.
    pub part: Option<String>,
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

impl<'a> Found<'a> {
    /// Nothing is found yet.
    pub(crate) fn new(given: &Circumstances<'a>, all: &'a Everything<'a>) -> Self {
        let Circumstances { catalog, quotas, now_s, .. } = *given;
        Self {
            catalog,
            today: now_s.div_euclid(crate::when::SECONDS_PER_DAY),
            now_s,
            all,
            quotas,
            part: None,
            findings: Vec::new(),
            waits_for: Vec::new(),
        }
    }

    fn error(&mut self, attribute: &'static str, message: String, fix: String) {
        self.push(Grade::Error, attribute, message, fix);
    }

    fn warning(&mut self, attribute: &'static str, message: String, fix: String) {
        self.push(Grade::Warning, attribute, message, fix);
    }

    fn push(&mut self, grade: Grade, attribute: &'static str, message: String, fix: String) {
        let part = self.part.clone();
        self.findings.push(Problem { grade, attribute: Some(attribute), part, message, fix });
    }

    /// The rule cannot be decided before an argument is known.
    pub(crate) fn wait_for(&mut self, attribute: &str) {
        if !self.waits_for.iter().any(|one| one == attribute) {
            self.waits_for.push(attribute.to_owned());
        }
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
