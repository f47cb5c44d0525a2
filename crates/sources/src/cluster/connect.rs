//! From a kubeconfig (or a pod's own service account) to a client, with errors that say what to do.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::Config;
use kube::client::AuthError;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::live::LiveError;

/// Which cluster, and as whom.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// A kubeconfig instead of `$KUBECONFIG` and `~/.kube/config`.
    pub(super) kubeconfig: Option<PathBuf>,
    /// A context of it instead of the current one.
    pub(super) context: Option<String>,
}

/// How to reach a cluster, before anything was asked.
#[derive(Debug)]
pub(super) struct Target {
    /// What people call it: the context's name.
    pub(super) name: String,
    from: From,
}

#[derive(Debug)]
enum From {
    Kubeconfig(Box<Kubeconfig>, String),
    Pod,
}

/// How long to wait for a connection, and for the server's next words.
const CONNECT: Duration = Duration::from_secs(10);
pub(super) const SILENCE: Duration = Duration::from_secs(60);

fn error(message: impl Into<String>, help: impl Into<String>) -> LiveError {
    LiveError {
        message: message.into(),
        help: Some(help.into()),
    }
}

impl Target {
    /// Reads the kubeconfig; nothing is sent yet.
    pub(super) fn of(choice: &Choice) -> Result<Self, LiveError> {
        let read = match &choice.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let kubeconfig = match read {
            Ok(kubeconfig) => kubeconfig,
            Err(trouble) => return Self::without_kubeconfig(choice, &trouble),
        };
        let known: Vec<&str> = kubeconfig
            .contexts
            .iter()
            .map(|context| context.name.as_str())
            .collect();
        let listed = if known.is_empty() {
            "the kubeconfig has no context; `az aks get-credentials` adds one".to_owned()
        } else {
            let word = if known.len() == 1 { "is" } else { "are" };
            format!("there {word} `{}`", known.join("`, `"))
        };
        let context = choice
            .context
            .clone()
            .or_else(|| kubeconfig.current_context.clone())
            .filter(|name| !name.is_empty())
            .ok_or_else(|| {
                error(
                    "the kubeconfig says no current context",
                    format!("choose one with `--context NAME`; {listed}"),
                )
            })?;
        if !known.contains(&context.as_str()) {
            return Err(error(
                format!("there is no context `{context}` in the kubeconfig"),
                listed,
            ));
        }
        Ok(Self {
            name: context.clone(),
            from: From::Kubeconfig(Box::new(kubeconfig), context),
        })
    }

    fn without_kubeconfig(choice: &Choice, trouble: &KubeconfigError) -> Result<Self, LiveError> {
        let absent = match trouble {
            KubeconfigError::FindPath => true,
            KubeconfigError::ReadConfig(error, _) => error.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if absent && choice.kubeconfig.is_none() && choice.context.is_none() && in_a_pod() {
            return Ok(Self {
                name: "of this pod".to_owned(),
                from: From::Pod,
            });
        }
        Err(kubeconfig_error(trouble, choice.kubeconfig.as_deref()))
    }

    /// The settings of the client. An exec plug-in has not run yet.
    pub(super) async fn config(&self) -> Result<Config, LiveError> {
        let mut config = match &self.from {
            From::Kubeconfig(kubeconfig, context) => {
                let options = KubeConfigOptions {
                    context: Some(context.clone()),
                    ..KubeConfigOptions::default()
                };
                let config = Config::from_custom_kubeconfig((**kubeconfig).clone(), &options)
                    .await
                    .map_err(|trouble| kubeconfig_error(&trouble, None))?;
                let own_proxy = kubeconfig.clusters.iter().any(|cluster| {
                    let cluster = cluster.cluster.as_ref();
                    cluster.is_some_and(|cluster| {
                        cluster
                            .proxy_url
                            .as_deref()
                            .is_some_and(|url| !url.is_empty())
                    })
                });
                Settings { config, own_proxy }.without_needless_proxy()
            }
            From::Pod => Config::incluster().map_err(|trouble| {
                error(
                    format!("the service account of this pod cannot be used: {trouble}"),
                    "mount a service account token, or give `--kubeconfig FILE`",
                )
            })?,
        };
        if config.auth_info.auth_provider.is_some() {
            return Err(error(
                "the kubeconfig signs in with an `auth-provider`, which Kubernetes no longer has",
                "`kubelogin convert-kubeconfig -l azurecli` writes it anew",
            ));
        }
        config.cluster_url = with_scheme(config.cluster_url)?;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(SILENCE);
        config.write_timeout = Some(SILENCE);
        config.reset_reader_on_write = true;
        // Retries are made where the answer's `Retry-After` and the time left are known.
        config.default_retry = false;
        Ok(config)
    }
}

/// The program that a kubeconfig names for signing in.
pub(super) struct Program {
    pub(super) name: String,
    /// It may ask somebody something.
    pub(super) interactive: bool,
}

impl Program {
    pub(super) fn of(config: &Config) -> Option<Self> {
        let exec = config.auth_info.exec.as_ref()?;
        Some(Self {
            name: exec.command.clone().unwrap_or_default(),
            interactive: exec.interactive_mode != Some(ExecInteractiveMode::Never),
        })
    }

