//! An outcome in curl's words.
//!
//! Source: curl 8, `lib/strerror.c`, `lib/connect.c`, `lib/multi.c`.

use super::{Outcome, Trace};

/// What curl prints after its name, and its exit code.
#[derive(Clone, Debug, PartialEq)]
pub struct CurlError {
    pub code: i32,
    pub message: String,
}

impl std::fmt::Display for CurlError {
    /// `curl: (7) Failed to connect to …`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "curl: ({}) {}", self.code, self.message)
    }
}

impl Trace {
    /// `None` when an answer came, or when the API server is to give it.
    pub fn curl_error(&self) -> Option<CurlError> {
        let (host, port, millis) = (&self.request.host, self.request.port, self.total.as_millis());
        let failed = || {
            format!("Failed to connect to {host} port {port} after {millis} ms: Couldn't connect to server")
        };
        let (code, message) = match self.outcome {
            Outcome::Http(_) | Outcome::ApiServer => return None,
            Outcome::NameNotResolved => (6, format!("Could not resolve host: {host}")),
            Outcome::Refused | Outcome::Unreachable => (7, failed()),
            // The kernel gave up before curl did.
            Outcome::Timeout
                if self
                    .request
                    .connect_timeout
                    .is_none_or(|limit| limit > self.total) =>
            {
                (28, failed())
            }
            Outcome::Timeout => (28, format!("Connection timed out after {millis} milliseconds")),
            Outcome::NotHttp => (52, "Empty reply from server".to_owned()),
        };
        Some(CurlError { code, message })
    }
}
