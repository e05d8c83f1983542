//! Label and field selectors (being built).

/// A label selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {}

/// A field selector.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSelector {}
