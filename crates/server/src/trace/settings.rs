//! What the environment says of traces, by the names that OpenTelemetry gives
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

use sources::post::Way;

/// Where traces go, and which.
#[derive(Clone)]
pub struct Settings {
    /// The address of the signal.
    pub(super) url: String,
    /// Sent along; they may hold a token.
    pub(super) headers: Vec<(String, String)>,
    /// What this process is.
    pub(super) resource: Vec<(String, String)>,
    sampler: Sampler,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sampler {
    /// The caller's decision counts, where there is one.
    by_parent: bool,
    /// Of those that begin here.
    ratio: f64,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("sampler", &self.sampler)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// From variables; nothing where they name no collector, or switch traces off.
    ///
    /// # Errors
    /// What is wrong with a variable, as a sentence that names it.
    pub fn of(read: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let text = |name: &str| read(name).filter(|text| !text.trim().is_empty());
        let own = text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let all = text("OTEL_EXPORTER_OTLP_ENDPOINT");
        let off = text("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
            || text("OTEL_TRACES_EXPORTER").as_deref() == Some("none");
        // That of the signal is used as it stands; the other is a base.
        let url = match (own, all) {
            _ if off => return Ok(None),
            (Some(own), _) => own,
            (None, Some(all)) => format!("{}/v1/traces", all.trim_end_matches('/')),
            (None, None) => return Ok(None),
        };
        let protocol = text("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|| text("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(other) = protocol.filter(|protocol| protocol != "http/protobuf") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL is `{other}`; seawall speaks `http/protobuf` (port 4318 of a collector)"
            ));
        }
        let headers = text("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
            .or_else(|| text("OTEL_EXPORTER_OTLP_HEADERS"));
        let headers = pairs(headers.as_deref().unwrap_or_default())
            .ok_or("OTEL_EXPORTER_OTLP_HEADERS must be `NAME=VALUE,…`")?;
        let named = pairs(&text("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default())
            .ok_or("OTEL_RESOURCE_ATTRIBUTES must be `NAME=VALUE,…`")?;
        let mut resource = vec![(
            "service.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        )];
        resource.extend(text("POD_NAME").map(|name| ("service.instance.id".to_owned(), name)));
        let service = text("OTEL_SERVICE_NAME");
        let is_named = named.iter().any(|(key, _)| key == "service.name");
        resource.retain(|(key, _)| !named.iter().any(|(other, _)| other == key));
        resource.extend(
            named
                .into_iter()
                .filter(|(key, _)| key != "service.name" || service.is_none()),
        );
        if service.is_some() || !is_named {
            let name = service.unwrap_or_else(|| "seawall".to_owned());
            resource.insert(0, ("service.name".to_owned(), name));
        }
        Ok(Some(Self {
            url,
            headers,
            resource,
            sampler: sampler(
                text("OTEL_TRACES_SAMPLER").as_deref(),
                text("OTEL_TRACES_SAMPLER_ARG").as_deref(),
            )?,
        }))
    }

    /// What is sent is no secret, but headers may be.
    pub(super) const fn way(&self) -> Way {
        if self.headers.is_empty() {
            Way::Open
        } else {
            Way::Sealed
        }
    }

    /// Whether a trace is noted, given what the caller decided.
    pub(super) fn wants(&self, trace: [u8; 16], caller: Option<bool>) -> bool {
        if let Some(sampled) = caller.filter(|_| self.sampler.by_parent) {
            return sampled;
        }
        let [.., a, b, c, d, e, f, g, h] = trace;
        // The low 63 bits, as OpenTelemetry's own samplers have it.
        let place = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1;
        // As a float the highest is no less than all.
        self.sampler.ratio >= 1.0 || (place as f64) < self.sampler.ratio * (1_u64 << 63) as f64
    }
}

fn sampler(name: Option<&str>, argument: Option<&str>) -> Result<Sampler, String> {
    let name = name.unwrap_or("parentbased_always_on");
    let (by_parent, rest) = match name.strip_prefix("parentbased_") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let ratio = match rest {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => argument
            .map_or(Some(1.0), |text| text.trim().parse().ok())
            .filter(|ratio| (0.0..=1.0).contains(ratio))
            .ok_or("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1")?,
        _ => {
            return Err(format!(
                "OTEL_TRACES_SAMPLER is `{name}`; it may be always_on, always_off or traceidratio, each with or without `parentbased_` before it"
            ));
        }
    };
    Ok(Sampler { by_parent, ratio })
}

/// `NAME=VALUE,…`, percent-decoded.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), decoded(value.trim())))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let code = after.get(..2);
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::of(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const COLLECTOR: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

    #[test]
    fn addresses_are_bases_or_of_the_signal() {
        assert!(of(&[]).unwrap().is_none());
        assert!(
            of(&[COLLECTOR, ("OTEL_SDK_DISABLED", "true")])
                .unwrap()
                .is_none()
        );
        assert!(
            of(&[COLLECTOR, ("OTEL_TRACES_EXPORTER", "none")])
                .unwrap()
                .is_none()
        );
        let one = of(&[COLLECTOR]).unwrap().unwrap();
        assert_eq!(one.url, "http://collector:4318/v1/traces");
        assert_eq!(one.way(), Way::Open);
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://else/x");
        let with = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%3Db, x=y");
        let one = of(&[COLLECTOR, own, with]).unwrap().unwrap();
        assert_eq!(one.url, "https://else/x");
        assert_eq!(one.way(), Way::Sealed);
        let wanted = [("api-key", "a=b"), ("x", "y")];
        assert_eq!(
            one.headers,
            wanted.map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        assert!(!format!("{one:?}").contains("a=b"));
        assert!(of(&[COLLECTOR, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).is_err());
        assert!(of(&[COLLECTOR, ("OTEL_EXPORTER_OTLP_HEADERS", "word")]).is_err());
    }

    #[test]
    fn the_service_has_a_name() {
        let name = |variables: &[(&str, &str)]| {
            let all = of(variables).unwrap().unwrap().resource;
            let names: Vec<_> = all
                .into_iter()
                .filter(|(key, _)| key == "service.name")
                .collect();
            assert_eq!(names.len(), 1);
            names[0].1.clone()
        };
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=b,cluster=x");
        assert_eq!(name(&[COLLECTOR]), "seawall");
        assert_eq!(name(&[COLLECTOR, attributes]), "b");
        assert_eq!(
            name(&[COLLECTOR, attributes, ("OTEL_SERVICE_NAME", "a")]),
            "a"
        );
    }

    #[test]
    fn samplers_keep_what_they_say() {
        let with = |name, argument| {
            of(&[
                COLLECTOR,
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ])
        };
        let (low, high) = ([0; 16], [0xff; 16]);
        let one = with("parentbased_traceidratio", "0.5").unwrap().unwrap();
        assert!(one.wants(low, None) && !one.wants(high, None));
        assert!(one.wants(high, Some(true)) && !one.wants(low, Some(false)));
        let one = with("always_on", "").unwrap().unwrap();
        assert!(one.wants(high, Some(false)));
        let one = with("always_off", "").unwrap().unwrap();
        assert!(!one.wants(low, Some(true)));
        assert!(with("traceidratio", "2").is_err());
        assert!(with("jaeger_remote", "").is_err());
    }
}
