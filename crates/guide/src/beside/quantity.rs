//! Quantities as Kubernetes writes them, in thousandths, to be added up and rounded for people. Nothing finer than a
//! thousandth is kept: what is asked for is rounded up.

use model::Ref;

/// Thousandths of a core, or of a byte.
pub(super) type Milli = u128;

const MI: Milli = (1 << 20) * 1000;
const GI: Milli = (1 << 30) * 1000;

/// Reads a quantity; `None` for what is none, and for what is too large to add up.
pub(super) fn read(value: Ref<'_>) -> Option<Milli> {
    if let Some(number) = value.as_int() {
        return Milli::try_from(number).ok()?.checked_mul(1000);
    }
    parse(value.as_str()?)
}

fn parse(text: &str) -> Option<Milli> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // `resource.Quantity` (apimachinery, pkg/api/resource/suffix.go).
    let (times, over): (u128, u128) = match suffix {
        "" => (1000, 1),
        "n" => (1, 1_000_000),
        "u" => (1, 1000),
        "m" => (1, 1),
        "k" => (1_000_000, 1),
        "M" => (1_000_000_000, 1),
        "G" => (1_000_000_000_000, 1),
        "T" => (1_000_000_000_000_000, 1),
        "Ki" => (1000 << 10, 1),
        "Mi" => (MI, 1),
        "Gi" => (GI, 1),
        "Ti" => (GI << 10, 1),
        _ => return None,
    };
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    Some(digits.checked_mul(times)?.div_ceil(scale * over))
}

/// The same with half as much on top, as a round number.
pub(super) fn with_room(sum: Milli, memory: bool) -> Milli {
    round(sum.saturating_add(sum.div_ceil(2)), memory)
}

/// Rounded up to a number that people would write.
pub(super) fn round(value: Milli, memory: bool) -> Milli {
    let step = match (memory, value) {
        (true, _) if value < MI => MI,
        (true, _) if value < 128 * MI => 16 * MI,
        (true, _) if value < GI => 64 * MI,
        (true, _) if value < 16 * GI => GI / 2,
        (true, _) => GI,
        (false, _) if value < 100 => 10,
        (false, _) if value < 1000 => 50,
        (false, _) if value < 16_000 => 500,
        (false, _) => 1000,
    };
    value.div_ceil(step).max(1) * step
}

/// As YAML: what reads as a number is quoted.
pub(super) fn shown(value: Milli, memory: bool) -> String {
    if memory {
        if value.is_multiple_of(GI) {
            format!("{}Gi", value / GI)
        } else if value.is_multiple_of(MI) {
            format!("{}Mi", value / MI)
        } else {
            format!("\"{}\"", value.div_ceil(1000))
        }
    } else if value.is_multiple_of(1000) {
        format!("\"{}\"", value / 1000)
    } else {
        format!("{value}m")
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, round, shown, with_room};

    #[test]
    fn quantities_are_read_added_and_rounded() {
        for (text, milli) in [
            ("1", 1000),
            ("250m", 250),
            ("0.5", 500),
            (".1", 100),
            ("1500u", 2),
            ("2k", 2_000_000),
            ("1Ki", 1_024_000),
            ("1.5Mi", 1_572_864_000),
        ] {
            assert_eq!(parse(text), Some(milli), "{text}");
        }
        for text in ["", ".", "1e3", "x", "-1", "1.2.3"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let shown = |text: &str, memory| shown(with_room(parse(text).unwrap(), memory), memory);
        assert_eq!(shown("250m", false), "400m");
        assert_eq!(shown("3", false), "4500m");
        assert_eq!(shown("2", false), "\"3\"");
        assert_eq!(shown("128Mi", true), "192Mi");
        assert_eq!(shown("1Gi", true), "1536Mi");
        assert_eq!(shown("20Gi", true), "30Gi");
        assert_eq!(round(0, false), 10);
    }
}
