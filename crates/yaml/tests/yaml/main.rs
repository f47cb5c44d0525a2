//! Tests of reading: against `sigs.k8s.io/yaml` itself, of streams, of JSON, of error texts,
//! and against bytes that nobody would write.

mod canonical;
mod differential;
mod generate;
mod json;
mod messages;
mod oracle;
mod robust;
mod spans;
mod streams;
mod template;
