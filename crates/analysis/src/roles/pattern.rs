//! Actions of Azure (`Microsoft.ContainerService/managedClusters/read`) and the patterns that roles write.
//!
//! A `*` stands for any characters, slashes among them, and case does not matter
//! (<https://learn.microsoft.com/azure/role-based-access-control/role-definitions>, "Actions format").

/// Whether a pattern with `*` matches a text, whatever their case.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    like(
        pattern.as_bytes(),
        text.as_bytes(),
        u8::eq_ignore_ascii_case,
        false,
    )
}

/// The same with regard to case.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let same = <u8 as PartialEq>::eq;
    like(pattern.as_bytes(), text.as_bytes(), same, false)
}

/// The same, where `/*/` may stand for nothing as well. Azure does not document it but goes by it: Managed
/// Identity Operator lists `…/userAssignedIdentities/*/assign/action` alone, suffices to assign identities
/// (<https://learn.microsoft.com/azure/aks/use-managed-identity>), and what is asked for then is
/// `…/userAssignedIdentities/assign/action`.
#[must_use]
pub fn matches_widely(pattern: &str, text: &str) -> bool {
    if matches(pattern, text) {
        return true;
    }
    // Few patterns have one such star, none more than two.
    let places: Vec<usize> = pattern
        .match_indices("/*/")
        .map(|(at, _)| at)
        .take(4)
        .collect();
    (1..1_usize << places.len()).any(|chosen| {
        let mut short = String::with_capacity(pattern.len());
        let mut from = 0;
        for (number, at) in places.iter().enumerate() {
            if chosen & (1 << number) != 0 && *at >= from {
                short.push_str(pattern.get(from..*at).unwrap_or_default());
                from = at + 2;
            }
        }
        short.push_str(pattern.get(from..).unwrap_or_default());
        matches(&short, text)
    })
}

/// The same as [`matches`] with `?` for one character, as `StringLike` of conditions has it.
pub(super) fn string_like(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let same = if ignore_case {
        u8::eq_ignore_ascii_case
    } else {
        <u8 as PartialEq>::eq
    };
    like(pattern.as_bytes(), text.as_bytes(), same, true)
}

fn like(pattern: &[u8], text: &[u8], same: fn(&u8, &u8) -> bool, one: bool) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on when a star has to take one character more.
    let mut again: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                again = Some((at + 1, from));
                at += 1;
            }
            Some(wanted) if same(wanted, byte) || (one && *wanted == b'?') => {
                at += 1;
                from += 1;
            }
            _ => match &mut again {
                Some((star, taken)) => {
                    *taken += 1;
                    at = *star;
                    from = *taken;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

/// Writes out patterns that share what they begin with: `a/{b,c/*} d` is `a/b`, `a/c/*` and `d`.
pub(super) fn expand(text: &str) -> Vec<Box<str>> {
    let mut out = Vec::new();
    // What an open brace was preceded by.
    let mut prefixes: Vec<String> = Vec::new();
    let mut here = String::new();
    let mut finish = |here: &mut String| {
        if !here.is_empty() {
            out.push(here.as_str().into());
        }
        here.clear();
    };
    for letter in text.chars() {
        match letter {
            ' ' => {
                finish(&mut here);
                prefixes.clear();
            }
            '{' => prefixes.push(here.clone()),
            ',' => {
                finish(&mut here);
                here.push_str(prefixes.last().map_or("", String::as_str));
            }
            '}' => {
                finish(&mut here);
                prefixes.pop();
            }
            other => here.push(other),
        }
    }
    finish(&mut here);
    out
}

#[cfg(test)]
mod tests {
    use super::{expand, matches, matches_widely, string_like};

    #[test]
    fn stars_match_across_slashes_and_case_does_not_matter() {
        assert!(matches("*", "Microsoft.Compute/disks/read"));
        assert!(matches("*/read", "Microsoft.Compute/disks/read"));
        assert!(matches(
            "microsoft.compute/*/READ",
            "Microsoft.Compute/disks/read"
        ));
        assert!(!matches(
            "Microsoft.Compute/*/read",
            "Microsoft.Compute/read"
        ));
        assert!(!matches("Microsoft.Compute/*", "Microsoft.Compute"));
        assert!(matches("a*b*c", "a1b2b3c"));
        assert!(!matches("a*b*c", "a1b2b3"));
        assert!(!matches("a", "ab"));
        assert!(!matches("", "a"));
        assert!(string_like("lo?s*", "logs-1", false));
        assert!(!string_like("Lo?s*", "logs-1", false));
        assert!(string_like("Lo?s*", "logs-1", true));
        assert!(!matches("lo?s*", "logs-1"));
    }

    #[test]
    fn a_star_between_slashes_may_stand_for_nothing() {
        let identities = "Microsoft.ManagedIdentity/userAssignedIdentities";
        let pattern = format!("{identities}/*/assign/action");
        let action = format!("{identities}/assign/action");
        assert!(!matches(&pattern, &action));
        assert!(matches_widely(&pattern, &action));
        assert!(matches_widely("a/*/b/*/c", "a/b/c"));
        assert!(matches_widely("a/*/b/*/c", "a/x/b/c"));
        assert!(!matches_widely("a/*/b", "a/c"));
    }

    #[test]
    fn shared_beginnings_are_written_out() {
        let text = "* A.b/{c,d/{e,f/*},g} H.i/j";
        let all: Vec<&str> = vec!["*", "A.b/c", "A.b/d/e", "A.b/d/f/*", "A.b/g", "H.i/j"];
        let got = expand(text);
        assert_eq!(got.iter().map(|one| &**one).collect::<Vec<_>>(), all);
        assert!(expand("").is_empty());
        assert_eq!(expand("a/{b,{c").len(), 2);
    }
}
