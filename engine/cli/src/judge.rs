//! Checks and prices of a plan: gives planned objects to the `check` crate, and its findings their places.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::Catalog;
use check::cost::{Cost, Estimate, Line};
use check::own::{OwnFinding, OwnRule};
use check::written::Written;
use check::{Circumstances, Exception, Finding, Grade, Link, Subject, Verdict};
use component::known::Known;
use component::stack::Placement;
use component::{Decision, PlacedComponent};
use config::{Configuration, ResourceBlock};
use plan::{Action, Mode, Plan, ResourceChange};
use state::StateSnapshot;
use syntax::{Diagnostics, Report, Severity, Span};
use value::Value;

use crate::commands::catalog::{now_s, today};
use crate::session::{Session, decided};

/// What checks and prices need beside the plan.
pub(crate) struct Bench<'a> {
    pub(crate) session: &'a Session,
    pub(crate) configuration: &'a Configuration,
    pub(crate) inputs: &'a BTreeMap<Arc<str>, Value>,
    pub(crate) snapshot: &'a StateSnapshot,
    pub(crate) components: &'a [PlacedComponent],
}

impl Bench<'_> {
    /// Judges a plan. Checks that wait for values are added to those that it lists.
    pub(crate) fn judge(&self, plan: &mut Plan) -> Diagnostics {
        let mut found = Diagnostics::new();
        if plan.mode != Mode::Normal {
            return found;
        }
        let (own, faults) = check::own::read(self.configuration);
        found.extend(faults);
        let (exceptions, faults) = check::exception::read(self.configuration, &own);
        found.extend(faults);
        self.judge_own(&own, &exceptions, plan, &mut found);
        self.judge_rego(&exceptions, plan, &mut found);
        let has_budget =
            self.configuration.root().stack.as_ref().is_some_and(|stack| {
                stack.body.blocks.iter().any(|block| block.kind.as_str() == "budget")
            }) || self.components.iter().any(|one| one.block.type_name.as_str() == "budget");
        let asked = self.asked_of_data();
        let looked_at = changes(plan).any(|change| check::concerns(type_name(change)))
            || self.components.iter().any(|one| check::concerns(one.block.type_name.as_str()))
            || !asked.is_empty();
        if !looked_at && !has_budget && exceptions.is_empty() {
            return found;
        }
        let catalog = match self.session.catalog() {
            Ok(catalog) => catalog,
            Err(error) => {
                found.push(error);
                return found;
            }
        };
        let verdict = self.verdict(plan, &catalog, &exceptions, &mut found);
        self.tell(&verdict, &exceptions, &mut found);
        plan.deferred_checks.extend(verdict.deferred.iter().map(ToString::to_string));
        if has_budget {
            let estimate = self.estimate_with(plan, &catalog);
            found.extend(self.over_budget(plan, &estimate, &catalog));
        }
        found
    }

    /// What the rules say of everything that they look at.
    fn verdict(
        &self,
        plan: &Plan,
        catalog: &Catalog,
        exceptions: &[Exception],
        found: &mut Diagnostics,
    ) -> Verdict {
        let placement = self.placement(found);
        let nothing = Value::dynamic_null();
        let asked = self.asked_of_data();
        let asked_for = self.asked_for(plan, &self.written(plan));
        let mut subjects = self.subjects(plan, |change| check::is_seen(type_name(change)));
        self.link(&mut subjects, plan);
        for subject in &mut subjects {
            subject.planned = asked_for.get(&subject.address).unwrap_or(subject.planned);
        }
        subjects.extend(self.component_subjects(plan, &nothing));
        subjects.extend(asked.iter().map(|one| one.subject(&nothing)));
        let given = Circumstances {
            catalog,
            exceptions,
            quotas: &placement.quotas,
            now_s: now_s(&*self.session.world),
        };
        check::judge(&subjects, &given)
    }

    /// What checks find of one object, with what must hold.
    pub(crate) fn findings(&self, plan: &Plan, address: &str) -> Vec<report::explain::Finding> {
        if plan.mode != Mode::Normal {
            return Vec::new();
        }
        let (own, _) = check::own::read(self.configuration);
        let (exceptions, _) = check::exception::read(self.configuration, &own);
        let is_it = |change: &ResourceChange| change.address.to_string() == address;
        let concerned =
            changes(plan).any(|change| is_it(change) && check::concerns(type_name(change)));
        let catalog = concerned.then(|| self.session.catalog().ok()).flatten();
        let Some(catalog) = catalog else { return Vec::new() };
        let mut verdict = self.verdict(plan, &catalog, &exceptions, &mut Diagnostics::new());
        verdict.findings.retain(|finding| finding.address == address);
        verdict.excepted.retain(|(finding, _)| finding.address == address);
        let open = verdict.findings.iter().map(|finding| (finding, None));
        let excepted = verdict.excepted.iter();
        let excepted =
            excepted.map(|(finding, at)| (finding, Some(exceptions[*at].reason.clone())));
        open.chain(excepted)
            .map(|(finding, excepted)| report::explain::Finding {
                id: finding.rule.id.to_owned(),
                title: finding.rule.title.to_owned(),
                error: finding.problem.grade == Grade::Error,
                message: finding.problem.message.clone(),
                formula: finding.rule.formula.to_owned(),
                fix: finding.problem.fix.clone(),
                source: finding.rule.source.to_owned(),
                excepted,
            })
            .collect()
    }

    /// What the plan is over, if anything, and whether prices are old.
    pub(crate) fn over_budget(
        &self,
        plan: &Plan,
        estimate: &Estimate,
        catalog: &Catalog,
    ) -> Diagnostics {
        let world = &*self.session.world;
        let mut found = check::budget::check(self.configuration, self.inputs, world, estimate);
        let nothing = Value::dynamic_null();
        let place = |subject: &Subject<'_>| {
            let component = self.components.iter().find(|one| one.address == subject.address);
            component
                .map_or(Span::default(), |one| within(&one.block.block, Some("amount_usd"), None))
        };
        let subjects = self.component_subjects(plan, &nothing);
        found.extend(check::budget::check_components(&subjects, estimate, &place));
        let old: Vec<String> = check::cost::stale(estimate, catalog, today(world))
            .into_iter()
            .map(|source| format!("`{}` of {}", source.id, source.date))
            .collect();
        if !old.is_empty() {
            found.push(Report {
                severity: Severity::Warning,
                code: "stratiform::check::stale_prices".to_owned(),
                message: format!(
                    "prices are older than {} days: {}",
                    catalog::MAX_AGE_DAYS,
                    old.join(", ")
                ),
                labels: Vec::new(),
                help: Some("`stratiform catalog update FILE` takes newer ones".to_owned()),
                detail: None,
                address: None,
            });
        }
        found
    }

    /// What everything costs, before and after, and the catalog that says so.
    pub(crate) fn estimate(
        &self,
        plan: &Plan,
    ) -> Result<(Estimate, Arc<Catalog>), catalog::CatalogError> {
        let catalog = self.session.catalog()?;
        Ok((self.estimate_with(plan, &catalog), catalog))
    }

    fn estimate_with(&self, plan: &Plan, catalog: &Catalog) -> Estimate {
        let prior = decided(self.snapshot);
        // What machines of a component are made of is paid with the component, and disks and services are not.
        let within = |change: &ResourceChange| {
            let address = change.address.to_string();
            let paid = plan.decisions.iter().chain(prior.values()).filter(|one| one.machines > 0);
            !check::rate::concerns(type_name(change))
                && paid.map(|one| &one.component).any(|component| {
                    let rest = address.strip_prefix(&**component);
                    rest.is_some_and(|rest| rest.starts_with(['.', '[']))
                })
        };
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
            let (before, after) = (cost(prior.get(name)), cost(after));
            if before != Cost::None || after != Cost::None {
                estimate.add(Line { address: name.to_owned(), before, after });
            }
        }
        estimate.lines.sort_by(|a, b| a.address.cmp(&b.address));
        for name in current
            .keys()
            .copied()
            .chain(prior.keys().map(String::as_str))
            .collect::<std::collections::BTreeSet<&str>>()
        {
            estimate.share(name);
        }
        if plan.mode == Mode::Normal {
            let nothing = Value::dynamic_null();
            let subjects = self.component_subjects(plan, &nothing);
            let given = Circumstances {
                catalog,
                exceptions: &[],
                quotas: &[],
                now_s: now_s(&*self.session.world),
            };
            estimate.prospects = check::prospect::prospects(&subjects, &given);
        }
        estimate
    }

    pub(crate) fn subjects<'p>(
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
                home: home(change),
                type_name: type_name(change),
                planned: &change.after,
                prior: &change.before,
                destroys: matches!(change.action, Action::Delete | Action::Replace(_)),
                overlaps: matches!(
                    change.action,
                    Action::Replace(plan::ReplaceOrder::CreateThenDelete)
                ),
                changes: !matches!(change.action, Action::NoOp),
                region: regions
                    .entry(change.provider.clone())
                    .or_insert_with(|| self.region(&known, change))
                    .clone(),
                links: Arc::from([]),
                component: false,
                decision: None,
            })
            .collect()
    }

    /// The rules that people have written. They look at every planned object of their types, changed or not.
    fn judge_own(
        &self,
        rules: &[OwnRule],
        exceptions: &[Exception],
        plan: &mut Plan,
        found: &mut Diagnostics,
    ) {
        if rules.is_empty() {
            return;
        }
        let nothing = Value::dynamic_null();
        let world = &*self.session.world;
        let known = Known::new(self.configuration, self.inputs, world);
        let verdict = {
            let wanted = |change: &ResourceChange| {
                rules.iter().any(|rule| rule.is_for(type_name(change), false))
            };
            let mut subjects = self.subjects(plan, wanted);
            subjects.extend(self.component_subjects(plan, &nothing));
            check::own::judge(rules, &subjects, &known, world, exceptions, today(world))
        };
        for finding in &verdict.findings {
            let at = self.spot(&finding.address, None, None);
            found.push(own_report(finding, at));
        }
        for (finding, at) in &verdict.excepted {
            let (name, address) = (&finding.rule.name, finding.address.clone());
            found.push(set_aside(name, &finding.message, address, &exceptions[*at]));
        }
        found.extend(verdict.faults);
        plan.deferred_checks.extend(verdict.deferred.iter().map(ToString::to_string));
    }

    /// The policies in Rego that people have written: they look at the whole plan as JSON.
    fn judge_rego(&self, exceptions: &[Exception], plan: &Plan, found: &mut Diagnostics) {
        let world = &*self.session.world;
        let (policies, faults) = check::rego::read(self.configuration, world);
        found.extend(faults);
        if policies.is_empty() {
            return;
        }
        let around = report::plan_json::Around {
            configuration: self.configuration,
            variables: self.inputs,
            timestamp: crate::fetching::timestamp(world),
        };
        let view = report::plan_text::View::of(plan);
        let input = report::plan_json::document(&view, &around, config::LANGUAGE_VERSION);
        let input = crate::commands::planfile::masked(input);
        let (said, faults) = check::rego::judge(&policies, &input);
        found.extend(faults);
        for finding in said {
            let address = finding.address.clone().unwrap_or_default();
            let exception =
                exceptions.iter().find(|one| one.covers(&finding.policy, &address, today(world)));
            if let Some(exception) = exception {
                found.push(set_aside(&finding.policy, &finding.message, address, exception));
                continue;
            }
            let policy = policies.iter().find(|policy| policy.name == finding.policy);
            let own = policy.map(|policy| (policy.span, format!("package `{}`", finding.package)));
            let object = finding.address.as_ref().and_then(|address| {
                self.spot(address, None, None).map(|span| (span, address.clone()))
            });
            found.push(Report {
                severity: severity(finding.grade),
                code: format!("stratiform::check::{}", finding.policy),
                message: finding.message,
                labels: object.into_iter().chain(own).collect(),
                help: None,
                detail: None,
                address: finding.address,
            });
        }
    }

    /// Where something stands: an argument of a component or a resource, or its header.
    fn spot(&self, address: &str, attribute: Option<&str>, part: Option<&str>) -> Option<Span> {
        match self.components.iter().find(|one| one.address == address) {
            Some(component) => Some(within(&component.block.block, attribute, part)),
            None => place(self.configuration, address, attribute, part),
        }
    }

    /// The settings of the `placement` block. Placing components has told what is wrong with them, if there are any.
    pub(crate) fn placement(&self, found: &mut Diagnostics) -> Placement {
        let known = Known::new(self.configuration, self.inputs, &*self.session.world);
        let mut faults = Diagnostics::new();
        let stack = self.configuration.root().stack.as_ref();
        let placement = component::stack::read(stack, &known, &mut faults);
        if self.components.is_empty() {
            found.extend(faults);
        }
        placement
    }

    /// What data sources that rules are for ask, as far as that is known before they are read.
    fn asked_of_data(&self) -> Vec<Asked> {
        let known = Known::new(self.configuration, self.inputs, &*self.session.world);
        let mut asked = Vec::new();
        for (path, module) in &self.configuration.modules {
            for (resource, block) in &module.resources {
                let type_name = format!("data.{}", resource.type_name);
                if resource.mode != address::ResourceMode::Data || !check::concerns(&type_name) {
                    continue;
                }
                let arguments = block.body.attributes.iter().map(|attribute| {
                    let expression = lang::compile(&attribute.expr).0;
                    (Arc::clone(&attribute.name.text), known.evaluate(path, &expression))
                });
                let prefix = if path.is_root() { String::new() } else { format!("{path}.") };
                let address = format!("{prefix}{resource}");
                asked.push(Asked { address, type_name, arguments: Value::object(arguments) });
            }
        }
        asked
    }

    /// What the blocks of objects that rules look at set, by the blocks' addresses.
    pub(crate) fn written(&self, plan: &Plan) -> BTreeMap<String, Written> {
        let mut read = BTreeMap::new();
        for change in changes(plan).filter(|change| check::is_seen(type_name(change))) {
            read.entry(home(change)).or_insert_with(|| {
                let module = self.configuration.modules.get(&change.address.module.module());
                let block =
                    module.and_then(|module| module.resources.get(&change.address.resource));
                block.map(|block| Written::of(&block.body)).unwrap_or_default()
            });
        }
        read
    }

    /// Planned objects without what providers will work out, by address; none for those that are wholly known.
    pub(crate) fn asked_for(
        &self,
        plan: &Plan,
        written: &BTreeMap<String, Written>,
    ) -> BTreeMap<String, Value> {
        let waits = |change: &&ResourceChange| {
            check::is_seen(type_name(change)) && !change.after.is_wholly_known()
        };
        let asked = changes(plan).filter(waits).filter_map(|change| {
            let written = written.get(&home(change))?;
            Some((change.address.to_string(), written.without_computed(&change.after)))
        });
        asked.collect()
    }

    /// Adds what the blocks of subjects refer to; each block is read once.
    pub(crate) fn link(&self, subjects: &mut [Subject<'_>], plan: &Plan) {
        let mut read: BTreeMap<String, Arc<[Link]>> = BTreeMap::new();
        for change in changes(plan).filter(|change| check::is_seen(type_name(change))) {
            read.entry(home(change)).or_insert_with(|| {
                let path = change.address.module.module();
                let module = self.configuration.modules.get(&path);
                let block =
                    module.and_then(|module| module.resources.get(&change.address.resource));
                block.map_or_else(
                    || Arc::from([]),
                    |block| check::link::of_body(self.configuration, &path, &block.body).into(),
                )
            });
        }
        for subject in subjects {
            if let Some(links) = read.get(&subject.home) {
                subject.links = Arc::clone(links);
            }
        }
    }

    pub(crate) fn component_subjects<'p>(
        &'p self,
        plan: &'p Plan,
        nothing: &'p Value,
    ) -> Vec<Subject<'p>> {
        let decisions: BTreeMap<&str, &Decision> =
            plan.decisions.iter().map(|one| (one.component.as_str(), one)).collect();
        let subject = |one: &'p PlacedComponent| {
            let decision = decisions.get(one.address.as_str()).copied();
            let region = decision.and_then(|decision| decision.offer_attributes.get("region"));
            let body = &one.block.block.body;
            Subject {
                address: one.address.clone(),
                home: one.address.clone(),
                type_name: one.block.type_name.as_str(),
                planned: &one.input,
                prior: nothing,
                destroys: false,
                overlaps: false,
                changes: true,
                region: region.and_then(serde_json::Value::as_str).map(str::to_owned),
                links: check::link::of_body(self.configuration, &one.module, body).into(),
                component: true,
                decision,
            }
        };
        self.components.iter().map(subject).collect()
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
            let problem = &finding.problem;
            let span = self.spot(&finding.address, problem.attribute, problem.part.as_deref());
            found.push(finding_report(finding, span));
        }
        for (finding, at) in &verdict.excepted {
            let (id, message) = (finding.rule.id, &finding.problem.message);
            found.push(set_aside(id, message, finding.address.clone(), &exceptions[*at]));
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
}

