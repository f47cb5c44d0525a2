//! Which settings are read: by which flag, by which key of the configuration, and what holds where neither is given.
//!
//! Flags: `cmd/kubelet/app/options/options.go`. Keys and their defaults: `pkg/kubelet/apis/config/v1beta1/defaults.go`.
//! Without a configuration file the kubelet begins with looser values (`applyLegacyDefaults` in `options.go`). Compared
//! for Kubernetes 1.27 to 1.34: of these none changed but that `--config-dir` came.

use super::config::Tree;
use super::flags::{self, Flag};
use crate::value::{Data, Place, Value};

#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Truth,
    Number,
    /// In whole seconds.
    Duration,
    Text,
    Texts,
    /// `A=true,B=false`, or a map.
    Gates,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Default {
    Truth(bool),
    Number(i64),
    Text(&'static str),
    Empty,
    /// The setting is absent.
    None,
}

/// A setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    flag: Option<&'static str>,
    way: &'static [&'static str],
    form: Form,
    default: Default,
    /// What holds where there is no configuration file.
    legacy: Option<Default>,
    /// In a configuration nothing (`0s`) means the default too.
    nothing_is_default: bool,
}

const fn setting(
    name: &'static str,
    flag: &'static str,
    way: &'static [&'static str],
    form: Form,
    default: Default,
) -> Setting {
    Setting {
        name,
        flag: if flag.is_empty() { None } else { Some(flag) },
        way,
        form,
        default,
        legacy: None,
        nothing_is_default: false,
    }
}

const fn loose(setting: Setting, legacy: Default) -> Setting {
    Setting {
        legacy: Some(legacy),
        ..setting
    }
}

const fn never_nothing(setting: Setting) -> Setting {
    Setting {
        nothing_is_default: true,
        ..setting
    }
}

#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    loose(setting("anonymousAuth", "anonymous-auth", &["authentication", "anonymous", "enabled"], Form::Truth, Default::Truth(false)), Default::Truth(true)),
    loose(setting("webhookAuthentication", "authentication-token-webhook", &["authentication", "webhook", "enabled"], Form::Truth, Default::Truth(true)), Default::Truth(false)),
    loose(setting("authorizationMode", "authorization-mode", &["authorization", "mode"], Form::Text, Default::Text("Webhook")), Default::Text("AlwaysAllow")),
    setting("clientCAFile", "client-ca-file", &["authentication", "x509", "clientCAFile"], Form::Text, Default::None),
    loose(setting("readOnlyPort", "read-only-port", &["readOnlyPort"], Form::Number, Default::Number(0)), Default::Number(10255)),
    never_nothing(setting("streamingConnectionIdleTimeout", "streaming-connection-idle-timeout", &["streamingConnectionIdleTimeout"], Form::Duration, Default::Number(4 * 3600))),
    setting("makeIPTablesUtilChains", "make-iptables-util-chains", &["makeIPTablesUtilChains"], Form::Truth, Default::Truth(true)),
    setting("protectKernelDefaults", "protect-kernel-defaults", &["protectKernelDefaults"], Form::Truth, Default::Truth(false)),
    setting("eventRecordQPS", "event-qps", &["eventRecordQPS"], Form::Number, Default::Number(50)),
    setting("rotateCertificates", "rotate-certificates", &["rotateCertificates"], Form::Truth, Default::Truth(false)),
    setting("serverTLSBootstrap", "rotate-server-certificates", &["serverTLSBootstrap"], Form::Truth, Default::Truth(false)),
    setting("featureGates", "feature-gates", &["featureGates"], Form::Gates, Default::Empty),
    setting("tlsCertFile", "tls-cert-file", &["tlsCertFile"], Form::Text, Default::None),
    setting("tlsCipherSuites", "tls-cipher-suites", &["tlsCipherSuites"], Form::Texts, Default::Empty),
    setting("tlsMinVersion", "tls-min-version", &["tlsMinVersion"], Form::Text, Default::Text("VersionTLS12")),
    setting("podPidsLimit", "pod-max-pids", &["podPidsLimit"], Form::Number, Default::Number(-1)),
    setting("seccompDefault", "seccomp-default", &["seccompDefault"], Form::Truth, Default::Truth(false)),
    setting("failSwapOn", "fail-swap-on", &["failSwapOn"], Form::Truth, Default::Truth(true)),
    setting("allowedUnsafeSysctls", "allowed-unsafe-sysctls", &["allowedUnsafeSysctls"], Form::Texts, Default::Empty),
    setting("enableDebuggingHandlers", "enable-debugging-handlers", &["enableDebuggingHandlers"], Form::Truth, Default::Truth(true)),
    setting("staticPodPath", "pod-manifest-path", &["staticPodPath"], Form::Text, Default::None),
    setting("staticPodURL", "manifest-url", &["staticPodURL"], Form::Text, Default::None),
    setting("address", "address", &["address"], Form::Text, Default::Text("0.0.0.0")),
    setting("healthzBindAddress", "healthz-bind-address", &["healthzBindAddress"], Form::Text, Default::Text("127.0.0.1")),
    setting("containerRuntimeEndpoint", "container-runtime-endpoint", &["containerRuntimeEndpoint"], Form::Text, Default::Text("unix:///run/containerd/containerd.sock")),
    setting("hostnameOverride", "hostname-override", &[], Form::Text, Default::None),
    setting("kubeconfig", "kubeconfig", &[], Form::Text, Default::None),
    setting("bootstrapKubeconfig", "bootstrap-kubeconfig", &[], Form::Text, Default::None),
    setting("nodeLabels", "node-labels", &[], Form::Text, Default::None),
];

