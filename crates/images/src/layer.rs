//! Names of files in a layer, and nothing of what they hold.
//!
//! A layer is a tar, mostly compressed (<https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md>). It is a
//! stranger's: lengths are bounded, and a name is a text, never a path of this machine.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// The most bytes of a layer, unpacked.
const LARGEST: u64 = 16 << 30;
/// The longest name.
const LONGEST_NAME: u64 = 1 << 16;

/// Tells the names in a layer, in order: `usr/bin/sudo`; one that a layer takes away begins with `.wh.` in its last part.
///
/// # Errors
/// When it cannot be read to its end, as a clause.
pub fn names(media_type: &str, blob: impl Read, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
    let read = if media_type.ends_with("gzip") {
        tar(MultiGzDecoder::new(blob).take(LARGEST), tell)
    } else if media_type.ends_with("tar") {
        tar(blob.take(LARGEST), tell)
    } else {
        return Err(format!(
            "its layers are packed as `{media_type}`, which is not read"
        ));
    };
    read.map_err(|error| format!("a layer cannot be read: {error}"))
}

/// A tar in the formats that layers have: ustar, with the long names of GNU and of PAX.
fn tar(mut input: impl Read, tell: &mut dyn FnMut(&str)) -> io::Result<()> {
    let mut long: Option<String> = None;
    let mut ended = false;
    loop {
        let mut header = [0; 512];
        if !fill(&mut input, &mut header)? {
            // A tar ends with empty blocks; some writers leave them out.
            return Ok(());
        }
        if header.iter().all(|byte| *byte == 0) {
            if ended {
                return io::copy(&mut input, &mut io::sink()).map(drop);
            }
            ended = true;
            continue;
        }
        let field = |from: usize, to: usize| header.get(from..to).unwrap_or_default();
        let size = number(field(124, 136)).ok_or_else(|| io::Error::other("a tar is malformed"))?;
        let padded = size
            .checked_next_multiple_of(512)
            .ok_or_else(|| io::Error::other("a tar is malformed"))?;
        match field(156, 157) {
            b"L" | b"x" => {
                if size > LONGEST_NAME {
                    return Err(io::Error::other("a name in a tar is too long"));
                }
                let mut body = vec![0; padded as usize];
                if !fill(&mut input, &mut body)? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                body.truncate(size as usize);
                if field(156, 157) == b"L" {
                    long = Some(text(&body));
                } else {
                    long = path(&body).or(long);
                }
            }
            // Settings of all that follows, and long targets of links: no names.
            b"g" | b"K" => skip(&mut input, padded)?,
            _ => {
                let name = long.take().unwrap_or_else(|| {
                    let (name, prefix) = (text(field(0, 100)), text(field(345, 500)));
                    let ustar = field(257, 262) == b"ustar" && field(262, 263) == b"\0";
                    if ustar && !prefix.is_empty() {
                        format!("{prefix}/{name}")
                    } else {
                        name
                    }
                });
                tell(
                    name.trim_start_matches("./")
                        .trim_start_matches('/')
                        .trim_end_matches('/'),
                );
                skip(&mut input, padded)?;
            }
        }
    }
}

/// Whether there was as much; nothing at all is an end.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let wanted = buffer.len();
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match input.read(rest)? {
            0 if read == 0 => return Ok(false),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    Ok(read == wanted)
}

fn skip(input: &mut impl Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut input.take(count), &mut io::sink())?;
    if skipped < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// A number in octal, or in GNU's binary form for large ones.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        let bytes = field.get(field.len().checked_sub(8)?..)?;
        return Some(u64::from_be_bytes(bytes.try_into().ok()?));
    }
    let digits = text(field);
    u64::from_str_radix(digits.trim().trim_matches('\0'), 8).ok()
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0);
    let field = field.get(..end.unwrap_or(field.len())).unwrap_or_default();
    String::from_utf8_lossy(field).into_owned()
}

/// The name that a PAX header gives: records `LENGTH KEY=VALUE\n`.
fn path(body: &[u8]) -> Option<String> {
    let mut rest = body;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            return Some(String::from_utf8_lossy(value).into_owned());
        }
        rest = rest.get(length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        header[156] = kind;
        header.extend_from_slice(body);
        header.resize(header.len().next_multiple_of(512), 0);
        header
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        let media_type = "application/vnd.oci.image.layer.v1.tar";
        super::names(media_type, bytes, &mut |name| names.push(name.to_owned()))?;
        Ok(names)
    }

    #[test]
    fn names_are_read_and_contents_are_not() {
        let long = "d/".repeat(80) + "sshd";
        let record = format!("{} path={long}\n", long.len() + 10);
        let tar = [
            entry("./usr/bin/sudo", b'0', b"x"),
            entry("PaxHeaders", b'x', record.as_bytes()),
            entry("cut", b'0', &[7; 513]),
            entry("etc/", b'5', b""),
            vec![0; 1024],
        ]
        .concat();
        assert_eq!(read(&tar).unwrap(), ["usr/bin/sudo", &long, "etc"]);
        assert!(read(&tar[..700]).is_err(), "cut in a header");
        assert!(read(&[1; 600]).is_err());
        let zstd = names(
            "application/vnd.oci.image.layer.v1.tar+zstd",
            &b""[..],
            &mut |_| (),
        );
        assert!(zstd.unwrap_err().contains("zstd"));
    }
}