/// The argument at fault, or the block's header.
pub(crate) fn place(
    configuration: &Configuration,
    address: &str,
    attribute: Option<&str>,
    part: Option<&str>,
) -> Option<Span> {
    let address: address::ResourceInstance = address.parse().ok()?;
    let module = configuration.modules.get(&address.module.module())?;
    let block: &ResourceBlock = module.resources.get(&address.resource)?;
    Some(argument(&block.body, attribute, part).unwrap_or(block.header))
}

/// What is told of a finding, and where.
pub(crate) fn finding_report(finding: &Finding, span: Option<Span>) -> Report {
    Report {
        severity: severity(finding.problem.grade),
        code: format!("stratiform::check::{}", finding.rule.id),
        message: finding.problem.message.clone(),
        labels: span.map(|span| (span, finding.rule.title.to_owned())).into_iter().collect(),
        help: Some(finding.problem.fix.clone()),
        detail: Some(format!("source: {}", finding.rule.source)),
        address: Some(finding.address.clone()),
    }
}

/// The same for a rule that somebody wrote: the object, then the condition.
pub(crate) fn own_report(finding: &OwnFinding<'_>, span: Option<Span>) -> Report {
    let object = span.map(|span| (span, finding.address.clone()));
    let condition = (finding.rule.span(), "does not hold".to_owned());
    Report {
        severity: severity(finding.rule.grade),
        code: format!("stratiform::check::{}", finding.rule.name),
        message: finding.message.clone(),
        labels: object.into_iter().chain([condition]).collect(),
        help: None,
        detail: None,
        address: Some(finding.address.clone()),
    }
}

