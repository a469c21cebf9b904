//! `catalog`: what backends sell, and what is known about it.

use catalog::offer::{offers, same_chip};
use catalog::{Catalog, CatalogError, Filter, MAX_AGE_DAYS, Purchase};
use lang::World;
use report::Style;
use report::catalog::Table;

use super::{fail_message, fail_with};
use crate::args::{CatalogCommand, CatalogFilter};
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal;

/// Where `catalog update` puts a user's tables.
const UPDATED: &str = ".stratiform/catalog.tsv";
/// A table that lies beside the configuration, for reviews to see.
const BESIDE: &str = "stratiform.catalog.tsv";

/// The catalog that the binary carries, with the user's tables over it.
pub(crate) fn load(world: &dyn World) -> Result<Catalog, CatalogError> {
    let embedded = modules::files().iter().filter(|(name, _)| name.ends_with(".tsv"));
    let embedded =
        embedded.filter_map(|(name, bytes)| Some((*name, std::str::from_utf8(bytes).ok()?)));
    let mut catalog = Catalog::read(embedded)?;
    for path in [UPDATED, BESIDE] {
        if world.exists(std::path::Path::new(path)) {
            let bytes = world.read_file(std::path::Path::new(path)).unwrap_or_default();
            catalog = catalog.overlay(path, &String::from_utf8_lossy(&bytes))?;
        }
    }
    Ok(catalog)
}

/// Days since 1970 at the start of this run.
pub(crate) fn today(world: &dyn World) -> i64 {
    const NANOS_PER_DAY: u128 = 86_400_000_000_000;
    i64::try_from(world.plan_time_unix_nanos() / NANOS_PER_DAY).unwrap_or(i64::MAX)
}

/// Seconds since 1970 at which the run began.
pub(crate) fn now_s(world: &dyn World) -> i64 {
    i64::try_from(world.plan_time_unix_nanos() / 1_000_000_000).unwrap_or(i64::MAX)
}

/// Shows a table, or takes over a user's tables.
pub(crate) fn catalog(session: &Session, command: &CatalogCommand) -> Exit {
    let world: &dyn World = &*session.world;
    let style = terminal::style(true);
    let catalog = match load(world) {
        Ok(catalog) => catalog,
        Err(error) => return fail_with(error, style),
    };
    match command {
        CatalogCommand::Update { file } => update(&catalog, file, style),
        CatalogCommand::Offers(filter) => match wanted(filter) {
            Ok(wanted) => {
                let found = offers(&catalog, &wanted);
                show(&catalog, world, filter, report::catalog::offers(&catalog, &found))
            }
            Err(message) => fail_message(&message, style),
        },
        CatalogCommand::Chips(filter) => {
            let table = report::catalog::chips(&catalog, |chip| {
                is(&filter.name, &chip.name)
                    && filter
                        .accelerator
                        .as_ref()
                        .is_none_or(|wanted| same_chip(&chip.name, wanted))
            });
            show(&catalog, world, filter, table)
        }
        CatalogCommand::Types(filter) => {
            let table = report::catalog::types(&catalog, |machine| {
                let sold_in = |region: &String| {
                    let places = catalog.places(&machine.backend, &machine.name);
                    places.is_some_and(|places| places.iter().any(|place| place.region == *region))
                };
                is(&filter.backend, &machine.backend)
                    && is(&filter.name, &machine.name)
                    && filter.region.as_ref().is_none_or(sold_in)
                    && filter.accelerator.as_ref().is_none_or(|wanted| {
                        machine.chip.as_deref().is_some_and(|chip| same_chip(chip, wanted))
                    })
            });
            show(&catalog, world, filter, table)
        }
        CatalogCommand::Regions(filter) => {
            let table = report::catalog::regions(&catalog, |region| {
                is(&filter.backend, &region.backend)
                    && is(&filter.name, &region.name)
                    && is(&filter.region, &region.name)
            });
            show(&catalog, world, filter, table)
        }
        CatalogCommand::Prices(filter) => {
            let table = report::catalog::prices(&catalog, |price| {
                is(&filter.backend, &price.backend)
                    && is(&filter.name, &price.machine)
                    && is(&filter.purchase, price.purchase.name())
                    && filter.region.as_ref().is_none_or(|wanted| {
                        price.region.as_ref().is_none_or(|region| region == wanted)
                    })
            });
            show(&catalog, world, filter, table)
        }
    }
}

fn is(wanted: &Option<String>, found: &str) -> bool {
    wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
}

fn wanted(filter: &CatalogFilter) -> Result<Filter, String> {
    let purchase = filter.purchase.as_deref().map(|name| {
        Purchase::from_name(name).ok_or_else(|| {
            let names = Purchase::ALL.map(Purchase::name);
            format!("`-purchase={name}` is not one of `{}`", names.join("`, `"))
        })
    });
    let max_price = filter.max_price.as_deref().map(|text| {
        text.parse().map_err(|()| format!("`-max-price={text}` is not a number of US dollars"))
    });
    Ok(Filter {
        backend: filter.backend.clone(),
        chip: filter.accelerator.clone(),
        machine: filter.name.clone(),
        region: filter.region.clone(),
        purchase: purchase.transpose()?,
        max_price: max_price.transpose()?,
    })
}

fn show(catalog: &Catalog, world: &dyn World, filter: &CatalogFilter, table: Table) -> Exit {
    let all = table.len();
    let table = table.first(filter.limit.unwrap_or(usize::MAX));
    if filter.json {
        terminal::line(&format!("{:#}", table.json()));
        return Exit::Success;
    }
    if table.is_empty() {
        terminal::line("Nothing in the catalog fits these filters.");
        return Exit::Success;
    }
    terminal::print(&table.text());
    if table.len() < all {
        terminal::line(&format!("… and {} more", all - table.len()));
    }
    let old = catalog.stale(today(world), MAX_AGE_DAYS);
    if !old.is_empty() {
        let names: Vec<String> =
            old.iter().map(|source| format!("{} ({})", source.id, source.date)).collect();
        terminal::error_line(&format!(
            "Warning: facts older than {MAX_AGE_DAYS} days: {}. `stratiform catalog update FILE` takes newer ones.",
            names.join(", ")
        ));
    }
    Exit::Success
}

/// Checks a user's tables and keeps them for later runs in this folder.
fn update(catalog: &Catalog, file: &str, style: Style) -> Exit {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return fail_message(&format!("`{file}` cannot be read: {error}"), style),
    };
    let new = match catalog.overlay(file, &text) {
        Ok(new) => new,
        Err(error) => return fail_with(error, style),
    };
    let before = catalog::sanity(catalog);
    let doubts: Vec<String> =
        catalog::sanity(&new).into_iter().filter(|doubt| !before.contains(doubt)).collect();
    let written =
        std::fs::create_dir_all(".stratiform").and_then(|()| std::fs::write(UPDATED, &text));
    if let Err(error) = written {
        return fail_message(&format!("`{UPDATED}` cannot be written: {error}"), style);
    }
    for doubt in doubts {
        terminal::error_line(&format!("Warning: {doubt}"));
    }
    terminal::line(&format!("The tables of `{file}` are in use in this folder, from `{UPDATED}`."));
    Exit::Success
}
