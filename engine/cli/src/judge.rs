//! Checks and prices of a plan: gives planned objects to the `check` crate, and its findings their places.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::Catalog;
use check::cost::{Cost, Estimate, Line};
use check::{Exception, Grade, Subject, Verdict};
use component::Decision;
use component::known::Known;
use config::{Configuration, ResourceBlock};
use plan::{Action, Mode, Plan, ResourceChange};
use state::StateSnapshot;
use syntax::{Diagnostics, Report, Severity, Span};
use value::Value;

use crate::commands::catalog::{load, today};
use crate::session::Session;

/// What checks and prices need beside the plan.
pub(crate) struct Bench<'a> {
    pub(crate) session: &'a Session,
    pub(crate) configuration: &'a Configuration,
    pub(crate) inputs: &'a BTreeMap<Arc<str>, Value>,
    pub(crate) snapshot: &'a StateSnapshot,
}

impl Bench<'_> {
    /// Judges a plan. Checks that wait for values are added to those that it lists.
    pub(crate) fn judge(&self, plan: &mut Plan) -> Diagnostics {
        let mut found = Diagnostics::new();
        if plan.mode != Mode::Normal {
            return found;
        }
        let (exceptions, faults) = check::exception::read(self.configuration);
        found.extend(faults);
        let has_budget = self.configuration.root().stack.as_ref().is_some_and(|stack| {
            stack.body.blocks.iter().any(|block| block.kind.as_str() == "budget")
        });
        let looked_at = changes(plan).any(|change| check::concerns(type_name(change)));
        if !looked_at && !has_budget && exceptions.is_empty() {
            return found;
        }
        let catalog = match load(&*self.session.world) {
            Ok(catalog) => catalog,
            Err(error) => {
                found.push(error);
                return found;
            }
        };
        let verdict = {
            let subjects = self.subjects(plan, |change| !matches!(change.action, Action::NoOp));
            check::judge(&subjects, &catalog, &exceptions, today(&*self.session.world))
        };
        self.tell(&verdict, &exceptions, &mut found);
        plan.deferred_checks.extend(verdict.deferred);
        if has_budget {
            let estimate = self.estimate_with(plan, &catalog);
            found.extend(self.over_budget(&estimate));
        }
        found
    }

    /// What the plan is over, if anything.
    pub(crate) fn over_budget(&self, estimate: &Estimate) -> Diagnostics {
        check::budget::check(self.configuration, self.inputs, &*self.session.world, estimate)
    }

    /// What everything costs, before and after.
    pub(crate) fn estimate(&self, plan: &Plan) -> Result<Estimate, catalog::CatalogError> {
        Ok(self.estimate_with(plan, &load(&*self.session.world)?))
    }

    fn estimate_with(&self, plan: &Plan, catalog: &Catalog) -> Estimate {
        let prior: BTreeMap<String, Decision> = self
            .snapshot
            .decisions
            .values()
            .filter_map(|record| Decision::from_json(&serde_json::from_str(&record.json).ok()?))
            .map(|decision| (decision.component.clone(), decision))
            .collect();
        let within = |change: &ResourceChange| {
            let address = change.address.to_string();
            plan.decisions.iter().map(|one| &one.component).chain(prior.keys()).any(|component| {
                address.strip_prefix(&**component).is_some_and(|rest| rest.starts_with(['.', '[']))
            })
        };
        // What a component expands into is paid with the component.
        let subjects = self.subjects(plan, |change| !within(change));
        let mut estimate = check::cost::estimate(&subjects, catalog);
        let current: BTreeMap<&str, &Decision> =
            plan.decisions.iter().map(|one| (one.component.as_str(), one)).collect();
        let names = current.keys().copied().chain(prior.keys().map(String::as_str));
        for name in names.collect::<std::collections::BTreeSet<&str>>() {
            let cost =
                |decision: Option<&Decision>| decision.map_or(Cost::None, check::cost::of_decision);
            let gone = plan.mode == Mode::Destroy;
            let after = current.get(name).copied().filter(|_| !gone);
            estimate.add(Line {
                address: name.to_owned(),
                before: cost(prior.get(name)),
                after: cost(after),
            });
        }
        estimate.lines.sort_by(|a, b| a.address.cmp(&b.address));
        estimate
    }

    fn subjects<'p>(
        &self,
        plan: &'p Plan,
        keep: impl Fn(&ResourceChange) -> bool,
    ) -> Vec<Subject<'p>> {
        let mut regions = BTreeMap::new();
        let known = Known::new(self.configuration, self.inputs, &*self.session.world);
        changes(plan)
            .filter(|change| keep(change))
            .map(|change| Subject {
                address: change.address.to_string(),
                type_name: type_name(change),
                planned: &change.after,
                prior: &change.before,
                destroys: matches!(change.action, Action::Delete | Action::Replace(_)),
                region: regions
                    .entry(change.provider.clone())
                    .or_insert_with(|| self.region(&known, change))
                    .clone(),
            })
            .collect()
    }

    /// The region that a provider's block names.
    fn region(&self, known: &Known<'_>, change: &ResourceChange) -> Option<String> {
        let module = self.configuration.modules.get(&change.provider.module)?;
        let block = config::provider_block(module, &change.provider)?;
        let expression = lang::compile(&block.body.attribute("region")?.expr).0;
        let region = known.evaluate(&change.provider.module, &expression);
        region.as_str().filter(|_| region.marks().is_empty()).map(str::to_owned)
    }

    fn tell(&self, verdict: &Verdict, exceptions: &[Exception], found: &mut Diagnostics) {
        for finding in &verdict.findings {
            let severity = match finding.problem.grade {
                Grade::Error => Severity::Error,
                Grade::Warning => Severity::Warning,
            };
            let span = self.place(&finding.address, finding.problem.attribute);
            found.push(Report {
                severity,
                code: format!("stratiform::check::{}", finding.rule.id),
                message: finding.problem.message.clone(),
                labels: span
                    .map(|span| (span, finding.rule.title.to_owned()))
                    .into_iter()
                    .collect(),
                help: Some(finding.problem.fix.clone()),
                detail: Some(format!("source: {}", finding.rule.source)),
                address: Some(finding.address.clone()),
            });
        }
        for (finding, at) in &verdict.excepted {
            let exception = &exceptions[*at];
            let message = format!(
                "{} is set aside until {}: {}",
                finding.rule.id, exception.until, finding.problem.message
            );
            found.push(Report {
                severity: Severity::Warning,
                code: "stratiform::check::excepted".to_owned(),
                message,
                labels: vec![(exception.span, exception.reason.clone())],
                help: None,
                detail: None,
                address: Some(finding.address.clone()),
            });
        }
        let today = today(&*self.session.world);
        for exception in exceptions.iter().filter(|one| one.is_over(today)) {
            found.push(Report {
                severity: Severity::Warning,
                code: "stratiform::check::exception_over".to_owned(),
                message: format!(
                    "the exception from {} ended on {}",
                    exception.rule, exception.until
                ),
                labels: vec![(exception.span, "counts no more".to_owned())],
                help: Some(
                    "remove it, or give it a later day with a reason that still holds".to_owned(),
                ),
                detail: None,
                address: None,
            });
        }
    }

    /// The argument at fault, or the block's header.
    fn place(&self, address: &str, attribute: Option<&str>) -> Option<Span> {
        let address: address::ResourceInstance = address.parse().ok()?;
        let module = self.configuration.modules.get(&address.module.module())?;
        let block: &ResourceBlock = module.resources.get(&address.resource)?;
        let argument = attribute.and_then(|name| {
            let own = block.body.attribute(name).map(|found| found.span);
            own.or_else(|| {
                let inner = block.body.blocks.iter().find(|inner| inner.kind.as_str() == name);
                inner.map(|inner| inner.header)
            })
        });
        Some(argument.unwrap_or(block.header))
    }
}

/// Managed objects that the plan looks at; what only leaves the state is none.
fn changes(plan: &Plan) -> impl Iterator<Item = &ResourceChange> {
    plan.changes.iter().filter(|change| {
        change.deposed.is_none()
            && change.address.resource.mode == address::ResourceMode::Managed
            && !matches!(change.action, Action::Forget | Action::Read)
    })
}

fn type_name(change: &ResourceChange) -> &str {
    &change.address.resource.type_name
}

/// Whether anything of a plan has a price.
pub(crate) fn is_priced(plan: &Plan) -> bool {
    let known = |decision: &Decision| decision.offer_attributes.get("price_usd_per_hour").is_some();
    plan.decisions.iter().any(known)
        || changes(plan).any(|change| check::cost::concerns(type_name(change)))
}