fn severity(grade: Grade) -> Severity {
    match grade {
        Grade::Error => Severity::Error,
        Grade::Warning => Severity::Warning,
    }
}

/// What is told of a finding that counts no more.
pub(crate) fn set_aside(
    rule: &str,
    message: &str,
    address: String,
    exception: &Exception,
) -> Report {
    Report {
        severity: Severity::Warning,
        code: "stratiform::check::excepted".to_owned(),
        message: format!("{rule} is set aside until {}: {message}", exception.until),
        labels: vec![(exception.span, exception.reason.clone())],
        help: None,
        detail: None,
        address: Some(address),
    }
}

/// A data source and its arguments.
struct Asked {
    address: String,
    type_name: String,
    arguments: Value,
}

impl Asked {
    fn subject<'v>(&'v self, nothing: &'v Value) -> Subject<'v> {
        Subject {
            address: self.address.clone(),
            home: self.address.clone(),
            type_name: &self.type_name,
            planned: &self.arguments,
            prior: nothing,
            destroys: false,
            overlaps: false,
            changes: true,
            region: None,
            links: Arc::from([]),
            component: false,
            decision: None,
        }
    }
}

/// Where an argument of a block stands, or its header.
pub(crate) fn within(block: &syntax::Block, attribute: Option<&str>, part: Option<&str>) -> Span {
    argument(&block.body, attribute, part).unwrap_or(block.header)
}