    /// It gave nothing in that time.
    pub(super) fn silent(&self, time: Duration) -> LiveError {
        let name = &self.name;
        error(
            format!(
                "`{name}`, which signs in, gave no token in {} s",
                time.as_secs()
            ),
            format!("run `{name}` by hand, as the kubeconfig says: `kubectl config view`"),
        )
    }
}

/// A server without a scheme is meant to speak TLS, as kubectl takes it where a certificate is given
/// (client-go, `DefaultServerURL`).
fn with_scheme(url: http::Uri) -> Result<http::Uri, LiveError> {
    if url.scheme().is_some() {
        return Ok(url);
    }
    format!("https://{url}").parse().map_err(|_| {
        error(
            "the `server` of the kubeconfig is no address",
            "write it as `server: https://NAME:443`, or write the kubeconfig again: \
             `az aks get-credentials`",
        )
    })
}

/// A server's address as it may be shown: a name, a password or a query in it may be credentials.
pub(super) fn shown(url: &http::Uri) -> String {
    let host = url.host().unwrap_or_default();
    let scheme = url.scheme_str().unwrap_or("https");
    let port = url
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    let path = url.path().trim_end_matches('/');
    format!("{scheme}://{host}{port}{path}")
}

struct Settings {
    config: Config,
    own_proxy: bool,
}

impl Settings {
    /// `HTTPS_PROXY` does not hold for what `NO_PROXY` names, and never for this machine itself, as
    /// in Go's net/http (`ProxyFromEnvironment`), which kubectl uses.
    fn without_needless_proxy(self) -> Config {
        let mut config = self.config;
        if self.own_proxy || config.proxy_url.is_none() {
            return config;
        }
        let host = config.cluster_url.host().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        let listed = ["NO_PROXY", "no_proxy"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .any(|list| exempt(&list, &host));
        let local = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if listed || local {
            config.proxy_url = None;
        }
        config
    }
}

/// Whether a `NO_PROXY` list names a host.
fn exempt(list: &str, host: &str) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let name = entry.split(':').next().unwrap_or_default();
        let domain = name.trim_start_matches("*.").trim_start_matches('.');
        entry == "*"
            || (!domain.is_empty()
                && (host == domain
                    || host
                        .strip_suffix(domain)
                        .is_some_and(|before| before.ends_with('.'))))
            || in_range(entry, host)
    })
}

/// Whether `10.0.0.0/8` holds an address.
fn in_range(entry: &str, host: &str) -> bool {
    let Some((network, length)) = entry.split_once('/') else {
        return false;
    };
    let (Ok(network), Ok(host), Ok(length)) = (
        network.parse::<std::net::Ipv4Addr>(),
        host.parse::<std::net::Ipv4Addr>(),
        length.parse::<u32>(),
    ) else {
        return false;
    };
    let mask = u32::MAX
        .checked_shl(32_u32.saturating_sub(length))
        .unwrap_or(0);
    length <= 32 && u32::from(network) & mask == u32::from(host) & mask
}

/// A mounted service account, and where the API server is.
fn in_a_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        && Path::new("/var/run/secrets/kubernetes.io/serviceaccount/token").is_file()
}

