//! One request's way: authentication, authorization, admission, decoding and validation, etcd.

mod request;

pub use request::*;
