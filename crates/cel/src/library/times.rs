//! The parts of timestamps and durations.

use super::{Call, Given};
use crate::functions::Func;
use crate::{Node, Val};

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    match args {
        [Val::Duration(d)] => Some(Val::Int(match func {
            Func::GetHours => d.0 / 3_600_000_000_000,
            Func::GetMinutes => d.0 / 60_000_000_000,
            Func::GetSeconds => d.0 / 1_000_000_000,
            // The whole duration, as in cel-go; the specification has what is left of a second.
            Func::GetMilliseconds => d.0 / 1_000_000,
            _ => return None,
        })),
        [Val::Timestamp(t), zone @ ..] => {
            let zone = match zone {
                [] => "UTC",
                [Val::Str(z)] => z,
                _ => return None,
            };
            let Some(offset) = t.offset(zone) else {
                return Some(c.fail(&format!("unknown time zone `{zone}`")));
            };
            let civil = t.civil(offset);
            Some(Val::Int(match func {
                Func::GetFullYear => civil.year,
                Func::GetMonth => civil.month - 1,
                Func::GetDate => civil.day,
                Func::GetDayOfMonth => civil.day - 1,
                Func::GetDayOfWeek => civil.weekday,
                Func::GetDayOfYear => civil.yearday,
                Func::GetHours => civil.hour,
                Func::GetMinutes => civil.minute,
                Func::GetSeconds => civil.second,
                Func::GetMilliseconds => i64::from(t.nanos / 1_000_000),
                _ => return None,
            }))
        }
        _ => None,
    }
}
