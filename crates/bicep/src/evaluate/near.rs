//! What somebody may have meant who wrote a name that there is not.

/// The one of some names that is written almost like another.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = (name.len() / 3).clamp(1, 3);
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    names
        .filter(|own| own.len().abs_diff(name.len()) <= most)
        .map(|own| {
            (
                distance(&wanted, &own.to_lowercase().chars().collect::<Vec<_>>()),
                own,
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, own)| own)
}

/// `; did you mean …?`, or nothing.
pub(crate) fn hint<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(name, names)
        .map(|own| format!("; did you mean `{own}`?"))
        .unwrap_or_default()
}

/// How many letters must be changed, added or left out.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, own) in a.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (other, above) in b.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(own != other);
            left = changed.min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn names_that_are_almost_the_same() {
        let names = ["environment", "location", "name"];
        assert_eq!(
            nearest("enviroment", names.into_iter()),
            Some("environment")
        );
        assert_eq!(nearest("Locaton", names.into_iter()), Some("location"));
        assert_eq!(nearest("size", names.into_iter()), None);
    }
}
