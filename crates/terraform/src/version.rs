//! Which versions of a provider a configuration allows: only majors matter here.
//! <https://developer.hashicorp.com/terraform/language/expressions/version-constraints>

/// The lowest and the highest major version.
pub(crate) type Majors = (u64, u64);

/// Any version.
pub(crate) const ANY: Majors = (0, u64::MAX);

/// Both at once.
pub(crate) fn both(one: Majors, other: Majors) -> Majors {
    let (low, high) = (one.0.max(other.0), one.1.min(other.1));
    if low > high { one } else { (low, high) }
}

/// What a constraint (`>= 4.16.0, < 5.0`) allows.
pub(crate) fn majors(constraint: &str) -> Majors {
    constraint.split(',').fold(ANY, |all, part| {
        let part = part.trim();
        let at = part
            .find(|next: char| next.is_ascii_digit())
            .unwrap_or(part.len());
        let (operator, version) = part.split_at(at);
        let numbers: Vec<u64> = version
            .split('.')
            .map_while(|number| {
                let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
                digits.parse().ok()
            })
            .collect();
        let Some((major, rest)) = numbers.split_first() else {
            return all;
        };
        let one = match operator.trim() {
            "" | "=" => (*major, *major),
            "~>" if rest.is_empty() => (*major, u64::MAX),
            "~>" => (*major, *major),
            ">=" | ">" => (*major, u64::MAX),
            "<" if rest.iter().all(|number| *number == 0) => (0, major.saturating_sub(1)),
            "<" | "<=" => (0, *major),
            _ => ANY,
        };
        both(all, one)
    })
}
