//! The state hash: one number for everything the machine knows.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// Hashes state in a fixed byte order, the same natively and in wasm.
#[derive(Default)]
pub struct StateHasher(SipHasher13);

impl StateHasher {
    pub fn new() -> Self {
        StateHasher(SipHasher13::new())
    }

    /// A length-prefixed run of bytes, so that ("ab", "c") and ("a", "bc") differ.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.write(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub fn number(&mut self, number: u64) {
        self.0.write(&number.to_le_bytes());
    }

    /// 32 hexadecimal digits.
    pub fn finish(&self) -> String {
        let hash = self.0.finish128();
        format!("{:016x}{:016x}", hash.h1, hash.h2)
    }
}
