//! What detections found so far, with what was lost, as bytes: parts of a log are read by processes of their own, and
//! what they found is merged.
//!
//! The bytes begin with the version of seawall, since another one may judge otherwise, and name detections by their
//! ids.

use std::collections::BTreeMap;

use super::alert::{Stub, Verdict};
use super::bounded::Bounded;
use super::memory::Remembered;
use super::{Detections, Detector, Tally};
use crate::losses::Losses;
use crate::wire::{Broken, Bytes, Wire, text};

const VERSION: &str = concat!("detections ", env!("CARGO_PKG_VERSION"), "/1");

/// Why bytes are not what was found by the same seawall with the same guide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// They are of another version, or none at all.
    #[error("what was found elsewhere is not of this version of seawall")]
    Version,
    /// They name a detection that the guide has not.
    #[error("what was found elsewhere is of another guide: there is no detection `{0}`")]
    Guide(Box<str>),
    /// They end early, or hold what nobody writes.
    #[error("what was found elsewhere cannot be read")]
    Broken,
}

impl From<Broken> for StateError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

type Alerts = Bounded<(Verdict, Stub)>;

impl Detections<'_, '_> {
    /// What was found so far, and what was lost, as bytes.
    #[must_use]
    pub fn to_bytes(&self, losses: &Losses) -> Vec<u8> {
        let mut out = Vec::new();
        text(VERSION, &mut out);
        let id = |number: u16| {
            let detection = self.detector.detection(number);
            detection
                .map(|detection| &*detection.id)
                .unwrap_or_default()
        };
        self.alerts.len().write(&mut out);
        for (number, alerts) in &self.alerts {
            text(id(*number), &mut out);
            alerts.write(&mut out);
        }
        self.remembered.len().write(&mut out);
        for (number, remembered) in &self.remembered {
            text(id(*number), &mut out);
            remembered.write(&mut out);
        }
        self.tally.write(&mut out);
        losses.write(&mut out);
        out
    }
}

impl<'g> Detector<'g> {
    /// What [`Detections::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it was another seawall with another guide, or nobody.
    pub fn read(&self, bytes: &[u8]) -> Result<(Detections<'_, 'g>, Losses), StateError> {
        let mut bytes = Bytes::new(bytes);
        if <Box<str>>::read(&mut bytes).as_deref() != Ok(VERSION) {
            return Err(StateError::Version);
        }
        let mut state = self.start();
        let alerts: Vec<(Box<str>, Alerts)> = Wire::read(&mut bytes)?;
        for (id, alerts) in alerts {
            state.alerts.insert(self.number(id)?, alerts);
        }
        let remembered: Vec<(Box<str>, Remembered)> = Wire::read(&mut bytes)?;
        for (id, remembered) in remembered {
            state.remembered.insert(self.number(id)?, remembered);
        }
        state.tally = Wire::read(&mut bytes)?;
        let losses = Wire::read(&mut bytes)?;
        if !bytes.is_empty() {
            return Err(StateError::Broken);
        }
        Ok((state, losses))
    }

    fn number(&self, id: Box<str>) -> Result<u16, StateError> {
        let mut numbered = (0_u16..).zip(&self.guide.detections);
        match numbered.find(|(_, detection)| detection.id == id) {
            Some((number, _)) => Ok(number),
            None => Err(StateError::Guide(id)),
        }
    }
}

impl Wire for Tally {
    fn write(&self, out: &mut Vec<u8>) {
        for number in [
            self.judged,
            self.hidden,
            self.received,
            self.unreadable,
            self.timeless,
        ] {
            number.write(out);
        }
        for counts in [&self.cut, &self.not_logged, &self.left_out] {
            counts.write(out);
        }
        self.no_history.write(out);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Broken> {
        let mut tally = Self::default();
        for number in [
            &mut tally.judged,
            &mut tally.hidden,
            &mut tally.received,
            &mut tally.unreadable,
            &mut tally.timeless,
        ] {
            *number = Wire::read(bytes)?;
        }
        for counts in [&mut tally.cut, &mut tally.not_logged, &mut tally.left_out] {
            let read: BTreeMap<Box<str>, u64> = Wire::read(bytes)?;
            *counts = read;
        }
        tally.no_history = Wire::read(bytes)?;
        Ok(tally)
    }
}
