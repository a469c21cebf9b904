//! Machine types joined with where they are sold and what they cost there.

use crate::catalog::Catalog;
use crate::fact::{MachineType, Place, Price, Purchase};
use crate::money::UsdPerHour;

/// Something that can be bought: a machine, in a region, in a way.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// The machine.
    pub machine: &'a MachineType,
    /// Where; `None` if only that it is sold is known.
    pub place: Option<Place>,
    /// How.
    pub purchase: Purchase,
    /// For how much; `None` if that is not known.
    pub price: Option<&'a Price>,
}

/// Which offers are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The backend.
    pub backend: Option<String>,
    /// The accelerator. `A100` means every kind of it.
    pub chip: Option<String>,
    /// The machine type.
    pub machine: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// How it is bought.
    pub purchase: Option<Purchase>,
    /// The most that it may cost. What has no known price is left out then.
    pub max_price: Option<UsdPerHour>,
}

impl Offer<'_> {
    /// Machine, region and way to buy: unique within a backend.
    pub fn name(&self) -> String {
        let region = self.place.as_ref().map_or("*", |place| &place.region);
        format!("{}/{region}/{}", self.machine.name, self.purchase)
    }

    /// What an accelerator of it costs at least.
    pub fn usd_per_chip_hour(&self) -> Option<UsdPerHour> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "prices are far below 2⁵³ millionths, and the quotient is not negative"
        )]
        let divided = |price: &Price| UsdPerHour((price.low.0 as f64 / self.machine.chips) as u64);
        self.price.filter(|_| self.machine.chips > 0.0).map(divided)
    }
}

impl Filter {
    fn machine(&self, machine: &MachineType) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        let chip = self.chip.as_deref().is_none_or(|wanted| {
            machine.chip.as_deref().is_some_and(|chip| same_chip(chip, wanted))
        });
        is(&self.backend, &machine.backend) && is(&self.machine, &machine.name) && chip
    }
}

/// Whether a chip is what somebody calls so, capitals and memory aside: `a100` is `A100-80GB`.
pub fn same_chip(chip: &str, wanted: &str) -> bool {
    let rest = chip.get(..wanted.len()).filter(|start| start.eq_ignore_ascii_case(wanted));
    rest.is_some_and(|_| chip.len() == wanted.len() || chip[wanted.len()..].starts_with('-'))
}

/// The offers that a filter wants: the cheapest first, those without a price last, then by name.
pub fn offers<'a>(catalog: &'a Catalog, filter: &Filter) -> Vec<Offer<'a>> {
    let mut found = Vec::new();
    for machine in catalog.types.values().filter(|machine| filter.machine(machine)) {
        // A backend without regions of its own sells everywhere.
        let places = catalog.places(&machine.backend, &machine.name);
        let places = places
            .map_or_else(|| vec![None], |places| places.into_iter().map(Some).collect::<Vec<_>>());
        for place in places {
            if let Some(wanted) = &filter.region
                && place.as_ref().is_none_or(|place| place.region != *wanted)
            {
                continue;
            }
            for &purchase in &machine.purchase {
                let region = place.as_ref().map_or("*", |place| &place.region);
                let price = catalog.price(&machine.backend, &machine.name, region, purchase);
                found.push(Offer { machine, place: place.clone(), purchase, price });
            }
        }
    }
    found.retain(|offer| {
        let cheap = |max| offer.price.is_some_and(|price| price.low <= max);
        filter.purchase.is_none_or(|way| way == offer.purchase)
            && filter.max_price.is_none_or(cheap)
    });
    found.sort_by_cached_key(|offer| {
        let price = offer.price.map(|price| price.low);
        (price.is_none(), price, offer.machine.backend.clone(), offer.name())
    });
    found
}
