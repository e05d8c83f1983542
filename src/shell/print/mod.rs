//! How text is laid out: tab columns, YAML, JSON, ages.

pub mod columns;
pub mod gotemplate;
pub mod json;
pub mod jsonpath;
pub mod times;

/// YAML as the API knows it, under the name the printers use.
pub mod yaml {
    pub use crate::api::yaml::to_yaml as document;
}

pub use columns::TabWriter;
