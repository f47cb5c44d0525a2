//! Whatever the text, reading it ends, soon, with places that are places in it.

use std::time::{Duration, Instant};

use bicep::source::FileId;
use bicep::syntax;
use bumpalo::Bump;

use super::generate::Random;

const SEEDS: [&str; 3] = [
    "@description('x')\nparam a string = 'b${c['d']}e'\nvar f = [for (g, h) in i: { j: k ? l : m }]\n",
    "resource a 'b/c@1' = if (!d) {\n  name: '''\ne\n'''\n  ...f\n  resource g 'h' existing = { i: j!.?k[?^0]::l }\n}\n",
    "type a = {\n  @b()\n  c: ('d' | -1)[]?\n  *: resourceInput<'e@1'>.f[*].*\n}\nfunc g(h int) int => (i, j) => $'''${i}'''\n",
];

const PIECES: [&str; 24] = [
    "'",
    "'''",
    "${",
    "}",
    "{",
    "[",
    "]",
    "(",
    ")",
    "\n",
    "@",
    "=",
    "=>",
    "?",
    ":",
    "::",
    "...",
    "$'''",
    "//",
    "/*",
    "#disable-next-line",
    "for",
    "é",
    "\\u{",
];

fn read(text: &str) {
    let bump = Bump::new();
    for parse in [syntax::parse, syntax::parse_parameters] {
        let (program, problems) = parse(&bump, text, FileId(0));
        for problem in &problems {
            let span = problem.span;
            assert!(
                text.get(span.start as usize..span.end as usize).is_some(),
                "{problem:?} in {text:?}"
            );
        }
        for statement in program.statements {
            let span = statement.span;
            assert!(
                text.get(span.start as usize..span.end as usize).is_some(),
                "{statement:?} in {text:?}"
            );
        }
        let _ = syntax::print(&program);
    }
}

#[test]
fn cut_and_broken_texts_are_read_to_their_end() {
    for seed in SEEDS {
        for at in 0..seed.len() {
            if seed.is_char_boundary(at) {
                read(&seed[..at]);
                read(&seed[at..]);
            }
        }
    }
    let mut random = Random::new(7);
    for _ in 0..20_000 {
        let mut text = SEEDS[random.next(SEEDS.len())].to_owned();
        for _ in 0..=random.next(4) {
            let at = random.next(text.len() + 1);
            if !text.is_char_boundary(at) {
                continue;
            }
            let end = (at + random.next(6)).min(text.len());
            if random.next(2) == 0 || !text.is_char_boundary(end) {
                text.insert_str(at, PIECES[random.next(PIECES.len())]);
            } else {
                text.replace_range(at..end, "");
            }
        }
        read(&text);
    }
}

#[test]
fn depth_is_bounded() {
    let many = 100_000;
    for (open, middle, close) in [
        ("[", "", "]"),
        ("[", "1", "]"),
        ("{a:", "1", "}"),
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("!", "a", ""),
        ("-", "1", ""),
        ("a ? ", "b", " : c"),
        ("a ? b : ", "c", ""),
        ("x => ", "y", ""),
        ("'${", "a", "}'"),
        ("[for a in b: ", "c", "]"),
        ("a[", "0", "]"),
    ] {
        let text = format!(
            "var x = {}{middle}{}\n",
            open.repeat(many),
            close.repeat(many)
        );
        read(&text);
    }
    for link in [".a", "[0]", "!", "::a", ".f()", " + 1", " && a", " ?? a"] {
        read(&format!("var x = a{}\n", link.repeat(many)));
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("{ a: ", "}"), ("f<", ">")] {
        read(&format!(
            "type x = {}string{}\n",
            open.repeat(many),
            close.repeat(many)
        ));
    }
    for link in ["[]", "?", "!", ".a", "[*]", ".*", " | 'a'"] {
        read(&format!("type x = string{}\n", link.repeat(many)));
    }
    read(&"resource a 'b' = {\n".repeat(many / 10));
    read(&"@a(".repeat(many));
    read(&format!("@a{}\nparam x string", ".a".repeat(many)));
}

#[test]
fn a_deep_but_sane_text_is_read() {
    let depth = 40;
    let text = format!(
        "var x = {}1{}\n",
        "[{ a: f(".repeat(depth),
        ") }]".repeat(depth)
    );
    assert_eq!(super::problems(&text), [""; 0]);
}

#[test]
fn time_grows_with_the_text_only() {
    for piece in [
        "[", "}", "'${", "(\n", "{\n", "\n//\n", "@a\n", "a ?\n", "param\n", "/*", "$", "'''",
    ] {
        let text = piece.repeat(200_000 / piece.len());
        let start = Instant::now();
        read(&text);
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{piece:?}: {:?}",
            start.elapsed()
        );
    }
}
