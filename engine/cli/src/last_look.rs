//! Decides checks that waited for values, right before apply makes or changes their object.
//!
//! In: a plan, of which it remembers the objects that rules look at. Out: a [`LastLook`] for apply, or none if nothing
//! waits. It is given each object as it will be, keeps that for the rules that look at several, and answers for those
//! rules alone that waited at that object. Before the objects of a component it asks what the component is given by now,
//! and decides its own checks once they can be: [`Components`](components::Components).

mod components;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use apply::LastLook;
use catalog::Catalog;
use check::own::OwnRule;
use check::written::Written;
use check::{Circumstances, Exception, Link, Subject};
use component::known::Known;
use components::Components;
use config::Configuration;
use lang::World;
use plan::{Mode, Plan, ResourceChange};
use syntax::{Diagnostics, Report, Severity};
use value::Value;

use crate::commands::catalog::now_s;
use crate::judge::{self, Bench};

const SECONDS_PER_DAY: i64 = 86_400;

impl Bench<'_> {
    /// What apply asks before it makes or changes an object; `None` if no check of a resource waits.
    pub(crate) fn last_look(
        &self,
        plan: &Plan,
        configuration: &Arc<Configuration>,
    ) -> Option<LastLook> {
        if plan.mode != Mode::Normal {
            return None;
        }
        let (own, _) = check::own::read(configuration);
        let (exceptions, _) = check::exception::read(configuration, &own);
        let wanted = |type_name: &str| {
            check::is_seen(type_name) || own.iter().any(|rule| rule.is_for(type_name, false))
        };
        let has_open = self.components.iter().any(|one| !one.input.is_wholly_known());
        if !has_open && !judge::changes(plan).any(|change| wanted(judge::type_name(change))) {
            return None;
        }
        let catalog = self.session.catalog().ok()?;
        let quotas = self.placement(&mut Diagnostics::new()).quotas;
        let world = self.session.clock();
        let now_s = now_s(&*world);
        let mut subjects = self.subjects(plan, |change| wanted(judge::type_name(change)));
        self.link(&mut subjects, plan);
        let written = self.written(plan);
        let asked_for = self.asked_for(plan, &written);
        let look = Look {
            given: Given { catalog, exceptions, quotas, own, now_s },
            configuration: Arc::clone(configuration),
            inputs: self.inputs.clone(),
            world,
            waiting: BTreeMap::new(),
            places: subjects.iter().map(|one| one.address.clone()).zip(0..).collect(),
            by_home: index(subjects.iter().map(|one| vec![one.home.clone()])),
            // Rules of a security group point at it; what else does is nothing that a rule looks at.
            by_target: index(subjects.iter().map(|one| {
                let links = one.links.iter().filter(|_| check::is_beside(one.type_name));
                links.map(|link| link.target.clone()).collect::<Vec<_>>()
            })),
            written,
            kept: Mutex::new(Vec::new()),
            components: None,
        };
        let own = look.judge_own(&look.given.own, &subjects).deferred;
        for subject in &mut subjects {
            subject.planned = asked_for.get(&subject.address).unwrap_or(subject.planned);
        }
        let ours = check::judge(&subjects, &look.given.circumstances()).deferred;
        let mut waiting: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in ours.into_iter().chain(own) {
            waiting.entry(one.address).or_default().insert(one.rule);
        }
        let nothing = Value::dynamic_null();
        let mut components = has_open
            .then(|| Components::new(self.components, &self.component_subjects(plan, &nothing)));
        if let Some(components) = &mut components {
            components.wait_for(&look.given);
        }
        let components = components.filter(|all| !all.is_settled());
        if waiting.is_empty() && components.is_none() {
            return None;
        }
        let kept = Mutex::new(subjects.iter().map(Kept::of).collect());
        let look = Look { waiting, kept, components: components.map(Mutex::new), ..look };
        Some(Arc::new(move |change, planned, given| {
            let mut found = look.component_of(change, given);
            if !found.has_errors() {
                found.extend(look.at(&change.address.to_string(), planned));
            }
            found
        }))
    }
}

fn index(names: impl Iterator<Item = Vec<String>>) -> BTreeMap<String, Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, names) in names.enumerate() {
        for name in names {
            let places = found.entry(name).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
    }
    found
}

/// What rules go by.
struct Given {
    catalog: Arc<Catalog>,
    exceptions: Vec<Exception>,
    quotas: Vec<(String, u64)>,
    own: Vec<OwnRule>,
    now_s: i64,
}

impl Given {
    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            catalog: &self.catalog,
            exceptions: &self.exceptions,
            quotas: &self.quotas,
            now_s: self.now_s,
        }
    }
}

/// A subject that owns its values.
struct Kept {
    address: String,
    home: String,
    type_name: String,
    planned: Value,
    prior: Value,
    destroys: bool,
    overlaps: bool,
    region: Option<String>,
    links: Arc<[Link]>,
    component: bool,
    decision: Option<component::Decision>,
}

impl Kept {
    fn of(subject: &Subject<'_>) -> Self {
        Self {
            address: subject.address.clone(),
            home: subject.home.clone(),
            type_name: subject.type_name.to_owned(),
            planned: subject.planned.clone(),
            prior: subject.prior.clone(),
            destroys: subject.destroys,
            overlaps: subject.overlaps,
            region: subject.region.clone(),
            links: Arc::clone(&subject.links),
            component: subject.component,
            decision: subject.decision.cloned(),
        }
    }

