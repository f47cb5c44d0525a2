//! Random documents from a seed: trees in all styles, soups of fragments, and mutations.

use crate::words::{KEYS, PLAIN, SPECIAL, TAGS};

#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

pub(crate) struct Generator {
    random: Random,
    out: String,
    anchors: usize,
    line_break: &'static str,
    calm: bool,
}

/// One document; the same for the same seed.
pub(crate) fn document(seed: u64) -> String {
    let mut generator = Generator {
        random: Random::new(seed),
        out: String::new(),
        anchors: 0,
        line_break: "\n",
        calm: false,
    };
    generator.calm = generator.random.chance(60);
    match generator.random.below(10) {
        0 | 1 => generator.soup(),
        2..=5 => generator.tree(),
        _ => {
            generator.tree();
            generator.mutate();
        }
    }
    generator.out
}

impl Generator {
    fn soup(&mut self) {
        for _ in 0..=self.random.below(30) {
            let piece = match self.random.below(8) {
                0 => self.random.pick(PLAIN),
                1 => self.random.pick(KEYS),
                2 => self.random.pick(TAGS),
                _ => self.random.pick(SPECIAL),
            };
            self.out.push_str(piece);
        }
    }

    fn mutate(&mut self) {
        for _ in 0..=self.random.below(3) {
            let mut at = self.random.below(self.out.len() + 1);
            while !self.out.is_char_boundary(at) {
                at -= 1;
            }
            match self.random.below(3) {
                0 => self.out.insert_str(at, self.random.pick(SPECIAL)),
                1 => self.out.insert_str(at, self.random.pick(PLAIN)),
                _ => {
                    if at < self.out.len() {
                        self.out.remove(at);
                    }
                }
            }
        }
    }

    fn tree(&mut self) {
        self.line_break = match self.random.below(20) {
            0..=2 => "\r\n",
            3 => "\r",
            _ => "\n",
        };
        if self.random.chance(5) {
            let directive = self.random.pick(&[
                "%YAML 1.1",
                "%YAML 1.2",
                "%TAG !e! tag:e.org,2000:",
                "%TAG ! !x",
                "%FOO bar",
                "%YAML 1.1 # c",
            ]);
            self.out.push_str(directive);
            self.end();
            self.out.push_str("---");
            self.end();
        } else if self.random.chance(15) {
            self.out.push_str("---");
            if self.random.chance(30) {
                self.value(0, 3, Place::Root);
                return self.tail();
            }
            self.end();
        }
        if self.random.chance(10) {
            self.out.push_str("# leading comment: x");
            self.end();
        }
        let indent = if self.random.chance(10) {
            self.random.below(4)
        } else {
            0
        };
        match self.random.below(10) {
            0 => self.value(indent, 3, Place::Root),
            1 => self.list(indent, 4),
            _ => self.map(indent, 4),
        }
        self.tail();
    }