/// A kubeconfig holds credentials: of what stands in it nothing but names is shown.
fn kubeconfig_error(trouble: &KubeconfigError, given: Option<&Path>) -> LiveError {
    let which = given.map_or_else(
        || "the kubeconfig".to_owned(),
        |path| format!("the kubeconfig `{}`", path.display()),
    );
    let get = "`az aks get-credentials --resource-group GROUP --name CLUSTER` writes one, \
               `--kubeconfig FILE` names another";
    match trouble {
        KubeconfigError::FindPath => error("there is no kubeconfig", get),
        KubeconfigError::ReadConfig(cause, path) if cause.kind() == io::ErrorKind::NotFound => {
            error(
                format!(
                    "there is no kubeconfig: `{}` does not exist",
                    path.display()
                ),
                get,
            )
        }
        KubeconfigError::ReadConfig(cause, path) => error(
            format!("cannot read the kubeconfig `{}`: {cause}", path.display()),
            get,
        ),
        KubeconfigError::Parse(_) => error(
            format!("{which} cannot be understood: it is no YAML of a kubeconfig"),
            "`kubectl config view` shows what kubectl makes of it",
        ),
        KubeconfigError::LoadClusterOfContext(name) => error(
            format!("the context names the cluster `{name}`, which {which} does not have"),
            "choose another with `--context NAME`, or write the file again: `az aks get-credentials`",
        ),
        KubeconfigError::LoadCertificateAuthority(_)
        | KubeconfigError::LoadClientCertificate(_)
        | KubeconfigError::LoadClientKey(_) => error(
            format!("{which} names a certificate or key that cannot be read"),
            "write it again: `az aks get-credentials`",
        ),
        other => error(
            format!("{which} cannot be used: {other}"),
            "`kubectl config view` shows what kubectl makes of it",
        ),
    }
}

/// Why no client could be made: the exec plug-in is missing or failed. Its standard output may hold
/// a token and is never shown.
pub(super) fn client_error(trouble: &kube::Error) -> LiveError {
    let sign_in = "sign in again (`az login`, then `kubelogin convert-kubeconfig -l azurecli`)";
    let auth = match trouble {
        kube::Error::Auth(auth) => Some(auth),
        other => other
            .source()
            .and_then(|source| source.downcast_ref::<AuthError>()),
    };
    match auth {
        Some(AuthError::AuthExecStart(cause)) if cause.kind() == io::ErrorKind::NotFound => error(
            "the program that the kubeconfig names for signing in is not installed",
            "for AKS it is kubelogin: `az aks install-cli` installs it",
        ),
        Some(AuthError::AuthExecRun { cmd, out }) => {
            let told = String::from_utf8_lossy(&out.stderr);
            let line = told.lines().rfind(|line| !line.trim().is_empty());
            let program = program_of(cmd);
            error(
                format!(
                    "`{program}`, which signs in, failed: {}",
                    line.unwrap_or("it says no reason").trim()
                ),
                sign_in,
            )
        }
        Some(
            AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed | AuthError::AuthExec(_),
        ) => error(
            "the program that the kubeconfig names for signing in gave no token",
            sign_in,
        ),
        Some(AuthError::ReadTokenFile(cause, path)) => error(
            format!("cannot read the token `{}`: {cause}", path.display()),
            "write the kubeconfig again: `az aks get-credentials`",
        ),
        _ => match trouble {
            kube::Error::ProxyProtocolUnsupported { .. }
            | kube::Error::ProxyProtocolDisabled { .. } => error(
                "the proxy that is configured cannot be used",
                "give an `http://` proxy in `HTTPS_PROXY` or the kubeconfig's `proxy-url`",
            ),
            kube::Error::RustlsTls(cause) => error(
                format!("the certificates of the kubeconfig cannot be used: {cause}"),
                "write it again: `az aks get-credentials`",
            ),
            other => error(
                format!(
                    "no connection can be made: {}",
                    one_line(&other.to_string())
                ),
                "`kubectl get namespaces` says whether kubectl can",
            ),
        },
    }
}