/// The argument, or the nested block of that kind; that with the label, where there is one.
fn argument(body: &syntax::Body, attribute: Option<&str>, part: Option<&str>) -> Option<Span> {
    let name = attribute?;
    let own = body.attribute(name).map(|found| found.span);
    let labelled = |block: &&syntax::Block| {
        part.is_none_or(|part| block.labels.first().is_none_or(|label| label.as_str() == part))
    };
    own.or_else(|| {
        let mut inner = body.blocks.iter().filter(|inner| inner.kind.as_str() == name);
        inner.find(labelled).map(|inner| inner.header)
    })
}

/// The address of the block, which has no keys of instances.
fn home(change: &ResourceChange) -> String {
    let path = change.address.module.module();
    if path.is_root() {
        change.address.resource.to_string()
    } else {
        format!("{path}.{}", change.address.resource)
    }
}

/// Managed objects that the plan looks at; what only leaves the state is none.
pub(crate) fn changes(plan: &Plan) -> impl Iterator<Item = &ResourceChange> {
    plan.changes.iter().filter(|change| {
        change.deposed.is_none()
            && change.address.resource.mode == address::ResourceMode::Managed
            && !matches!(change.action, Action::Forget | Action::Read)
    })
}

pub(crate) fn type_name(change: &ResourceChange) -> &str {
    &change.address.resource.type_name
}

