//! Quantities as upstream writes them back.

use crate::api::quantity::Quantity;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use std::collections::BTreeMap;

/// The canonical form of one quantity.
pub(super) fn canonical(quantity: &mut Text) {
    if let Some(written) = Quantity::canonical(&quantity.0) {
        quantity.0 = written;
    }
}

/// The canonical form of every quantity of a list.
pub(super) fn canonical_list(list: &mut BTreeMap<String, Text>) {
    list.values_mut().for_each(canonical);
}

/// Resource lists are rounded up to thousandths besides.
pub(super) fn rounded_list(list: &mut BTreeMap<String, Text>) {
    for quantity in list.values_mut() {
        canonical(quantity);
        // Only texts with a fraction or a tiny suffix can be finer than thousandths.
        if quantity.0.ends_with(['n', 'u']) || quantity.0.contains(['.', 'e', 'E']) {
            if let Ok(parsed) = Quantity::parse(&quantity.0) {
                let rounded = parsed.round_up_to_milli();
                if rounded != parsed {
                    quantity.0 = rounded.to_string();
                }
            }
        }
    }
}
