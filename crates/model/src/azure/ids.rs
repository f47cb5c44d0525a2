//! Resource ids taken apart. What a template leaves open in an id stands in braces and may itself
//! hold slashes.

/// The offsets of the slashes of an id that are not in braces.
fn slashes(id: &str) -> impl Iterator<Item = usize> + '_ {
    let mut depth = 0_i32;
    id.bytes().enumerate().filter_map(move |(at, byte)| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'/' if depth <= 0 => return Some(at),
            _ => {}
        }
        None
    })
}

/// The segments of an id or of a name, braces kept whole.
#[must_use]
pub fn segments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for at in slashes(text) {
        found.push(text.get(from..at).unwrap_or_default());
        from = at + 1;
    }
    found.push(text.get(from..).unwrap_or_default());
    found
}

/// Where the last `/providers/` of an id begins.
fn last_provider(id: &str) -> Option<usize> {
    const WORD: &str = "/providers/";
    slashes(id)
        .filter(|at| {
            id.get(*at..at + WORD.len())
                .is_some_and(|part| part.eq_ignore_ascii_case(WORD))
        })
        .last()
}

/// The type that an id names: that of its last provider segment.
#[must_use]
pub fn type_of_id(id: &str) -> Option<String> {
    let tail = id.get(last_provider(id)? + "/providers/".len()..)?;
    let mut parts = segments(tail).into_iter();
    let mut kind = parts.next()?.to_owned();
    let mut any = false;
    while let Some(own) = parts.next() {
        kind.push('/');
        kind.push_str(own);
        any = true;
        if parts.next().is_none() {
            break;
        }
    }
    any.then_some(kind)
}

/// The scope that an extension resource is attached to: what stands before its last provider
/// segment, when that is an id.
#[must_use]
pub fn scope_of_id(id: &str) -> Option<&str> {
    id.get(..last_provider(id)?)
        .filter(|scope| !scope.is_empty())
}

/// The id of the resource that a child resource belongs to.
#[must_use]
pub fn parent_of_id(id: &str) -> Option<&str> {
    let tail = id.get(last_provider(id)? + "/providers/".len()..)?;
    // namespace/type/name[/type/name]: a child has at least five segments.
    if segments(tail).len() < 5 {
        return None;
    }
    let all: Vec<usize> = slashes(id).collect();
    let cut = all.len().checked_sub(2).and_then(|at| all.get(at))?;
    id.get(..*cut)
}

/// Longer open parts are cut when a name is shown.
const LONGEST_OPEN: usize = 32;

/// A name as people read it: `acr{uniqueString('aks', subscription)}` becomes
/// `acr{uniqueString(…)}`.
#[must_use]
pub fn shown(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find('{') {
        let mut depth = 0;
        let end = rest.bytes().enumerate().skip(start).find(|(_, byte)| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((end, _)) = end else { break };
        let inner = rest.get(start + 1..end).unwrap_or_default();
        out.push_str(rest.get(..start).unwrap_or_default());
        out.push('{');
        if inner.len() <= LONGEST_OPEN {
            out.push_str(inner);
        } else if let Some((function, _)) = inner.split_once('(') {
            out.push_str(function);
            out.push_str("(…)");
        } else {
            out.extend(inner.chars().take(LONGEST_OPEN));
            out.push('…');
        }
        out.push('}');
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{parent_of_id, scope_of_id, segments, type_of_id};

    /// The id of a resource in a group that nobody names.
    fn id_in_group(kind: &str, name: &str) -> String {
        let mut id =
            String::from("/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers");
        let mut types = kind.split('/');
        if let Some(namespace) = types.next() {
            id.push('/');
            id.push_str(namespace);
        }
        let names = segments(name);
        for (own, name) in types.zip(names.into_iter().chain(std::iter::repeat("{name}"))) {
            id.push('/');
            id.push_str(own);
            id.push('/');
            id.push_str(name);
        }
        id
    }

    #[test]
    fn ids_are_taken_apart() {
        let subnet = id_in_group("Microsoft.Network/virtualNetworks/subnets", "hub/nodes");
        assert_eq!(
            subnet,
            "/subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.Network/virtualNetworks/hub/subnets/nodes"
        );
        assert_eq!(
            type_of_id(&subnet).as_deref(),
            Some("Microsoft.Network/virtualNetworks/subnets")
        );
        let network = parent_of_id(&subnet).unwrap();
        assert!(network.ends_with("/virtualNetworks/hub"));
        assert_eq!(parent_of_id(network), None);
        let lock = format!("{subnet}/providers/Microsoft.Authorization/locks/keep");
        assert_eq!(scope_of_id(&lock), Some(subnet.as_str()));
        assert_eq!(
            type_of_id(&lock).as_deref(),
            Some("Microsoft.Authorization/locks")
        );
        assert_eq!(type_of_id("/subscriptions/x"), None);
    }

    #[test]
    fn long_open_parts_are_cut_for_people() {
        use super::shown;
        assert_eq!(shown("{prefix}-aks"), "{prefix}-aks");
        assert_eq!(
            shown("acr{uniqueString('aks', subscription, '${resourceGroup}')}-{zone}"),
            "acr{uniqueString(…)}-{zone}"
        );
        assert_eq!(shown("a{b"), "a{b");
    }

    #[test]
    fn open_parts_are_kept_whole() {
        let open = "{last(split(hub, '/'))}/to_{name}";
        assert_eq!(segments(open), ["{last(split(hub, '/'))}", "to_{name}"]);
        let peering = id_in_group(
            "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
            open,
        );
        assert_eq!(
            type_of_id(&peering).as_deref(),
            Some("Microsoft.Network/virtualNetworks/virtualNetworkPeerings")
        );
        assert!(
            parent_of_id(&peering)
                .unwrap()
                .ends_with("/virtualNetworks/{last(split(hub, '/'))}")
        );
    }
}