/// Whether anything of a plan has a price.
pub(crate) fn is_priced(plan: &Plan) -> bool {
    let known = |decision: &Decision| decision.offer_attributes.get("price_usd_per_hour").is_some();
    plan.decisions.iter().any(known)
        || changes(plan).any(|change| check::cost::concerns(type_name(change)))
}

/// Whether a component may say what it trains or serves.
pub(crate) fn has_prospects(components: &[PlacedComponent]) -> bool {
    components.iter().any(|one| check::concerns(one.block.type_name.as_str()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use address::ProviderAddress;
    use config::LoadRequest;
    use lang::World;
    use lang::testing::FixedWorld;
    use sdk::native::{Call, Created};
    use sdk::{
        Block, Factory, NativeProvider, NestedBlock, Nesting, Problem, Provider, ProviderError,
        Registry, Resource, Schema, async_trait,
    };
    use syntax::SourceMap;
    use value::Type;

    use super::*;
    use crate::session::Stack;

    /// A cloud that only plans: as much of the real provider's schemas as the rules look at.
    struct Cloud;

    struct Volume;

    struct Machine;

    #[async_trait]
    impl Factory for Cloud {
        fn address(&self) -> ProviderAddress {
            ProviderAddress::implied("aws")
        }

        async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
            let block = Block::new().optional("region", Type::String, "Where.");
            let resources: Vec<Box<dyn Resource>> = vec![Box::new(Volume), Box::new(Machine)];
            Ok(Arc::new(NativeProvider::new(Schema { version: 0, block }, resources, Vec::new())))
        }
    }

    macro_rules! planned_only {
        ($name:ident, $type_name:literal, $block:expr) => {
            #[async_trait]
            impl Resource for $name {
                fn name(&self) -> &'static str {
                    $type_name
                }

                fn schema(&self) -> Schema {
                    Schema { version: 0, block: $block }
                }

                async fn create(&self, planned: Value, _: Call<'_>) -> Created {
                    Created::of(planned)
                }

                async fn read(&self, current: Value, _: Call<'_>) -> Result<Value, Problem> {
                    Ok(current)
                }

                async fn update(&self, _: Value, planned: Value, _: Call<'_>) -> Created {
                    Created::of(planned)
                }

                async fn delete(&self, _: Value, _: Call<'_>) -> Result<(), Problem> {
                    Ok(())
                }
            }
        };
    }

    planned_only!(
        Volume,
        "aws_ebs_volume",
        Block::new()
            .required("availability_zone", Type::String, "Where.")
            .optional("type", Type::String, "Kind.")
            .optional("size", Type::Number, "GiB.")
            .optional("iops", Type::Number, "Operations a second.")
            .optional("throughput", Type::Number, "MiB a second.")
            .optional("encrypted", Type::Bool, "Whether.")
            .computed("id", Type::String, "Name.")
    );
    planned_only!(
        Machine,
        "aws_instance",
        Block::new()
            .optional("instance_type", Type::String, "Kind.")
            .optional("availability_zone", Type::String, "Where.")
            .block(
                "root_block_device",
                NestedBlock {
                    nesting: Nesting::List,
                    block: Block::new()
                        .optional("volume_type", Type::String, "Kind.")
                        .optional("volume_size", Type::Number, "GiB.")
                        .optional("iops", Type::Number, "Operations a second.")
                        .optional("throughput", Type::Number, "MiB a second."),
                    min_items: 0,
                    max_items: 1,
                }
            )
            .computed("id", Type::String, "Name.")
    );

    /// The plan's deferred checks, and everything that is said, with its lines.
    async fn plan(main: &str) -> (Vec<String>, String, bool, Option<Estimate>) {
        let mut session = Session::new();
        let cloud: Arc<dyn Factory> = Arc::new(Cloud);
        session.registry = Registry::new([cloud, Arc::new(provider_core::Builtin::default())]);
        let world = FixedWorld::with_files([("main.tf", main)]);
        let world_ref: &dyn World = &world;
        let (configuration, found) = config::load(LoadRequest {
            root: Path::new("."),
            world: world_ref,
            sources: SourceMap::new(),
        });
        assert!(!found.has_errors(), "the test is a configuration");
        let configuration = Arc::new(configuration);
        let inputs = BTreeMap::new();
        let stack = Stack {
            configuration: Arc::clone(&configuration),
            inputs: inputs.clone(),
            decisions: Vec::new(),
            deferred_checks: Vec::new(),
            origins: crate::session::Origins::new(),
            components: Vec::new(),
        };
        let snapshot = StateSnapshot::default();
        let (plan, found) =
            session.plan_unchecked(stack, &snapshot, plan::Options::default()).await;
        let text = |found: &Diagnostics| {
            report::diagnostics::all_text(found, &configuration.sources, report::Style::PLAIN)
        };
        let mut plan = plan.unwrap_or_else(|| panic!("a plan: {}", text(&found)));
        let bench = Bench {
            session: &session,
            configuration: &configuration,
            inputs: &inputs,
            snapshot: &snapshot,
            components: &[],
        };
        let found = bench.judge(&mut plan);
        let estimate = bench.estimate(&plan).ok().map(|(estimate, _)| estimate);
        (plan.deferred_checks, text(&found), found.has_errors(), estimate)
    }

    #[tokio::test]
    async fn a_wrong_volume_is_refused_at_its_line() {
        let (deferred, text, refused, _) = plan(
            "resource \"aws_ebs_volume\" \"a\" {\n  availability_zone = \"us-east-1a\"\n  type      = \"gp3\"\n  size      = 10\n  iops      = 16000\n  encrypted = true\n}\n",
        )
        .await;
        assert!(refused, "{text}");
        for part in [
            "stratiform::check::C-31",
            "16000 IOPS, but 10 GiB allow 5000",
            "main.tf:5:3",
            "concerns `aws_ebs_volume.a`",
            "source: EC2 API reference, CreateVolume",
            "write `iops = 5000`, or `size = 32`",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(deferred.is_empty(), "{deferred:?}");
    }

    #[tokio::test]
    async fn an_exception_sets_a_finding_aside_and_shows_it() {
        let (_, text, refused, _) = plan(
            "stack {\n  exception \"C-31\" {\n    address = \"aws_ebs_volume.a\"\n    reason  = \"raised for us\"\n    until   = \"2999-01-01\"\n  }\n}\nresource \"aws_ebs_volume\" \"a\" {\n  count     = 2\n  availability_zone = \"us-east-1a\"\n  type      = \"gp3\"\n  size      = 10\n  iops      = 16000\n  encrypted = true\n}\n",
        )
        .await;
        assert!(!refused, "{text}");
        assert!(text.contains("C-31 is set aside until 2999-01-01"), "{text}");
        assert!(text.contains("raised for us"), "{text}");
    }

    #[tokio::test]
    async fn what_is_not_known_yet_is_listed() {
        let (deferred, text, refused, _) = plan(
            "resource \"terraform_data\" \"size\" { input = 10 }\nresource \"aws_ebs_volume\" \"a\" {\n  availability_zone = \"us-east-1a\"\n  type      = \"gp3\"\n  size      = terraform_data.size.output\n  iops      = 16000\n  encrypted = true\n}\n",
        )
        .await;
        assert!(!refused, "{text}");
        assert_eq!(deferred, ["aws_ebs_volume.a: C-31 gp3 volumes, once `size` is known"]);
    }

    #[tokio::test]
    async fn machines_of_a_misspelt_type_are_told_and_known_ones_priced_in_their_region() {
        let (_, text, refused, estimate) = plan(
            "provider \"aws\" {\n  region = \"us-east-1\"\n}\nresource \"aws_instance\" \"a\" {\n  instance_type = \"p5.48xlargee\"\n}\nresource \"aws_instance\" \"b\" {\n  instance_type = \"p5.48xlarge\"\n  root_block_device {\n    volume_type = \"gp3\"\n    volume_size = 100\n    iops        = 3000\n    throughput  = 1000\n  }\n}\n",
        )
        .await;
        assert!(refused, "{text}");
        assert!(text.contains("did you mean `p5.48xlarge`?"), "{text}");
        assert!(text.contains("1000 MiB/s, but 3000 IOPS allow 750"), "{text}");
        let estimate = estimate.expect("the catalog can be read");
        assert_eq!(estimate.after.low.to_string(), "55.04");
        assert!(estimate.incomplete, "the misspelt one has no price");
    }

    #[tokio::test]
    async fn plans_without_such_resources_are_not_looked_at() {
        let (deferred, text, refused, _) =
            plan("resource \"terraform_data\" \"a\" { input = 1 }\n").await;
        assert!(deferred.is_empty() && text.is_empty() && !refused);
    }
}
