//! Checks of components that waited for what other objects give.

use std::collections::{BTreeMap, BTreeSet};

use address::ModuleInstance;
use check::Subject;
use component::{Asked, PlacedComponent};
use lang::World;
use syntax::{Diagnostics, Span};
use value::Value;

use super::{Given, Kept, undecided};
use crate::judge;

/// All components of a stack, as they are known by now.
pub(super) struct Components {
    all: Vec<Component>,
}

struct Component {
    kept: Kept,
    asked: Asked,
    block: syntax::Block,
    /// The inputs as they were known while planning.
    planned: Value,
    /// Rules that wait, by id.
    waits: BTreeSet<String>,
    /// Those of them that were decided, by instance.
    ruled: BTreeMap<String, BTreeSet<String>>,
    /// Whether its type's and its implementation's checks were all decided, by instance.
    decided: BTreeMap<String, bool>,
}

impl Components {
    pub(super) fn new(components: &[PlacedComponent], subjects: &[Subject<'_>]) -> Self {
        let all = components.iter().zip(subjects).map(|(one, subject)| Component {
            kept: Kept::of(subject),
            asked: one.asked.clone(),
            block: one.block.block.clone(),
            planned: one.input.clone(),
            waits: BTreeSet::new(),
            ruled: BTreeMap::new(),
            decided: BTreeMap::new(),
        });
        Self { all: all.collect() }
    }

    /// Notes which rules wait.
    pub(super) fn wait_for(&mut self, given: &Given) {
        let deferred = {
            let subjects: Vec<Subject<'_>> =
                self.all.iter().map(|one| one.kept.subject(true)).collect();
            check::judge(&subjects, &given.circumstances()).deferred
        };
        for one in deferred {
            if let Some(component) = self.all.iter_mut().find(|own| own.kept.address == one.address)
            {
                component.waits.insert(one.rule);
            }
        }
    }

    /// Whether nothing of any component waits.
    pub(super) fn is_settled(&self) -> bool {
        self.all.iter().all(|one| one.waits.is_empty() && one.planned.is_wholly_known())
    }

    /// What is to be said before an object of a module instance is made or changed.
    pub(super) fn at(
        &mut self,
        instance: &ModuleInstance,
        given: &Given,
        world: &dyn World,
        ask: &mut apply::Given<'_>,
    ) -> Diagnostics {
        let mut found = Diagnostics::new();
        let Some((at, own)) = self.of(instance) else { return found };
        if self.all[at].is_done(&own) {
            return found;
        }
        // A rule may look at what a component refers to, so that all of them are brought up to date.
        for (other, component) in self.all.iter_mut().enumerate() {
            let place = match other == at {
                true => Some(own.clone()),
                false => component.kept.home.parse().ok(),
            };
            if let Some(place) = place {
                component.renew(|expressions| ask(&place, expressions));
            }
        }
        self.all[at].decide(&own, world, &mut found);
        self.judge(at, &own.to_string(), given, &mut found);
        found
    }

    /// The innermost component that a module instance is, or is a part of, and the component's own instance.
    fn of(&self, instance: &ModuleInstance) -> Option<(usize, ModuleInstance)> {
        let mut here = Some(instance.clone());
        while let Some(instance) = here {
            let path = instance.module().to_string();
            if let Some(at) = self.all.iter().position(|one| one.kept.address == path) {
                return Some((at, instance));
            }
            here = instance.parent();
        }
        None
    }

    /// Decides the rules that can be decided by now.
    fn judge(&mut self, at: usize, instance: &str, given: &Given, found: &mut Diagnostics) {
        if self.all[at].open(instance).next().is_none() {
            return;
        }
        let verdict = {
            let subjects: Vec<Subject<'_>> = self
                .all
                .iter()
                .enumerate()
                .map(|(other, one)| one.kept.subject(other == at))
                .collect();
            check::judge(&subjects, &given.circumstances())
        };
        let still: BTreeSet<String> = verdict.deferred.into_iter().map(|one| one.rule).collect();
        let component = &mut self.all[at];
        let decided: BTreeSet<String> =
            component.open(instance).filter(|rule| !still.contains(*rule)).cloned().collect();
        component.ruled.entry(instance.to_owned()).or_default().extend(decided.iter().cloned());
        for finding in verdict.findings.iter().filter(|one| decided.contains(one.rule.id)) {
            let (attribute, part) = (finding.problem.attribute, finding.problem.part.as_deref());
            let span: Span = judge::within(&component.block, attribute, part);
            found.push(judge::finding_report(finding, Some(span)));
        }
        for (finding, exception) in &verdict.excepted {
            if decided.contains(finding.rule.id) {
                let exception = &given.exceptions[*exception];
                let (id, message) = (finding.rule.id, &finding.problem.message);
                found.push(judge::set_aside(id, message, finding.address.clone(), exception));
            }
        }
    }
}

impl Component {
    fn is_done(&self, instance: &ModuleInstance) -> bool {
        let name = instance.to_string();
        self.open(&name).next().is_none() && self.decided.get(&name).copied().unwrap_or(false)
    }

    /// Rules that wait for an instance still.
    fn open(&self, instance: &str) -> impl Iterator<Item = &String> {
        let ruled = self.ruled.get(instance);
        self.waits.iter().filter(move |rule| !ruled.is_some_and(|ruled| ruled.contains(*rule)))
    }

    fn renew(&mut self, ask: impl FnOnce(&[&lang::Expression]) -> Vec<Option<Value>>) {
        self.kept.planned = self.asked.inputs(&self.planned, ask);
    }

    /// Decides what its type and its implementation ask. What nothing of it waits for stays open.
    fn decide(&mut self, instance: &ModuleInstance, world: &dyn World, found: &mut Diagnostics) {
        let name = instance.to_string();
        if self.decided.get(&name) == Some(&true) {
            return;
        }
        let again = self.asked.again(&name, &self.planned, &self.kept.planned, world);
        found.extend(again.found);
        let known = self.kept.planned.is_wholly_known();
        if known {
            for text in &again.waits {
                found.push(undecided(&name, text));
            }
        }
        self.decided.insert(name, known || again.waits.is_empty());
    }
}
