//! Defaulting (being built).
use super::Object;
pub fn apply(_object: &mut Object) {}
