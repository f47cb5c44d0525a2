//! Texts as numbers: comparing two of them compares two integers.

use std::collections::HashMap;

/// A text's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Word(pub(crate) u32);

/// `*`
pub(crate) const STAR: Word = Word(0);

/// Every text that occurs in a role or binding.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    numbers: HashMap<Box<str>, Word>,
    texts: Vec<Box<str>>,
}

impl Default for Words {
    fn default() -> Self {
        let mut words = Self {
            numbers: HashMap::new(),
            texts: Vec::new(),
        };
        words.add("*");
        words
    }
}

impl Words {
    /// The number of a text, a new one for a new text.
    pub(crate) fn add(&mut self, text: &str) -> Word {
        if let Some(word) = self.numbers.get(text) {
            return *word;
        }
        let word = Word(self.texts.len() as u32);
        self.numbers.insert(text.into(), word);
        self.texts.push(text.into());
        word
    }

    /// The number of a text that occurs. Nothing but `*` can match one that does not.
    pub(crate) fn find(&self, text: &str) -> Option<Word> {
        self.numbers.get(text).copied()
    }

    /// The text.
    pub(crate) fn text(&self, word: Word) -> &str {
        self.texts.get(word.0 as usize).map_or("", |text| text)
    }
}