/// What a setting rests on.
pub(super) struct Given<'g> {
    pub(super) flags: &'g [Flag],
    /// The configuration; `None` where no file is named.
    pub(super) config: Option<&'g Tree>,
    /// Why the configuration is not known, where one is named.
    pub(super) config_unknown: Option<&'g str>,
    /// Why there may be flags that are not known.
    pub(super) flags_unknown: Option<&'g str>,
    /// Where it is said that nothing is given.
    pub(super) place: &'g Place,
}

impl Setting {
    /// What holds.
    pub(super) fn value(&self, given: &Given<'_>) -> Option<Value> {
        let flag = self.flag.and_then(|flag| flags::last(given.flags, flag));
        if let Some(flag) = flag.filter(|_| !matches!(self.form, Form::Gates)) {
            return Some(self.of_flag(flag, given.flags));
        }
        let why = given
            .flags_unknown
            .or(given.config_unknown.filter(|_| !self.way.is_empty()));
        if let Some(why) = why {
            return Some(Value::unknown(why, given.place));
        }
        let tree = given.config.and_then(|config| config.at(self.way));
        let own = tree
            .filter(|_| !self.way.is_empty())
            .and_then(|tree| self.of_config(tree.clone()));
        if matches!(self.form, Form::Gates) {
            return Some(self.gates(own, given));
        }
        own.or_else(|| self.default(given))
    }

    fn default(&self, given: &Given<'_>) -> Option<Value> {
        let default = match self.legacy {
            Some(legacy) if given.config.is_none() => legacy,
            _ => self.default,
        };
        let data = match default {
            Default::Truth(value) => Data::Bool(value),
            Default::Number(value) => Data::Int(value),
            Default::Text(value) => Data::Text(value.to_owned()),
            Default::Empty => Data::List(Vec::new()),
            Default::None => return None,
        };
        Some(Value::new(data, given.place))
    }

    fn of_flag(&self, flag: &Flag, flags: &[Flag]) -> Value {
        let data = match self.form {
            Form::Truth => flags::truth(&flag.value).map(Data::Bool),
            Form::Number => flag.value.parse().ok().map(Data::Int),
            Form::Duration => flags::seconds(&flag.value).map(Data::Int),
            Form::Text | Form::Gates => Some(Data::Text(flag.value.clone())),
            // A list that is given twice is both, one after the other (pflag's StringSlice).
            Form::Texts => Some(Data::List(
                flags
                    .iter()
                    .filter(|one| one.name == flag.name)
                    .flat_map(|one| {
                        let texts = one.value.split(',').filter(|text| !text.is_empty());
                        texts.map(|text| Value::new(text, &one.place))
                    })
                    .collect(),
            )),
        };
        Value {
            data: data.unwrap_or_else(|| {
                Data::Unknown(format!(
                    "--{}, whose value the kubelet does not take",
                    flag.name
                ))
            }),
            place: flag.place.clone(),
        }
    }

    /// What a configuration says; `None` where that is the default.
    fn of_config(&self, tree: Tree) -> Option<Value> {
        let value = tree.value()?;
        let place = value.place.clone();
        let data = match (self.form, value.data) {
            (Form::Truth, Data::Bool(value)) => Data::Bool(value),
            (Form::Number, Data::Int(value)) => Data::Int(value),
            (Form::Duration, Data::Text(text)) => match flags::seconds(&text) {
                Some(0) if self.nothing_is_default => return None,
                Some(seconds) => Data::Int(seconds),
                None => return Some(self.odd(&place)),
            },
            (Form::Text, Data::Text(text)) if text.is_empty() => return None,
            (Form::Text, Data::Text(text)) => Data::Text(text),
            (Form::Texts, Data::List(items)) => Data::List(items),
            (Form::Gates, Data::Map(entries)) => Data::Map(entries),
            _ => return Some(self.odd(&place)),
        };
        Some(Value { data, place })
    }

    fn odd(&self, place: &Place) -> Value {
        let why = format!(
            "`{}`, whose value the kubelet does not take",
            self.way.join(".")
        );
        Value::unknown(why, place)
    }

    /// Gates of flags count more, one by one (`kubeletConfigFlagPrecedence`).
    fn gates(&self, own: Option<Value>, given: &Given<'_>) -> Value {
        let mut place = given.place.clone();
        let mut gates = match own {
            Some(value) => {
                place = value.place.clone();
                match value.data {
                    Data::Map(entries) => entries,
                    data => return Value { data, place },
                }
            }
            None => Vec::new(),
        };
        for flag in given
            .flags
            .iter()
            .filter(|flag| Some(flag.name.as_str()) == self.flag)
        {
            place = flag.place.clone();
            for gate in flag.value.split(',') {
                let Some((name, text)) = gate.split_once('=') else {
                    continue;
                };
                let (name, text) = (name.trim(), text.trim());
                gates.retain(|(own, _)| own != name);
                if let Some(on) = flags::truth(text) {
                    gates.push((name.to_owned(), Value::new(on, &flag.place)));
                }
            }
        }
        gates.sort_by(|(one, _), (other, _)| one.cmp(other));
        Value::new(Data::Map(gates), &place)
    }
}