    fn subject(&self, changes: bool) -> Subject<'_> {
        Subject {
            address: self.address.clone(),
            home: self.home.clone(),
            type_name: &self.type_name,
            planned: &self.planned,
            prior: &self.prior,
            destroys: self.destroys,
            overlaps: self.overlaps,
            changes,
            region: self.region.clone(),
            links: Arc::clone(&self.links),
            component: self.component,
            decision: self.decision.as_ref(),
        }
    }
}

struct Look {
    given: Given,
    configuration: Arc<Configuration>,
    inputs: BTreeMap<Arc<str>, Value>,
    world: Arc<dyn World>,
    /// Rules that wait, by address.
    waiting: BTreeMap<String, BTreeSet<String>>,
    places: BTreeMap<String, usize>,
    by_home: BTreeMap<String, Vec<usize>>,
    by_target: BTreeMap<String, Vec<usize>>,
    /// What blocks set, by their addresses.
    written: BTreeMap<String, Written>,
    /// All objects that rules look at, as they are known by now, without what providers work out.
    kept: Mutex<Vec<Kept>>,
    /// The components, if checks of them wait.
    components: Option<Mutex<Components>>,
}

/// So far do rules look from their object.
const HOPS: usize = 2;

impl Look {
    fn judge_own<'r>(
        &self,
        rules: &'r [OwnRule],
        subjects: &[Subject<'_>],
    ) -> check::own::OwnVerdict<'r> {
        let known = Known::new(&self.configuration, &self.inputs, &*self.world);
        let today = self.given.now_s.div_euclid(SECONDS_PER_DAY);
        let exceptions = &self.given.exceptions;
        check::own::judge(rules, subjects, &known, &*self.world, exceptions, today)
    }

    /// What is to be said of the component that an object is a part of, if it has one.
    fn component_of(&self, change: &ResourceChange, given: &mut apply::Given<'_>) -> Diagnostics {
        let Some(components) = &self.components else { return Diagnostics::new() };
        let mut components = components.lock().unwrap_or_else(PoisonError::into_inner);
        components.at(&change.address.module, &self.given, &*self.world, given)
    }

    /// What is to be said of an object as it will be.
    fn at(&self, address: &str, planned: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        let Some(at) = self.places.get(address).copied() else { return found };
        // What another thread has left is whole: it only replaces values.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.written.get(&kept[at].home);
        kept[at].planned =
            written.map_or_else(|| planned.clone(), |one| one.without_computed(planned));
        let Some(waiting) = self.waiting.get(address) else { return found };
        let subjects: Vec<Subject<'_>> =
            self.around(&kept, at).into_iter().map(|one| kept[one].subject(one == at)).collect();
        let verdict = check::judge(&subjects, &self.given.circumstances());
        for finding in verdict.findings.iter().filter(|one| waiting.contains(one.rule.id)) {
            let (attribute, part) = (finding.problem.attribute, finding.problem.part.as_deref());
            let span = judge::place(&self.configuration, address, attribute, part);
            found.push(judge::finding_report(finding, span));
        }
        for (finding, exception) in &verdict.excepted {
            if waiting.contains(finding.rule.id) {
                let exception = &self.given.exceptions[*exception];
                let (id, message) = (finding.rule.id, &finding.problem.message);
                found.push(judge::set_aside(id, message, address.to_owned(), exception));
            }
        }
        let rules: Vec<OwnRule> = {
            let all = self.given.own.iter();
            all.filter(|rule| waiting.contains(&rule.name)).cloned().collect()
        };
        let whole = Subject { planned, ..kept[at].subject(true) };
        let own = self.judge_own(&rules, &[whole]);
        for finding in &own.findings {
            let span = judge::place(&self.configuration, address, None, None);
            found.push(judge::own_report(finding, span));
        }
        for (finding, exception) in &own.excepted {
            let exception = &self.given.exceptions[*exception];
            let (name, message) = (&finding.rule.name, &finding.message);
            found.push(judge::set_aside(name, message, address.to_owned(), exception));
        }
        found.extend(own.faults);
        let mut told = BTreeSet::new();
        for one in verdict.deferred.iter().chain(&own.deferred) {
            if waiting.contains(&one.rule) && told.insert(&one.text) {
                found.push(undecided(address, &one.text));
            }
        }
        found
    }

    /// The object and what rules may look at beside it.
    fn around(&self, kept: &[Kept], at: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::from([at]);
        for _ in 0..HOPS {
            let targets = all.iter().flat_map(|one| kept[*one].links.iter());
            let more = targets.filter_map(|link| self.by_home.get(&link.target)).flatten().copied();
            let more: Vec<usize> = more.collect();
            all.extend(more);
        }
        let beside = all.iter().filter_map(|one| self.by_target.get(&kept[*one].home)).flatten();
        let beside: Vec<usize> = beside.copied().collect();
        all.extend(beside);
        all
    }
}

fn undecided(address: &str, text: &str) -> Report {
    Report {
        severity: Severity::Warning,
        code: "stratiform::check::undecided".to_owned(),
        message: format!("not decided before the object was made: {text}"),
        labels: Vec::new(),
        help: Some("the next plan decides it".to_owned()),
        detail: None,
        address: Some(address.to_owned()),
    }
}
