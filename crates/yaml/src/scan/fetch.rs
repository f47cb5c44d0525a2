//! The indicators: documents, brackets, `-`, `?` and `:`, and what each says about where a key
//! may begin.

use super::{Data, Kind, MOST_LEVELS, Scan, Scanner, SimpleKey};
use crate::error::What;

impl Scanner<'_> {
    pub(super) fn fetch_stream_end(&mut self) -> Scan<()> {
        if self.column() != 0 {
            self.line_start = self.pos;
            self.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push(Kind::StreamEnd, self.here(), Data::None);
        Ok(())
    }

    pub(super) fn fetch_document_indicator(&mut self, byte: u8) -> Scan<()> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let kind = if byte == b'-' {
            Kind::DocumentStart
        } else {
            Kind::DocumentEnd
        };
        self.push_indicator(kind, 3);
        Ok(())
    }

    pub(super) fn fetch_flow_start(&mut self, kind: Kind) -> Scan<()> {
        self.save_key()?;
        self.keys.push(SimpleKey {
            possible: false,
            required: false,
            indexed: false,
            number: self.parsed + self.tokens.len(),
            pos: self.pos,
            line: self.line,
            column: self.column(),
        });
        self.flow_level += 1;
        if self.flow_level > MOST_LEVELS {
            return self.problem(What::TooDeep, self.pos);
        }
        self.key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    pub(super) fn fetch_flow_end(&mut self, kind: Kind) -> Scan<()> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            // Go forgets by token number: an empty collection takes the entry of the key
            // that it might itself be along with it, so `[]: x` reads as `[]`.
            let number = self.keys.pop().map(|k| k.number);
            if let Some(last) = self.keys.last_mut()
                && Some(last.number) == number
            {
                last.indexed = false;
            }
        }
        self.key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    pub(super) fn fetch_block_entry(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return self.problem(What::DashHere, self.pos);
            }
            self.roll_indent(self.column(), None, Kind::BlockSequenceStart, self.pos)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(Kind::BlockEntry, 1);
        Ok(())
    }

    pub(super) fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return self.problem(What::KeyHere, self.pos);
            }
            self.roll_indent(self.column(), None, Kind::BlockMappingStart, self.pos)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.push_indicator(Kind::Key, 1);
        Ok(())
    }

    pub(super) fn fetch_value(&mut self) -> Scan<()> {
        let last = self.keys.len().saturating_sub(1);
        if self.key_is_valid(last)? {
            if let Some(key) = self.keys.get_mut(last) {
                key.possible = false;
                key.indexed = false;
                let key = *key;
                self.insert(key.number, Kind::Key, key.pos);
                self.roll_indent(
                    key.column,
                    Some(key.number),
                    Kind::BlockMappingStart,
                    key.pos,
                )?;
            }
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return self.problem(What::ValueHere, self.pos);
                }
                self.roll_indent(self.column(), None, Kind::BlockMappingStart, self.pos)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.push_indicator(Kind::Value, 1);
        Ok(())
    }
}
