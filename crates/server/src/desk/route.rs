//! Which page answers what, and for whom. Nothing but signing in is answered to who is not signed in.
//!
//! What it deliberately leaves out: what pages look like.

use std::sync::Arc;

use super::issuer;
use super::pages::{self, Frame};
use super::request::{Asked, Replied};
use super::rights::Denied;
use super::session::{COOKIE, Session, Who, expiry, no_cookie};
use super::sight::Sight;
use super::{Desk, PAGES, SIGN_INS};

/// The longest token that is reviewed.
const TOKEN: usize = 16 * 1024;

/// Answers. Blocks.
pub(super) fn answer(desk: &Arc<Desk>, asked: &Asked) -> Replied {
    match (asked.post, &*asked.path) {
        (false, "/style.css") => return file("text/css; charset=utf-8", pages::style()),
        (false, "/script.js") => {
            return file("text/javascript; charset=utf-8", pages::SCRIPT.to_owned());
        }
        (false, "/healthz") => {
            return Replied::text(200, "text/plain; charset=utf-8", "ok\n".to_owned());
        }
        (true, _) if !asked.own => {
            desk.refused("origin");
            return Replied::page(
                403,
                pages::sign_in(desk, "That came from another page. Sign in here."),
            );
        }
        (true, "/sign-in") => return sign_in(desk, asked),
        (false, "/sign-in/issuer") => return begin(desk),
        (false, "/sign-in/back") => return end(desk, asked),
        _ => {}
    }
    let now = desk.now();
    let session = asked
        .cookie(COOKIE)
        .and_then(|sealed| Session::of(sealed, &desk.options.key, now))
        .filter(|session| !desk.signed_out.has(session));
    let Some(session) = session else {
        return nobody(desk, asked);
    };
    if asked.post {
        return match &*asked.path {
            "/sign-out" => {
                desk.signed_out.add(&session, now);
                Replied::to("/sign-in").with_cookie(no_cookie(COOKIE))
            }
            _ => Replied::page(405, pages::sign_in(desk, "There is nothing to send here.")),
        };
    }
    if asked.path == "/sign-in" {
        return Replied::to("/");
    }
    let sight = match Sight::of(desk, &session.who) {
        Ok(sight) => sight,
        Err(denied) => {
            desk.refused("unanswered");
            return Replied::page(503, pages::sign_in(desk, &unanswered(&denied)));
        }
    };
    let frame = Frame {
        desk,
        sight: &sight,
        who: &session.who.name,
        asked,
        now,
    };
    if let Some((path, form)) = pages::Form::of(&asked.path) {
        return match pages::list(&frame, path, form) {
            Some(file) => {
                desk.options.metrics.count(PAGES, &[]);
                file
            }
            None => {
                desk.refused("path");
                Replied::page(404, pages::missing(&frame))
            }
        };
    }
    let page = pages::page(&frame);
    match page {
        Some(page) => {
            desk.options.metrics.count(PAGES, &[]);
            Replied::page(200, page)
        }
        None => {
            desk.refused("path");
            Replied::page(404, pages::missing(&frame))
        }
    }
}

fn file(kind: &'static str, text: String) -> Replied {
    Replied::text(200, kind, text)
}

/// Somebody who is not signed in, or not any more.
fn nobody(desk: &Desk, asked: &Asked) -> Replied {
    let had = asked.cookie(COOKIE).is_some();
    if had {
        desk.refused("session");
    }
    let said = if had {
        "Your session has ended. Sign in again."
    } else {
        ""
    };
    match (asked.post, &*asked.path) {
        (false, "/sign-in") => {
            let page = Replied::page(200, pages::sign_in(desk, said));
            if had {
                page.with_cookie(no_cookie(COOKIE))
            } else {
                page
            }
        }
        (false, _) => Replied::to("/sign-in"),
        (true, _) => Replied::page(401, pages::sign_in(desk, "Sign in first.")),
    }
}

fn unanswered(denied: &Denied) -> String {
    match denied {
        Denied::Nobody => "You are nobody that the cluster knows.".to_owned(),
        Denied::Silent(why) => format!(
            "The API server could not be asked what you may see: {why}. Nothing is shown without its answer."
        ),
    }
}

fn sign_in(desk: &Desk, asked: &Asked) -> Replied {
    let result = |word| desk.options.metrics.count(SIGN_INS, &[("result", word)]);
    let token = asked.form.get("token").trim();
    if token.is_empty() || token.len() > TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic())
    {
        result("malformed");
        return Replied::page(400, pages::sign_in(desk, "That is no token."));
    }
    let who = match desk.rights.who(token) {
        Ok(who) => who,
        Err(Denied::Nobody) => {
            result("refused");
            return Replied::page(
                401,
                pages::sign_in(
                    desk,
                    "The cluster does not know this token, or it has ended.",
                ),
            );
        }
        Err(Denied::Silent(why)) => {
            result("unanswered");
            let said = format!("The API server could not be asked whose token this is: {why}.");
            return Replied::page(503, pages::sign_in(desk, &said));
        }
    };
    match admitted(desk, who, expiry(token)) {
        Ok(cookie) => Replied::to("/").with_cookie(cookie),
        Err(refused) => refused,
    }
}

/// The cookie of a new session.
fn admitted(desk: &Desk, who: Who, until: Option<i64>) -> Result<String, Replied> {
    let result = |word| desk.options.metrics.count(SIGN_INS, &[("result", word)]);
    let now = desk.now();
    let session = Session::begin(who, until, now)
        .map_err(|why| Replied::page(500, pages::sign_in(desk, &why)))?;
    let Some(cookie) = session.cookie(&desk.options.key, now) else {
        result("too-large");
        let said = "You are in more groups than a session can hold.";
        return Err(Replied::page(403, pages::sign_in(desk, said)));
    };
    result("signed-in");
    Ok(cookie)
}

/// To the issuer.
fn begin(desk: &Desk) -> Replied {
    let Some(relying) = &desk.relying else {
        return Replied::to("/sign-in");
    };
    match relying.begin(&desk.options.key, desk.now()) {
        Ok((address, cookie)) => Replied::to(address).with_cookie(cookie),
        Err(why) => {
            desk.options
                .metrics
                .count(SIGN_INS, &[("result", "unanswered")]);
            Replied::page(
                503,
                pages::sign_in(desk, &format!("It cannot be signed in there: {why}.")),
            )
        }
    }
}

/// Back from the issuer.
fn end(desk: &Desk, asked: &Asked) -> Replied {
    let Some(relying) = &desk.relying else {
        return Replied::to("/sign-in");
    };
    let begun = asked.cookie(issuer::COOKIE).unwrap_or_default();
    let signed_in = relying
        .end(&asked.query, begun, &desk.options.key, desk.now())
        .map_err(|why| {
            desk.options
                .metrics
                .count(SIGN_INS, &[("result", "refused")]);
            Replied::page(
                401,
                pages::sign_in(desk, &format!("You are not signed in: {why}.")),
            )
        })
        .and_then(|(who, until)| admitted(desk, who, Some(until)));
    match signed_in {
        Ok(cookie) => Replied::page(200, pages::arrived())
            .with_cookie(cookie)
            .with_cookie(no_cookie(issuer::COOKIE)),
        Err(refused) => refused.with_cookie(no_cookie(issuer::COOKIE)),
    }
}
