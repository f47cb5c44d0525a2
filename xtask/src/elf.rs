//! What must be known of a program before it is shipped alone: for which processor it is, and that it needs no other
//! file to start. Offsets are those of the ELF specification, for 64 bits and little ends.

use anyhow::{Context as _, Result, bail};

use crate::shipped::TARGET;

/// A segment that names the loader of shared libraries.
const PT_INTERP: u32 = 3;

/// The architecture of a program, as images name it.
pub(crate) fn architecture_of_static(program: &[u8]) -> Result<&'static str> {
    // Magic, 64 bits, little end.
    if program.get(..6) != Some(b"\x7fELF\x02\x01") {
        bail!("the program is not one for Linux on a 64-bit processor");
    }
    let architecture = match u16::from_le_bytes(at(program, 18)?) {
        62 => "amd64",
        183 => "arm64",
        other => bail!("the program is for a processor that images have no name for here: {other}"),
    };
    let table = usize::try_from(u64::from_le_bytes(at(program, 32)?))?;
    let size = usize::from(u16::from_le_bytes(at(program, 54)?));
    let count = usize::from(u16::from_le_bytes(at(program, 56)?));
    for number in 0..count {
        if u32::from_le_bytes(at(program, table + number * size)?) == PT_INTERP {
            bail!(
                "the program needs shared libraries, which it would not find\nhelp: build it for the target {}",
                TARGET
            );
        }
    }
    Ok(architecture)
}

fn at<const N: usize>(program: &[u8], offset: usize) -> Result<[u8; N]> {
    program
        .get(offset..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .context("the program is cut off")
}