/// The program of a command as Rust shows one: `NAME="value" "program" "argument"`. The rest may hold
/// credentials.
fn program_of(command: &str) -> &str {
    let mut rest = command;
    for _ in 0..64 {
        let Some((before, quoted)) = rest.split_once('"') else {
            break;
        };
        let mut escaped = false;
        let end = quoted.find(|character| {
            let closes = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            closes
        });
        let (Some(text), Some(after)) = (
            end.and_then(|end| quoted.get(..end)),
            end.and_then(|end| quoted.get(end + 1..)),
        ) else {
            break;
        };
        if !before.ends_with('=') {
            return text;
        }
        rest = after;
    }
    "the program"
}

/// What an I/O error was made of: `source` leaves that out.
fn tls_within(error: &io::Error) -> Option<&rustls::Error> {
    let mut error = error;
    for _ in 0..8 {
        let inner = error.get_ref()?;
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        error = inner.downcast_ref::<io::Error>()?;
    }
    None
}

/// Why a server could not be reached.
pub(super) fn unreachable(url: &str, trouble: &kube::Error) -> LiveError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(trouble);
    let mut last = String::new();
    for _ in 0..16 {
        let Some(this) = cause else {
            break;
        };
        last = this.to_string();
        if let Some(tls) = this.downcast_ref::<rustls::Error>() {
            return tls_error(url, tls);
        }
        if let Some(io) = this.downcast_ref::<io::Error>() {
            if let Some(tls) = tls_within(io) {
                return tls_error(url, tls);
            }
            match io.kind() {
                io::ErrorKind::ConnectionRefused => {
                    return error(
                        format!("nothing answers at {url}: the connection was refused"),
                        "is the cluster running? `az aks show --query powerState` says, and \
                         `--context NAME` chooses another",
                    );
                }
                io::ErrorKind::TimedOut => return silent(url),
                _ => {}
            }
        }
        cause = this.source();
    }
    let message = one_line(&last);
    if message.contains("lookup") || message.contains("dns") || message.contains("resolve") {
        return error(
            format!("the name in {url} is not known here: {message}"),
            "a private cluster's name is only known in its network: connect to that, or use \
             `az aks command invoke`",
        );
    }
    if message.contains("deadline") || message.contains("timed out") || message.contains("timeout")
    {
        return silent(url);
    }
    error(
        format!("{url} cannot be reached: {message}"),
        "`kubectl get namespaces` says whether kubectl can",
    )
}

/// The server said nothing in time.
pub(super) fn silent(url: &str) -> LiveError {
    error(
        format!("{url} does not answer in time"),
        "is this address allowed? `az aks show --query apiServerAccessProfile` shows the authorized \
         ranges; a private cluster answers in its network only",
    )
}

fn tls_error(url: &str, trouble: &rustls::Error) -> LiveError {
    error(
        format!("the certificate of {url} is not trusted: {trouble}"),
        "write the kubeconfig again (`az aks get-credentials`): the cluster's certificates may have been \
         rotated",
    )
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_command_only_the_program_is_shown() {
        for (command, program) in [
            (r#""/bin/sh" "-c" "secret""#, "/bin/sh"),
            (
                r#"A="{\"b\":\"c\"}" B="d" "kubelogin" "get-token""#,
                "kubelogin",
            ),
            (r#"A="never closed"#, "the program"),
            ("", "the program"),
        ] {
            assert_eq!(program_of(command), program, "{command}");
        }
    }

    #[test]
    fn of_a_server_neither_name_nor_password_is_shown() {
        for (url, is) in [
            ("https://aks.example:443/", "https://aks.example:443"),
            (
                "https://me:canary@aks.example/k8s?x=canary",
                "https://aks.example/k8s",
            ),
            ("https://[::1]:6443", "https://[::1]:6443"),
            ("127.0.0.1:6443", "https://127.0.0.1:6443"),
        ] {
            let url = with_scheme(url.parse().unwrap()).unwrap();
            assert_eq!(shown(&url), is);
        }
    }

    #[test]
    fn no_proxy_names_hosts_domains_and_ranges() {
        for (list, host, yes) in [
            ("*", "aks.example", true),
            ("example", "aks.example", true),
            (".example", "aks.example", true),
            ("*.example", "aks.example", true),
            ("ample", "aks.example", false),
            ("a, 10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("", "aks.example", false),
        ] {
            assert_eq!(exempt(list, host), yes, "{list} {host}");
        }
    }
}
