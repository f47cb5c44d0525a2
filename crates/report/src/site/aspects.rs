//! The six technical aspects of a cluster, drawn: each part of the picture leads to its guidelines.

use guide::guideline::ASPECTS;
use maud::{Markup, html};

use super::{Site, lists, relative};

/// The picture, with the list that says the same beside it.
pub(super) fn figure(site: &Site<'_>, here: &str) -> Markup {
    let to = |id: &str| format!("{}#{id}", relative(here, lists::ASPECTS_PATH));
    let number = |id: &str| {
        let own = site.guide.guidelines.iter();
        own.filter(|guideline| &*guideline.aspect == id).count()
    };
    html! {
        figure.aspects {
            (picture(&to))
            figcaption {
                ol {
                    @for (id, title) in ASPECTS {
                        li { a href=(to(id)) { (title) } " " span.quiet { (number(id)) } }
                    }
                }
            }
        }
    }
}

/// A numbered part of the picture: which aspect, where its number stands, its box.
struct Part {
    aspect: usize,
    badge: (u16, u16),
    /// left, top, width, height
    area: (u16, u16, u16, u16),
    /// Lines of text with where they begin.
    lines: &'static [(u16, u16, &'static str)],
}

const PARTS: [Part; 6] = [
    Part {
        aspect: 2,
        badge: (188, 92),
        area: (188, 92, 264, 54),
        lines: &[
            (214, 115, "Traffic"),
            (214, 134, "gateway, firewall, egress"),
        ],
    },
    Part {
        aspect: 1,
        badge: (44, 232),
        area: (44, 232, 128, 118),
        lines: &[(60, 286, "API server"), (60, 306, "who may what?")],
    },
    Part {
        aspect: 5,
        badge: (204, 206),
        area: (204, 206, 236, 166),
        lines: &[(228, 231, "Network isolation")],
    },
    Part {
        aspect: 6,
        badge: (222, 266),
        area: (222, 266, 86, 84),
        lines: &[(246, 313, "Pods")],
    },
    Part {
        aspect: 3,
        badge: (120, 444),
        area: (120, 444, 148, 62),
        lines: &[(146, 470, "Images"), (146, 490, "registry")],
    },
    Part {
        aspect: 4,
        badge: (304, 444),
        area: (304, 444, 148, 62),
        lines: &[(330, 470, "Secrets"), (330, 490, "vault, identities")],
    },
];

fn picture(to: &dyn Fn(&str) -> String) -> Markup {
    html! {
        svg viewBox="0 0 480 520" role="group" aria-label="The six aspects, drawn: traffic comes from the internet through a gateway to the pods of a namespace; people and pipelines ask the API server; pods take images from a registry and secrets from a vault" {
            defs {
                marker #aspect-tip viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse" { path d="M0 0L8 4L0 8z" {} }
            }
            g.still aria-hidden="true" {
                text x="320" y="30" text-anchor="middle" { "Internet" }
                text x="108" y="128" text-anchor="middle" { "People," }
                text x="108" y="146" text-anchor="middle" { "pipelines" }
                rect.cluster x="20" y="180" width="440" height="212" rx="10" {}
                text.name x="36" y="204" { "Cluster" }
            }
            @for part in &PARTS { (self::part(part, to)) }
            g.lines aria-hidden="true" {
                path d="M320 40V86" {}
                path d="M320 146V200" {}
                path d="M108 158V226" {}
                path d="M172 310H216" {}
                path d="M194 444V400H258V356" {}
                path d="M378 444V400H382V356" {}
            }
            g.still aria-hidden="true" {
                rect.pod x="338" y="266" width="86" height="84" rx="6" {}
                text x="381" y="313" text-anchor="middle" { "Pod" }
                path.barred d="M308 308H338" {}
                path.bar d="M316 300l14 16M330 300l-14 16" {}
            }
        }
    }
}

fn part(part: &Part, to: &dyn Fn(&str) -> String) -> Markup {
    let Some((id, title)) = part.aspect.checked_sub(1).and_then(|at| ASPECTS.get(at)) else {
        return html! {};
    };
    let (x, y, width, height) = part.area;
    html! {
        a href=(to(id)) aria-label={ (part.aspect) ". " (title) } {
            rect x=(x) y=(y) width=(width) height=(height) rx="6" {}
            @for (at, (x, y, text)) in part.lines.iter().enumerate() {
                text.first[at == 0] x=(x) y=(y) { (text) }
            }
            circle cx=(part.badge.0) cy=(part.badge.1) r="13" {}
            text.number x=(part.badge.0) y=(part.badge.1 + 5) text-anchor="middle" { (part.aspect) }
        }
    }
}