    fn tail(&mut self) {
        match self.random.below(20) {
            0 => self.out.push_str("..."),
            1 => self.out.push_str("---\nb: 2\n"),
            2 => self.out.push_str("...\n# c\n"),
            3 => {
                self.out.pop();
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        if self.random.chance(6) {
            let comment = self
                .random
                .pick(&[" # c", "  # it's: [x", "\t# t", " #", "#no", " "]);
            self.out.push_str(comment);
        }
        self.out.push_str(self.line_break);
        if self.random.chance(4) {
            let filler =
                self.random
                    .pick(&["\n", "  \n", "# c\n", "      # far\n", "\t\n", "\n\n"]);
            self.out.push_str(filler);
        }
    }

    fn spaces(&mut self, n: usize) {
        let odd = !self.calm && self.random.chance(3);
        let n = if odd { n + self.random.below(3) } else { n };
        self.out.extend(std::iter::repeat_n(' ', n));
    }

    fn map(&mut self, indent: usize, depth: usize) {
        for index in 0..=self.random.below(5) {
            if index > 0 || indent == 0 || self.out.ends_with(['\n', '\r']) {
                self.spaces(indent);
            }
            self.key();
            self.out.push(':');
            self.value(indent, depth, Place::Key);
        }
    }

    fn key(&mut self) {
        if self.calm && self.random.chance(85) {
            let key = self.random.below(12);
            self.out.push_str(&format!("k{key}"));
            return;
        }
        if self.random.chance(3) {
            let scalar = self.random.pick(PLAIN);
            self.out.push_str(scalar);
            return;
        }
        if self.random.chance(3) {
            self.anchor();
        }
        if self.random.chance(2) && self.anchors > 0 {
            self.alias();
            self.out.push(' ');
            return;
        }
        let key = self.random.pick(KEYS);
        self.out.push_str(key);
        if self.random.chance(3) {
            self.out.push(' ');
        }
    }

    fn anchor(&mut self) {
        let number = if self.random.chance(10) {
            0
        } else {
            self.anchors
        };
        self.anchors += 1;
        self.out.push_str(&format!("&a{number} "));
    }

    fn alias(&mut self) {
        let number = self.random.below(self.anchors + usize::from(!self.calm));
        self.out.push_str(&format!("*a{number}"));
    }

    fn list(&mut self, indent: usize, depth: usize) {
        for index in 0..=self.random.below(4) {
            if index > 0 || indent == 0 || self.out.ends_with(['\n', '\r']) {
                self.spaces(indent);
            }
            self.out.push('-');
            self.value(indent, depth, Place::Dash);
        }
    }

    fn value(&mut self, indent: usize, depth: usize, place: Place) {
        let merge = self.out.ends_with("<<:");
        if merge && self.anchors > 0 && self.random.chance(80) {
            self.out.push(' ');
            if self.random.chance(30) {
                self.out.push('[');
                for _ in 0..=self.random.below(2) {
                    self.alias();
                    self.out.push_str(", ");
                }
                self.out.push(']');
            } else {
                self.alias();
            }
            return self.end();
        }
        let before = self.out.len();
        if self.random.chance(10) || (merge && self.random.chance(50)) {
            self.out.push(' ');
            self.anchor();
            self.out.pop();
        }
        if self.random.chance(if self.calm { 2 } else { 6 }) {
            self.out.push(' ');
            let tag = self.random.pick(TAGS);
            self.out.push_str(tag);
        }
        let decorated = self.out.len() > before;
        let kinds = if depth == 0 { 12 } else { 22 };
        match self.random.below(kinds) {
            0 => self.end(),
            1..=5 => self.inline(Self::plain),
            6 | 7 => self.inline(|g| g.quoted(indent)),
            8 => self.block_scalar(indent, place),
            9 if self.anchors > 0 && !decorated => self.inline(Self::alias),
            9 | 10 => self.inline(|g| g.folded(indent)),
            11 => self.inline(|g| g.flow(indent, 2)),
            12..=17 if !matches!(place, Place::Dash) || decorated => {
                self.end();
                let step = 1 + self.random.below(4);
                self.map(indent + step, depth - 1);
            }
            12..=17 => {
                let gap = if self.random.chance(80) {
                    1
                } else {
                    1 + self.random.below(3)
                };
                self.spaces(gap);
                self.map(indent + 1 + gap, depth - 1);
            }
            18..=20 if !matches!(place, Place::Dash) => {
                self.end();
                let step = if self.random.chance(50) {
                    0
                } else {
                    1 + self.random.below(3)
                };
                self.list(indent + step, depth - 1);
            }
            18..=20 => {
                self.out.push(' ');
                self.list(indent + 2, depth - 1);
            }
            _ => self.inline(|g| g.flow(indent, 3)),
        }
    }

    fn inline(&mut self, write: impl FnOnce(&mut Self)) {
        self.out.push(' ');
        if self.random.chance(3) {
            let gap = self.random.pick(&[" ", "\t", "  \t"]);
            self.out.push_str(gap);
        }
        write(self);
        self.end();
    }

    fn plain(&mut self) {
        let text = if self.calm && self.random.chance(50) {
            self.random
                .pick(&["x", "abc", "1", "true", "nginx:1.2", "8080", "hello world"])
        } else {
            self.random.pick(PLAIN)
        };
        self.out.push_str(text);
    }

    fn quoted(&mut self, indent: usize) {
        let double = self.random.chance(60);
        let quote = if double { '"' } else { '\'' };
        self.out.push(quote);
        for _ in 0..self.random.below(5) {
            let piece = match self.random.below(6) {
                0 if double => self.random.pick(&[
                    "\\n",
                    "\\t",
                    "\\\"",
                    "\\\\",
                    "\\x41",
                    "\\u00e4",
                    "\\U0001F600",
                    "\\0",
                    "\\ ",
                    "\\/",
                    "\\_",
                    "\\N",
                    "\\L",
                    "\\P",
                    "\\e",
                    "\\a",
                    "\\q",
                    "\\ud800",
                    "\\'",
                    "\\\t",
                ]),
                0 => "''",
                1 => {
                    self.out.push_str(self.random.pick(&["", " ", "  \t"]));
                    if double && self.random.chance(30) {
                        self.out.push('\\');
                    }
                    self.out.push_str(self.line_break);
                    if self.random.chance(30) {
                        self.out
                            .push_str(self.random.pick(&["\n", " \n", "\n\n", "\u{2028}"]));
                    }
                    self.spaces(indent + 1);
                    "x"
                }
                2 => " ",
                _ => self.random.pick(&[
                    "a", "b c", "ä", "#", ": ", "{{ x }}", "- ", "日", "'\"", "yes", "1",
                ]),
            };
            if piece == "'\"" {
                self.out.push(if double { '\'' } else { '"' });
            } else {
                self.out.push_str(piece);
            }
        }
        self.out.push(quote);
    }

    fn folded(&mut self, indent: usize) {
        self.out.push_str("first");
        for _ in 0..self.random.below(4) {
            self.out.push_str(self.random.pick(&["", " ", "\t"]));
            self.out.push_str(self.line_break);
            if self.random.chance(20) {
                self.out.push_str(
                    self.random
                        .pick(&["\n", "  \n", "\u{85}", "\u{2028}", "\t\n"]),
                );
            }
            let more = self.random.below(3);
            self.spaces(indent + 1 + more);
            let word = self.random.pick(&[
                "second", "- third", "a#b", "it's", "\tx", "x y", "# c", "ä", "k: v",
            ]);
            self.out.push_str(word);
        }
    }

    fn block_scalar(&mut self, indent: usize, place: Place) {
        self.out.push(' ');
        self.out.push_str(self.random.pick(&["|", ">"]));
        let base = if matches!(place, Place::Root) {
            0
        } else {
            indent
        };
        let step = 1 + self.random.below(4);
        let digit = self.random.chance(20);
        let chomp = self.random.pick(&["", "", "-", "+"]);
        let shown = if self.random.chance(90) {
            step
        } else {
            self.random.below(10)
        };
        if digit && self.random.chance(50) {
            self.out.push_str(&format!("{shown}{chomp}"));
        } else if digit {
            self.out.push_str(&format!("{chomp}{shown}"));
        } else {
            self.out.push_str(chomp);
        }
        self.out
            .push_str(self.random.pick(&["", "", "", " # c", "  "]));
        self.out.push_str(self.line_break);
        for _ in 0..self.random.below(6) {
            if self.random.chance(25) {
                self.out.push_str(self.random.pick(&[
                    "",
                    "",
                    "  ",
                    "          ",
                    "\t",
                    "\u{2028}",
                ]));
                self.out.push_str(self.line_break);
                continue;
            }
            let extra = if self.random.chance(20) {
                self.random.below(3)
            } else {
                0
            };
            self.spaces(base + step + extra);
            let line = self.random.pick(&[
                "text",
                "a: b",
                "# no comment",
                "- x",
                "{{ .x }}",
                "\ttab",
                "ä日",
                "x  ",
                "'",
                "\"",
                "end\t",
            ]);
            self.out.push_str(line);
            self.out.push_str(self.line_break);
        }
    }

    fn flow(&mut self, indent: usize, depth: usize) {
        let map = self.random.chance(50);
        self.out.push(if map { '{' } else { '[' });
        let count = self.random.below(4);
        for index in 0..count {
            self.gap(indent);
            if map || self.random.chance(15) {
                if self.random.chance(5) {
                    self.out.push_str("? ");
                }
                self.key();
                if self.random.chance(90) {
                    self.out.push(':');
                    if self.random.chance(90) {
                        self.out.push(' ');
                    }
                }
            }
            match self.random.below(8) {
                0 if depth > 0 => self.flow(indent, depth - 1),
                1 => self.quoted(indent),
                2 if self.anchors > 0 => self.alias(),
                3 => {}
                _ => self.plain(),
            }
            self.gap(indent);
            if index + 1 < count || self.random.chance(10) {
                self.out.push(',');
            }
        }
        self.out.push(if map { '}' } else { ']' });
    }

    fn gap(&mut self, indent: usize) {
        if self.random.chance(10) {
            if self.random.chance(20) {
                self.out.push_str(" # c");
            }
            self.out.push_str(self.line_break);
            let n = self.random.below(indent + 4);
            self.spaces(n);
        } else if self.random.chance(40) {
            self.out.push(' ');
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Root,
    Key,
    Dash,
}
