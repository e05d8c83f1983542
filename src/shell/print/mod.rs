//! How text is laid out: tab columns, YAML, JSON, ages.

pub mod columns;
pub mod gotemplate;
pub mod json;
pub mod jsonpath;
pub mod times;
pub mod yaml;

pub use columns::TabWriter;
