//! Nothing that can be read makes the crate panic, and spans always fit the text.

use yaml::{
    Build, Entry, Limits, Span, Splitter, comments, decode, documents, looks_like_template,
};

use crate::generate::{self, Random};

/// Checks every span.
struct Checked<'t>(&'t str);

impl Checked<'_> {
    fn check(&self, span: Span) -> Span {
        let text = self.0.get(span.start as usize..span.end as usize);
        assert!(text.is_some(), "{span:?} in {:?}", self.0);
        span
    }

    fn inside(&self, outer: Span, inner: Span) {
        assert!(
            outer.start <= inner.start && inner.end <= outer.end,
            "{inner:?} outside of {outer:?} in {:?}",
            self.0
        );
    }
}

impl Build for Checked<'_> {
    type Node = (Span, bool);

    fn null(&mut self, span: Span) -> Self::Node {
        (self.check(span), false)
    }
    fn bool(&mut self, _: bool, span: Span) -> Self::Node {
        (self.check(span), false)
    }
    fn int(&mut self, _: i64, span: Span) -> Self::Node {
        (self.check(span), false)
    }
    fn uint(&mut self, _: u64, span: Span) -> Self::Node {
        (self.check(span), false)
    }
    fn float(&mut self, _: f64, span: Span) -> Self::Node {
        (self.check(span), false)
    }
    fn string(&mut self, _: &str, span: Span) -> Self::Node {
        (self.check(span), false)
    }
    fn list(&mut self, items: &[Self::Node], span: Span) -> Self::Node {
        if !self.0.contains('*') {
            for (inner, _) in items {
                self.inside(span, *inner);
            }
        }
        (self.check(span), true)
    }
    fn map(&mut self, entries: &[Entry<'_, Self::Node>], span: Span) -> Self::Node {
        for entry in entries {
            self.check(entry.key_span);
            if !entry.merged && !self.0.contains('*') {
                self.inside(span, entry.key_span);
                self.inside(span, entry.value.0);
                assert!(entry.key_span.end <= entry.value.0.start, "{:?}", self.0);
            }
        }
        (self.check(span), true)
    }
}

fn read_all(text: &str) {
    for raw in documents(text) {
        let _ = raw.parse(&Limits::default(), &mut Checked(&raw.text));
        comments(&raw.text).count();
    }
    for lenient in [false, true] {
        let options = yaml::json::Options { lenient };
        let _ = yaml::json::parse(text, options, &Limits::default(), &mut Checked(text));
    }
    let _ = looks_like_template(text);
}

#[test]
fn generated_documents_never_panic_and_spans_fit() {
    for seed in 0..20_000 {
        read_all(&generate::document(seed));
    }
}

#[test]
fn mutated_bytes_never_panic() {
    let mut random = Random::new(3);
    let seeds = [
        "a: &x [1, {b: \"c\\u00e4\"}, 'd']\n<<: *x\ne: |2-\n   f\n--- !!str\n? g\n: %h\n...\n",
        "{\"a\": [1.5e3, \"\\ud83d\\ude00\", null], // c\n \"b\": {}, /* d */ }\n",
        "%YAML 1.1\n%TAG !e! tag:x,1:\n---\n- !e!y >+1\n  z\n\n- {{ .Values.x }}\n",
    ];
    for round in 0..30_000 {
        let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len().max(1));
            if bytes.is_empty() {
                break;
            }
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => {
                    bytes.remove(at);
                }
                2 => bytes.insert(at, random.next() as u8),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Ok(text) = decode(&bytes) {
            read_all(&text);
        }
        for raw in Splitter::with_limit(&*bytes, 40).flatten() {
            let _ = raw.parse(&Limits::default(), &mut Checked(&raw.text));
        }
    }
}

/// The scanner does not get past a NUL by itself.
#[test]
fn a_nul_ends_comments() {
    for text in ["# a\n[\0 # b\n", "# a\n{\0: 1} # b\n", "# a\n\0 # b\n"] {
        assert_eq!(comments(text).collect::<Vec<_>>(), [(1, "# a")]);
    }
}

#[test]
fn depth_does_not_use_the_stack() {
    for open in ["[", "{a: ", "- ", "? ", "{\"a\":[", "[{"] {
        let text = open.repeat(200_000);
        let limits = Limits {
            depth: usize::MAX,
            ..Limits::default()
        };
        assert!(yaml::parse(&text, &limits, &mut Checked(&text)).is_err() || open == "- ");
        let options = yaml::json::Options::default();
        assert!(yaml::json::parse(&text, options, &limits, &mut Checked(&text)).is_err());
    }
}
