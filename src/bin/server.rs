//! The native server: the same machine, spoken to over HTTP.

fn main() {}
