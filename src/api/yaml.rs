//! Reading and writing YAML as Kubernetes does.

use serde_json::Value;

/// One YAML document as a JSON value.
#[derive(Debug, Default)]
pub struct Document {
    pub value: Value,
}

/// Why a text is not YAML.
#[derive(Debug)]
pub struct YamlError {
    message: String,
}

impl YamlError {
    /// The error as Go's yaml package prints it.
    pub fn go_text(&self) -> String {
        format!("yaml: {}", self.message)
    }
}

impl Document {
    /// What strict decoding says about duplicate keys, if there are any.
    pub fn duplicates_text(&self) -> Option<String> {
        None
    }
}

/// Reads a text that holds one document.
pub fn read_one(text: &str) -> Result<Document, YamlError> {
    match serde_yaml::from_str(text) {
        Ok(value) => Ok(Document { value }),
        Err(error) => Err(YamlError { message: error.to_string() }),
    }
}
