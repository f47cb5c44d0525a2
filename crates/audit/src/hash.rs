//! Hashes for tables of this process. Where others choose the names, what they come to is another in every process, so
//! that nobody can choose many that have the same.

use std::hash::{BuildHasher, Hasher, RandomState};

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_secret};

/// Numbers that are hashes already.
#[derive(Debug, Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}

/// Hashes texts, which are looked up for every event.
#[derive(Debug, Clone)]
pub(crate) struct Texts(u64);

impl Default for Texts {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Texts {
    type Hasher = Text;

    fn build_hasher(&self) -> Text {
        Text(self.0)
    }
}

/// Hashes one.
#[derive(Debug)]
pub(crate) struct Text(u64);

impl Hasher for Text {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // The end of a text: nothing is hashed but whole ones.
    fn write_u8(&mut self, _: u8) {}
}

/// Makes numbers so large that no two texts have the same.
#[derive(Debug)]
pub(crate) struct Secret([u8; 192]);

impl Default for Secret {
    fn default() -> Self {
        let chance = RandomState::new();
        let mut secret = [0; 192];
        for (number, part) in secret.chunks_exact_mut(8).enumerate() {
            part.copy_from_slice(&chance.hash_one(number).to_le_bytes());
        }
        Self(secret)
    }
}

impl Secret {
    pub(crate) fn number(&self, text: &[u8]) -> u128 {
        xxh3_128_with_secret(text, &self.0)
    }
}
