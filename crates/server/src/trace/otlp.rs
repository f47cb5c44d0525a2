//! Spans as OTLP's Protobuf has them (open-telemetry/opentelemetry-proto,
//! opentelemetry/proto/collector/trace/v1/trace_service.proto and opentelemetry/proto/trace/v1/trace.proto): five
//! messages with a handful of fields, so they are written here by hand. A test reads them with the generated code.

use super::{Kind, Said, Span};

/// `ExportTraceServiceRequest`.
pub(super) fn request(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let mut of = Message::default();
    for (key, value) in resource {
        of.message(1, &attribute(key, &Said::Text(value.as_str().into())));
    }
    let mut scope = Message::default();
    scope.text(1, "seawall");
    scope.text(2, env!("CARGO_PKG_VERSION"));
    let mut scoped = Message::default();
    scoped.message(1, &scope);
    for span in spans {
        scoped.message(2, &self::span(span));
    }
    let mut all = Message::default();
    all.message(1, &of);
    all.message(2, &scoped);
    let mut request = Message::default();
    request.message(1, &all);
    request.0
}

fn span(span: &Span) -> Message {
    let mut message = Message::default();
    message.bytes(1, &span.trace);
    message.bytes(2, &span.id);
    if let Some(parent) = &span.parent {
        message.bytes(4, parent);
    }
    message.text(5, span.name);
    message.number(
        6,
        match span.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
        },
    );
    message.fixed(7, span.begun);
    message.fixed(8, span.ended);
    for (key, said) in &span.said {
        message.message(9, &attribute(key, said));
    }
    if span.failed {
        let mut status = Message::default();
        status.number(3, 2);
        message.message(15, &status);
    }
    message
}

/// `KeyValue`.
fn attribute(key: &str, said: &Said) -> Message {
    let mut value = Message::default();
    match said {
        Said::Text(text) => value.text(1, text),
        Said::Is(is) => value.number(2, u64::from(*is)),
        Said::Number(number) => value.number(3, number.cast_unsigned()),
    }
    let mut message = Message::default();
    message.text(1, key);
    message.message(2, &value);
    message
}

/// A message (<https://protobuf.dev/programming-guides/encoding/>).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn tag(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.tag(field, 0);
        self.varint(number);
    }

    fn fixed(&mut self, field: u64, number: u64) {
        self.tag(field, 1);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}
