//! The entries of one map: merge keys merged in, duplicate keys resolved, in the order in which
//! `go.yaml.in/yaml/v2` sets them. It leaves out where merged entries come from (`compose`).

use std::collections::HashMap;
use std::rc::Rc;

use crate::{Build, Entry};

/// A map that `<<` brings in before the own entry number `at`.
pub(crate) struct Merge<'t, N> {
    pub(crate) at: usize,
    pub(crate) source: Rc<[Entry<'t, N>]>,
}

/// Up to here comparing each with each is cheaper than a table.
const FEW: usize = 16;

/// The final entries, or nothing if `own` already is final.
pub(crate) fn resolve<'t, B: Build>(
    own: &[Entry<'t, B::Node>],
    merges: &[Merge<'t, B::Node>],
    build: &mut B,
) -> Option<Vec<Entry<'t, B::Node>>> {
    if merges.is_empty() && all_different(own) {
        return None;
    }
    let mut out: Vec<Entry<'t, B::Node>> = Vec::with_capacity(own.len());
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut merges = merges.iter().peekable();
    for at in 0..=own.len() {
        while let Some(merge) = merges.next_if(|m| m.at == at) {
            for entry in merge.source.iter() {
                let merged = Entry {
                    merged: true,
                    ..entry.clone()
                };
                // What is merged replaces what stands above it: Go sets keys in order.
                match index.get(&*entry.key).and_then(|i| out.get_mut(*i)) {
                    Some(old) => *old = merged,
                    None => {
                        index.insert(&entry.key, out.len());
                        out.push(merged);
                    }
                }
            }
        }
        let Some(entry) = own.get(at) else { continue };
        match index.get(&*entry.key).and_then(|i| out.get_mut(*i)) {
            Some(old) => {
                if !old.merged {
                    build.duplicate(&entry.key, old.key_span, entry.key_span);
                }
                *old = entry.clone();
            }
            None => {
                index.insert(&entry.key, out.len());
                out.push(entry.clone());
            }
        }
    }
    Some(out)
}

fn all_different<N>(entries: &[Entry<'_, N>]) -> bool {
    if entries.len() <= FEW {
        return entries.iter().enumerate().all(|(i, a)| {
            let before = entries.get(..i).unwrap_or_default();
            before.iter().all(|b| a.key != b.key)
        });
    }
    let mut seen = std::collections::HashSet::with_capacity(entries.len());
    entries.iter().all(|entry| seen.insert(&*entry.key))
}
