//! What commands share that ask a history: stores, sizes, errors.

use std::sync::Arc;

use ::guide::{Guide, setting};
use history::azure::Tokens;
use history::{Asking, Stores, Where};
use sources::blob::{Address, Bearer};

use super::Place;
use super::logs::sign_in;
use crate::commands::load_whole_guide;
use crate::failure::Failure;

/// Who gives access to containers: as the environment says, like for logs in them.
pub(crate) fn stores() -> Stores {
    Arc::new(|address| {
        let sign_in = sign_in().map_err(|error| error.to_string())?;
        let place = Address::new(address)?;
        let bearer = Arc::new(Bearer::new(&sign_in)?);
        let tokens: Tokens = Arc::new(move || {
            let bearer = Arc::clone(&bearer);
            Box::pin(async move { bearer.token().await })
        });
        let trusted = sign_in.trust.authorities.iter();
        let trusted: Vec<String> = trusted
            .map(|pem| String::from_utf8_lossy(pem).into_owned())
            .collect();
        history::azure::container(&place.endpoint, &place.container, tokens, &trusted)
    })
}

/// An error of the history as one of use.
pub(crate) fn failed(error: history::Error) -> Failure {
    let failure = Failure::new(error.to_string());
    match error.next() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

impl Place {
    /// Where the answer comes from.
    pub(crate) fn chosen(&self) -> Result<Where, Failure> {
        Ok(match &self.ballista {
            Some(url) => Where::Ballista(url.clone()),
            None => Where::Here {
                memory: usize::try_from(bytes(&self.memory)?).unwrap_or(usize::MAX),
                threads: std::thread::available_parallelism().map_or(1, usize::from),
            },
        })
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.ballista.is_some()
    }
}

/// A number of bytes: `512M`, `8G`.
pub(crate) fn bytes(text: &str) -> Result<u64, Failure> {
    let wrong =
        || Failure::new(format!("`{text}` is no amount of memory")).help("write 512M, or 8G");
    let (number, unit) = match text.trim_end_matches(['B', 'b', 'i']) {
        short if short.ends_with(['k', 'K']) => (short, 1 << 10),
        short if short.ends_with(['m', 'M']) => (short, 1 << 20),
        short if short.ends_with(['g', 'G']) => (short, 1 << 30),
        short if short.ends_with(['t', 'T']) => (short, 1 << 40),
        short => (short, 1_u64),
    };
    let number: u64 = number
        .trim_end_matches(|letter: char| letter.is_ascii_alphabetic())
        .parse()
        .map_err(|_| wrong())?;
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(wrong)
}

/// Makes this process answer with the guide in the binary.
pub(crate) fn builtin() -> anyhow::Result<()> {
    install(load_whole_guide(None)?)
}

/// Makes this process answer with a guide.
pub(crate) fn install(guide: &'static Guide) -> anyhow::Result<()> {
    let made = Asking::of_guide(guide, |guide| setting::setting(guide, None, None));
    Ok(made.map_err(Failure::new)?)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, number) in [
            ("1", 1),
            ("2k", 2048),
            ("512M", 512 << 20),
            ("8GiB", 8 << 30),
        ] {
            assert_eq!(bytes(text).ok(), Some(number), "{text}");
        }
        for text in ["", "G", "-1G", "1.5G", "0", "99999999999T"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
