//! What goes wrong with a hub, in words, and what to do about it.

use rskafka::client::error::{Error, ProtocolError};

use super::address::Address;
use crate::post::Untold;

/// What begins the reason why there is no token.
pub(super) const CANNOT_SIGN_IN: &str = "cannot sign in to Azure: ";

/// What wraps the reason in errors of the client.
const AROUND: [&str; 10] = [
    "Invalid response: ",
    "All retries failed: ",
    "all retries failed: ",
    "Connection error: ",
    "Request error: ",
    "Retry exceeded deadline. Source: ",
    "IO Error: ",
    "Connection is poisoned: ",
    "error getting cluster metadata: ",
    "Sasl handshake failed: ",
];

pub(super) fn is_out_of_range(error: &Error) -> bool {
    matches!(
        error,
        Error::ServerError {
            protocol_error: ProtocolError::OffsetOutOfRange,
            ..
        }
    )
}

pub(super) fn no_hub(address: &Address) -> Untold {
    Untold {
        help: Some(
            "check its name (`az eventhubs eventhub list`), and that whoever signs in may read it",
        ),
        ..Untold::later(format!(
            "{} has no event hub `{}` for who signs in",
            address.host, address.hub
        ))
    }
}

pub(super) fn late(address: &Address) -> Untold {
    Untold {
        help: Some(REACH),
        ..Untold::later(format!("{} does not answer in time", address.host))
    }
}

const REACH: &str = "port 9093 must be open to it, and the namespace of tier Standard or above: Basic speaks no Kafka";

/// `refused` is what to do when it is not known or not allowed who signs in.
pub(super) fn told(error: &Error, address: &Address, refused: &'static str) -> Untold {
    let host = &address.host;
    let text = error.to_string();
    if let Some((_, why)) = text.split_once(CANNOT_SIGN_IN) {
        return Untold::later(format!("{CANNOT_SIGN_IN}{why}"));
    }
    if let Error::ServerError { protocol_error, .. } = error {
        return match protocol_error {
            ProtocolError::UnknownTopicOrPartition => no_hub(address),
            ProtocolError::TopicAuthorizationFailed
            | ProtocolError::ClusterAuthorizationFailed
            | ProtocolError::SaslAuthenticationFailed => Untold {
                help: Some(refused),
                ..Untold::later(format!("{host} does not let it be read by who signs in"))
            },
            other => Untold::later(format!("{host} answers {other:?}")),
        };
    }
    if text.contains("SaslAuthenticationFailed") || text.contains("sasl mechanism") {
        return Untold {
            help: Some(refused),
            ..Untold::later(format!("{host} does not accept who signs in"))
        };
    }
    let why = plain(&text, address);
    let reached = matches!(error, Error::InvalidResponse(_)) || why.contains("certificate");
    let help = (!reached).then_some(REACH);
    Untold {
        help,
        ..Untold::later(format!("cannot read from {host}:{}: {why}", address.port))
    }
}

/// The reason alone.
fn plain(text: &str, address: &Address) -> String {
    let broker = format!(
        "error connecting to broker \"{}:{}\": ",
        address.host, address.port
    );
    let mut text = text;
    while let Some(rest) = AROUND
        .iter()
        .copied()
        .chain([&*broker])
        .find_map(|around| text.strip_prefix(around))
    {
        text = rest;
    }
    let mut short: String = text.chars().take(300).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
