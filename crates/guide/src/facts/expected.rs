//! What network policies say of an attempt that a probe made (`Probe.seawall.dev`).

use std::net::IpAddr;

use analysis::notes::Read;
use analysis::reach::{Aim, Opinion, PortSet, Protocol, Reach, Verdict, address};
use bumpalo::Bump;
use cel::{Unknown, Val};
use model::{Ref, Within, unknown};

use super::Facts;
use crate::context::Value;

/// The ports that an API server is reached at: through its Service it is asked at 443, and answers at the port of its
/// endpoints (443 on AKS, 6443 where kubeadm made it).
const API_SERVER: [u16; 2] = [443, 6443];

/// The kinds that decide what policies say.
const DECIDE: [&str; 2] = ["NetworkPolicy", "Namespace"];

/// An attempt, as the report has it.
struct Attempt<'a> {
    to: &'a str,
    address: Option<IpAddr>,
    protocol: Protocol,
    port: u16,
    /// Of a workload: which, and the port of its pods.
    workload: Option<Ref<'a>>,
    pod_port: Option<u16>,
}

impl<'a> Facts<'a> {
    /// `facts.expected[ID]`: whether the attempt is let through, and what that rests on.
    pub(crate) fn expected(&self, id: &str, bump: &'a Bump) -> Option<Value<'a>> {
        let attempt = self.attempt(id)?;
        let opinion = match self.opinion(&attempt) {
            Ok(opinion) => opinion,
            Err(reason) => return Some(Val::Unknown(reason)),
        };
        let open = match opinion.verdict {
            Verdict::Yes => Val::Bool(true),
            Verdict::No => Val::Bool(false),
            Verdict::Unknown => Val::Unknown(self.undecided(&attempt)),
        };
        let entries = [
            (Val::Str("open"), open),
            (
                Val::Str("because"),
                Val::Str(bump.alloc_str(&opinion.because)),
            ),
        ];
        Some(Val::map(bump, &entries, None))
    }

    fn attempt(&self, id: &str) -> Option<Attempt<'a>> {
        let results = self.resource.object().get("results")?;
        let text = |of: Ref<'a>, key: &str| of.get(key).and_then(Ref::as_str);
        let found = results.items().find(|one| text(*one, "id") == Some(id))?;
        let number = |key: &str| {
            let number = found.get(key).and_then(Ref::as_int)?;
            u16::try_from(number).ok()
        };
        Some(Attempt {
            to: text(found, "to")?,
            address: text(found, "address").and_then(|text| text.parse().ok()),
            protocol: Protocol::parse(text(found, "protocol")?)?,
            port: number("port")?,
            workload: found.get("workload"),
            pod_port: number("podPort"),
        })
    }

    /// What is expected, or why that is not known.
    fn opinion(&self, attempt: &Attempt<'_>) -> Result<Opinion, Unknown> {
        let reach = self.analyses.reach();
        let object = self.resource.object();
        let from = object.get("workload").ok_or(unknown::NOT_GIVEN)?;
        let from = self.number_of(reach, from)?;
        let own = PortSet::port(attempt.protocol, attempt.port);
        let says = |aim: Aim, ports: &PortSet| {
            reach
                .opinion(self.analyses.estate, from, aim, ports)
                .ok_or(unknown::NOT_GIVEN)
        };
        match (attempt.to, attempt.workload, attempt.address) {
            ("workload", Some(to), _) => {
                let to = self.number_of(reach, to)?;
                let port = attempt.pod_port.ok_or(unknown::NOT_GIVEN)?;
                says(Aim::Workload(to), &PortSet::port(attempt.protocol, port))
            }
            ("node", ..) => says(Aim::OwnNode, &own),
            ("api-server", ..) => {
                let ports = API_SERVER.map(|port| PortSet::port(attempt.protocol, port));
                let ports = ports
                    .iter()
                    .fold(PortSet::none(), |all, one| all.union(one));
                says(Aim::ApiServer, &ports)
            }
            ("dns", _, Some(at)) => self.of_service(reach, from, at, &own),
            ("metadata" | "wire-server", _, Some(at)) => says(Aim::Address(at), &own),
            // A private address may be that of pods, of nodes, or of something private.
            ("internet", _, Some(at)) if address::public().covers(&address::single(at)) => {
                says(Aim::Address(at), &own)
            }
            _ => Err(unknown::NOT_GIVEN),
        }
    }

    /// What is expected of a Service's own address: of the pods behind it.
    fn of_service(
        &self,
        reach: &Reach,
        from: usize,
        at: IpAddr,
        asked: &PortSet,
    ) -> Result<Opinion, Unknown> {
        let estate = self.analyses.estate;
        self.analyses.note(&Read::All("Service"));
        let leads = |service: &model::Resource| {
            let address = service.object().path(&["spec", "clusterIP"]);
            address
                .and_then(Ref::as_str)
                .and_then(|text| text.parse::<IpAddr>().ok())
                == Some(at)
        };
        let doors = reach.doors(estate);
        let door = doors.iter().find(|door| {
            asked.contains(door.protocol, door.port) && estate.get(door.service).is_some_and(leads)
        });
        let door = door.ok_or(unknown::NOT_GIVEN)?;
        let ports = PortSet::port(door.protocol, door.target);
        reach
            .opinion(estate, from, Aim::Workload(door.workload), &ports)
            .ok_or(unknown::NOT_GIVEN)
    }

    /// The number of a workload that the report names.
    fn number_of(&self, reach: &Reach, workload: Ref<'_>) -> Result<usize, Unknown> {
        let text = |key: &str| workload.get(key).and_then(Ref::as_str).unwrap_or_default();
        let found = reach.workload_named(text("namespace"), text("kind"), text("name"));
        let found = found.ok_or(unknown::NOT_GIVEN)?;
        if let Some(one) = reach.workloads().get(found)
            && let Some(resource) = self.analyses.estate.get(one.resource)
        {
            self.analyses.note(&Read::Network(&resource.origin.path));
        }
        Ok(found)
    }

    /// Why policies do not decide it.
    fn undecided(&self, attempt: &Attempt<'_>) -> Unknown {
        let own = self.resource.name.namespace.as_deref();
        let other = attempt
            .workload
            .and_then(|workload| workload.get("namespace")?.as_str());
        [own, other]
            .into_iter()
            .flatten()
            .find_map(|namespace| {
                self.analyses
                    .estate
                    .absent_any(&DECIDE, Within::Namespace(namespace))
            })
            .unwrap_or_else(|| self.absent(&DECIDE))
    }
}
