//! What is found while a log grows, what may be forgotten then, and what is remembered as a file.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{PARTS, Remembered, SLOTS, Slot, Stub, earlier};

/// A burst, as far as it is there.
#[derive(Debug)]
pub(crate) struct Burst {
    pub(crate) group: u64,
    /// Numbers of its first and its last slot.
    pub(crate) slots: (i64, i64),
    pub(crate) first: Stub,
    pub(crate) times: u64,
}

/// Keys and the first event of each; when the log of this detection began and ended.
pub(crate) type Sightings = (Vec<(Vec<Box<str>>, Stub)>, (Option<i64>, Option<i64>));

/// Both events of a sequence: its group, its slot, the second event.
pub(crate) type Pair = (u64, i64, Stub);

impl Remembered {
    /// Bursts by group, in the order of time.
    pub(crate) fn bursts_of(&self, count: usize) -> Vec<Burst> {
        let mut found: Vec<Burst> = Vec::new();
        for (group, slots) in &self.groups {
            let begun = found.len();
            let mut values: BTreeSet<u64> = BTreeSet::new();
            for start in slots.keys() {
                let within = || slots.range(*start..*start + PARTS);
                let own: BTreeSet<u64> = within()
                    .flat_map(|(_, slot)| &slot.values)
                    .copied()
                    .collect();
                if own.len() < count {
                    continue;
                }
                let first = within().filter_map(|(_, slot)| slot.first_of_second.clone());
                let Some(first) = first.min() else { continue };
                let end = start + PARTS - 1;
                let last = found.get_mut(begun..).and_then(<[Burst]>::last_mut);
                match last {
                    Some(last) if *start <= last.slots.1 => {
                        values.extend(own);
                        last.slots.1 = end;
                        last.times = values.len() as u64;
                        let mut before = Some(last.first.clone());
                        earlier(&mut before, Some(first));
                        last.first = before.unwrap_or_default();
                    }
                    _ => {
                        found.push(Burst {
                            group: *group,
                            slots: (*start, end),
                            first,
                            times: own.len() as u64,
                        });
                        values = own;
                    }
                }
            }
        }
        found
    }

    /// Sequences by group and slot.
    pub(crate) fn pairs_of(&self) -> Vec<Pair> {
        let mut found = Vec::new();
        for (group, slots) in &self.groups {
            for number in slots.keys() {
                if let Some(stub) = self.pair(slots, *number) {
                    found.push((*group, *number, stub));
                }
            }
        }
        found
    }

    /// What was perhaps seen for the first time since the last time, and when anything was seen at all.
    pub(crate) fn take_sightings(&mut self) -> Sightings {
        let fresh = super::Bounded::new(super::SIGHTINGS);
        let sightings = std::mem::replace(&mut self.sightings, fresh);
        (sightings.into_values().collect(), (self.began, self.ended))
    }

    /// Gives up slots that ended before a moment. Where there is room again, groups that were left out may come back;
    /// about how many those were.
    pub(crate) fn forget(&mut self, before: i64, parts: i64) -> u64 {
        let length = (self.window / parts).max(1);
        let first = before.div_euclid(length);
        self.groups.retain(|_, slots| {
            *slots = slots.split_off(&first);
            !slots.is_empty()
        });
        self.slots = self.groups.values().map(|slots| slots.len()).sum();
        if self.ceiling.is_none() || self.slots * 2 > SLOTS {
            return 0;
        }
        let gone = self.left_out();
        self.ceiling = None;
        gone
    }

    /// How a slot of a threshold is cut.
    pub(crate) const fn parts() -> i64 {
        PARTS
    }

    /// What is remembered: a row for each slot.
    pub(crate) fn kept(&self) -> Value {
        let rows = self.groups.iter().flat_map(|(group, slots)| {
            slots.iter().map(move |(number, slot)| {
                let stubs = [
                    &slot.first_of_first,
                    &slot.last_of_first,
                    &slot.first_of_second,
                    &slot.last_of_second,
                ];
                json!([
                    group,
                    number,
                    slot.values,
                    stubs.map(|stub| stub.as_ref().map(written))
                ])
            })
        });
        json!({ "most": self.most, "slots": rows.collect::<Vec<_>>() })
    }

    /// Adds what was kept; rows of another form are left out.
    pub(crate) fn restore(&mut self, kept: &Value) {
        let most = kept.get("most").and_then(Value::as_u64).unwrap_or_default();
        self.most = self.most.max(usize::try_from(most).unwrap_or_default());
        let rows = kept.get("slots").and_then(Value::as_array);
        for row in rows.into_iter().flatten() {
            let group = row.get(0).and_then(Value::as_u64);
            let number = row.get(1).and_then(Value::as_i64);
            let (Some(group), Some(number)) = (group, number) else {
                continue;
            };
            let values = row.get(2).and_then(Value::as_array);
            let stub = |index: usize| row.get(3)?.get(index).and_then(read);
            self.put(
                group,
                number,
                Slot {
                    values: values
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_u64)
                        .collect(),
                    first_of_first: stub(0),
                    last_of_first: stub(1),
                    first_of_second: stub(2),
                    last_of_second: stub(3),
                },
            );
        }
    }
}

/// An event as a row.
pub(crate) fn written(stub: &Stub) -> Value {
    let Stub {
        at,
        audit_id,
        message,
        user,
        verb,
        object,
        cluster,
        namespace,
    } = stub;
    json!([
        at, audit_id, message, user, verb, object, cluster, namespace
    ])
}

pub(crate) fn read(row: &Value) -> Option<Stub> {
    let text = |index: usize| row.get(index).and_then(Value::as_str).map(Box::from);
    Some(Stub {
        at: row.get(0)?.as_i64()?,
        audit_id: text(1)?,
        message: text(2)?,
        user: text(3)?,
        verb: text(4)?,
        object: text(5)?,
        cluster: text(6)?,
        namespace: text(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{SECOND, Stub};
    use super::Remembered;

    #[test]
    fn what_is_kept_reads_back_and_what_is_old_is_forgotten() {
        let at = |seconds: i64| Stub {
            at: seconds * SECOND,
            audit_id: seconds.to_string().into(),
            ..Stub::default()
        };
        let mut memory = Remembered::new(60);
        for (name, seconds) in [("eve", 0), ("eve", 10), ("bob", 20), ("eve", 5000)] {
            memory.count(vec![name.into()], seconds as u64, 3, at(seconds));
            memory.first(vec![name.into()], at(seconds));
        }
        let mut again = Remembered::new(60);
        again.restore(&memory.kept());
        assert_eq!(again, memory);
        let slots = memory.slots;
        assert_eq!(memory.forget(4000 * SECOND, Remembered::parts()), 0);
        assert!(memory.slots < slots && memory.slots > 0);
        assert_eq!(memory.groups.len(), 1);
        memory.forget(9000 * SECOND, Remembered::parts());
        assert_eq!((memory.slots, memory.groups.len()), (0, 0));
    }
}
