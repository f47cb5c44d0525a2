//! One audit event: what its record says, and how much of the record was there.
//!
//! Everything borrows from the text of the record; lists and objects are text until somebody asks. A record may
//! end anywhere (AKS cuts them at 16 KiB, Azure/AKS#4635), so every field is a [`Field`]: known, absent, or cut
//! off, which is neither. What a cut record cannot say is never guessed; what follows from the order in which the
//! API server writes (apiserver/pkg/apis/audit/v1/types.go, `Event`) and from the level is no guess.

use std::borrow::Cow;

mod usual;

use crate::request::{Asked, Request};
use crate::scan::{End, Raw, Scan, text, unescape};

pub(crate) use usual::quoted;

/// How the API server begins an event, and how that stands in a string.
pub(crate) const BEGIN: (&[u8], &[u8]) = (
    br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1""#,
    br#"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\""#,
);

/// A value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// The record has none.
    #[default]
    Absent,
    /// What it says.
    Known(T),
    /// The record ends within it: this much was there.
    Begun(T),
    /// The record ends before it, or it was left out for its size.
    Cut,
}

impl<T> Field<T> {
    /// The value, where all of it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// What there is of the value.
    pub const fn there(&self) -> Option<&T> {
        match self {
            Self::Known(value) | Self::Begun(value) => Some(value),
            Self::Absent | Self::Cut => None,
        }
    }

    /// Whether nobody can say what stands here.
    pub const fn is_cut(&self) -> bool {
        matches!(self, Self::Begun(_) | Self::Cut)
    }

    /// The same field of another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Known(value) => Field::Known(change(value)),
            Self::Begun(value) => Field::Begun(change(value)),
            Self::Cut => Field::Cut,
        }
    }
}

/// A text of a record.
pub type Text<'a> = Field<Cow<'a, str>>;

impl Field<Cow<'_, str>> {
    /// The text where it is known, else nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.known().map_or("", |text| text.as_ref())
    }
}

/// A JSON value as it is written, or its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a> {
    /// From its opening bracket on, as it stands in the record.
    raw: &'a [u8],
    /// Whether the end is there too.
    pub whole: bool,
    /// It stands within a string, with the escapes that this takes.
    quoted: bool,
}

impl<'a> Json<'a> {
    /// A value that stands for itself.
    #[must_use]
    pub const fn new(text: &'a [u8], whole: bool) -> Self {
        Self {
            raw: text,
            whole,
            quoted: false,
        }
    }

    /// The text, from its opening bracket on.
    #[must_use]
    pub fn text(&self) -> Cow<'a, [u8]> {
        if !self.quoted {
            return Cow::Borrowed(self.raw);
        }
        let mut text = Vec::with_capacity(self.raw.len());
        unescape(self.raw, &mut text);
        Cow::Owned(text)
    }

    /// What tells it from others, without a copy: two texts that differ never have the same, and one text has two only
    /// where it was written down in two ways.
    #[must_use]
    pub const fn written(&self) -> &'a [u8] {
        self.raw
    }

    /// The strings of a list, as far as it goes.
    #[must_use]
    pub fn strings(self) -> Vec<Cow<'a, str>> {
        match self.text() {
            Cow::Borrowed(text) => strings(text),
            Cow::Owned(text) => strings(&text).into_iter().map(owned).collect(),
        }
    }

    /// The keys of an object of lists, and the strings of these.
    #[must_use]
    pub fn lists(self) -> Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)> {
        match self.text() {
            Cow::Borrowed(text) => lists(text),
            Cow::Owned(text) => lists(&text)
                .into_iter()
                .map(|(name, list)| (owned(name), list.into_iter().map(owned).collect()))
                .collect(),
        }
    }

    /// The text of a key; cut off where the object ends before it.
    #[must_use]
    pub fn string(self, key: &str) -> Text<'a> {
        match self.text() {
            Cow::Borrowed(text) => string(text, key),
            Cow::Owned(text) => string(&text, key).map(owned),
        }
    }
}

fn owned<'a>(text: Cow<'_, str>) -> Cow<'a, str> {
    Cow::Owned(text.into_owned())
}

fn strings(list: &[u8]) -> Vec<Cow<'_, str>> {
    let mut all = Vec::new();
    Scan::new(list).items(|scan| {
        let item = scan.value();
        if let Field::Known(item) = text_of(item) {
            all.push(item);
        }
        item.end()
    });
    all
}

fn lists(object: &[u8]) -> Vec<(Cow<'_, str>, Vec<Cow<'_, str>>)> {
    let mut all = Vec::new();
    Scan::new(object).entries(|name, scan| {
        let value = scan.value();
        if let Field::Known(list) | Field::Begun(list) = json_of(value) {
            all.push((text(name, name.contains(&b'\\'), true), list.strings()));
        }
        value.end()
    });
    all
}

fn string<'t>(object: &'t [u8], key: &str) -> Text<'t> {
    let mut found = None;
    let end = Scan::new(object).entries(|name, scan| {
        let value = scan.value();
        let is_it = name == key.as_bytes()
            || name.contains(&b'\\') && text(name, true, true).as_ref() == key;
        if is_it {
            found = Some(text_of(value));
            // Nobody writes a key twice; what follows is not looked at.
            return End::Wrong;
        }
        value.end()
    });
    match found {
        Some(found) => found,
        None if end == End::Whole => Field::Absent,
        None => Field::Cut,
    }
}

/// Whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User<'a> {
    /// The name that authentication gave.
    pub name: Text<'a>,
    /// `uid`
    pub uid: Text<'a>,
    /// The groups, a list.
    pub groups: Field<Json<'a>>,
    /// What else authentication said, an object of lists.
    pub extra: Field<Json<'a>>,
}

/// What a request was about; empty for paths that are no resources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectRef<'a> {
    /// `pods`
    pub resource: Text<'a>,
    /// its namespace
    pub namespace: Text<'a>,
    /// Its name. The API server adds that of a created object, which the authorizer was not asked about
    /// (apiserver/pkg/audit/request.go, `LogRequestObject`).
    pub name: Text<'a>,
    /// absent in the core group
    pub group: Text<'a>,
    /// `v1`
    pub version: Text<'a>,
    /// `exec`
    pub subresource: Text<'a>,
    /// `uid`
    pub uid: Text<'a>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response<'a> {
    /// The HTTP status.
    pub code: Field<i64>,
    /// `Success`, `Failure`
    pub status: Text<'a>,
    /// `Forbidden`
    pub reason: Text<'a>,
    /// what people are told
    pub message: Text<'a>,
}

/// An audit event (`audit.k8s.io/v1`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// `Metadata`, `Request`, `RequestResponse`
    pub level: Text<'a>,
    /// The request's id. Whoever asks may choose it, and its length (apiserver/pkg/endpoints/filters/audit_init.go).
    pub audit_id: Text<'a>,
    /// `RequestReceived`, `ResponseStarted`, `ResponseComplete`, `Panic`
    pub stage: Text<'a>,
    /// The path and query that were asked for.
    pub request_uri: Text<'a>,
    /// `get`, `create` …; for a path that is no resource the method in lower case.
    pub verb: Text<'a>,
    /// Who asked.
    pub user: Field<User<'a>>,
    /// As whom they asked, where that is somebody else.
    pub impersonated: Field<User<'a>>,
    /// From where, a list: the first is what the client said of itself.
    pub source_ips: Field<Json<'a>>,
    /// `userAgent`
    pub user_agent: Text<'a>,
    /// What it was about.
    pub object_ref: Field<ObjectRef<'a>>,
    /// What was answered.
    pub response: Field<Response<'a>>,
    /// What was sent.
    pub request_object: Field<Json<'a>>,
    /// What came back.
    pub response_object: Field<Json<'a>>,
    /// When the request came.
    pub received: Text<'a>,
    /// When this stage was reached.
    pub stage_time: Text<'a>,
    /// What authorization and admission noted.
    pub annotations: Field<Json<'a>>,
    /// The whole record.
    pub json: Json<'a>,
    /// Whether it is no JSON from some place on, instead of only ending early.
    pub damaged: bool,
}

/// The annotation that says `allow` or `forbid` (apiserver/pkg/endpoints/filters/authorization.go).
pub const DECISION: &str = "authorization.k8s.io/decision";
/// How annotations begin that say so, and how that stands in a string: keys are sorted.
const ALLOW: (&[u8], &[u8]) = (
    br#"{"authorization.k8s.io/decision":"allow""#,
    br#"{\"authorization.k8s.io/decision\":\"allow\""#,
);
/// The annotation that says why.
pub const REASON: &str = "authorization.k8s.io/reason";

/// The keys in the order in which the API server writes them.
pub(crate) const KEYS: [&str; 19] = [
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "authenticationMetadata",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "annotations",
];

impl<'a> Event<'a> {
    /// Reads the record that a text begins with. `None` when it is none: no object, or one without anything that
    /// an audit event says.
    #[must_use]
    pub fn read(record: &'a [u8]) -> Option<Self> {
        let usual = || usual::plain(std::str::from_utf8(record).ok()?);
        if record.starts_with(BEGIN.0)
            && let Some(event) = usual()
        {
            return Some(event);
        }
        Self::by_keys(record)
    }

    /// Reads a record key by key, whoever wrote it and wherever it ends.
    fn by_keys(record: &'a [u8]) -> Option<Self> {
        let mut event = Self::empty(record);
        let mut order = Order::default();
        let mut scan = Scan::new(record);
        let end = scan.entries(|key, scan| {
            let Some(place) = order.place(key) else {
                return scan.value().end();
            };
            order.saw(place);
            event.set(place, scan)
        });
        if order.seen & !0b11 == 0 {
            return None;
        }
        event.damaged = end == End::Wrong;
        if end == End::Whole {
            let left = scan.rest().len();
            let length = record.len() - left;
            event.json = Json::new(record.get(..length).unwrap_or(record), true);
        } else {
            event.cut(&order);
        }
        Some(event)
    }

    fn empty(record: &'a [u8]) -> Self {
        Self {
            level: Field::Absent,
            audit_id: Field::Absent,
            stage: Field::Absent,
            request_uri: Field::Absent,
            verb: Field::Absent,
            user: Field::Absent,
            impersonated: Field::Absent,
            source_ips: Field::Absent,
            user_agent: Field::Absent,
            object_ref: Field::Absent,
            response: Field::Absent,
            request_object: Field::Absent,
            response_object: Field::Absent,
            received: Field::Absent,
            stage_time: Field::Absent,
            annotations: Field::Absent,
            json: Json::new(record, false),
            damaged: false,
        }
    }

    fn set(&mut self, place: usize, scan: &mut Scan<'a>) -> End {
        match place {
            7 => return user(scan, &mut self.user),
            8 => return user(scan, &mut self.impersonated),
            12 => return object_ref(scan, &mut self.object_ref),
            13 => return response(scan, &mut self.response),
            _ => {}
        }
        let value = scan.value();
        match place {
            2 => self.level = text_of(value),
            3 => self.audit_id = text_of(value),
            4 => self.stage = text_of(value),
            5 => self.request_uri = text_of(value),
            6 => self.verb = text_of(value),
            10 => self.source_ips = json_of(value),
            11 => self.user_agent = text_of(value),
            14 => self.request_object = json_of(value),
            15 => self.response_object = json_of(value),
            16 => self.received = text_of(value),
            17 => self.stage_time = text_of(value),
            18 => self.annotations = json_of(value),
            _ => {}
        }
        value.end()
    }

    /// Marks what the record ends before.
    fn cut(&mut self, order: &Order) {
        let lost = |place: usize| order.lost(place);
        let texts = [
            (2, &mut self.level),
            (3, &mut self.audit_id),
            (4, &mut self.stage),
            (5, &mut self.request_uri),
            (6, &mut self.verb),
            (11, &mut self.user_agent),
            (16, &mut self.received),
            (17, &mut self.stage_time),
        ];
        for (_, field) in texts.into_iter().filter(|(place, _)| lost(*place)) {
            *field = Field::Cut;
        }
        let (no_request, no_response) = match self.level.as_str() {
            "Metadata" => (true, true),
            "Request" => (false, true),
            _ => (false, false),
        };
        let objects = [
            (10, false, &mut self.source_ips),
            (14, no_request, &mut self.request_object),
            (15, no_response, &mut self.response_object),
            (18, false, &mut self.annotations),
        ];
        for (place, none, field) in objects {
            if lost(place) && !none {
                *field = Field::Cut;
            }
        }
        for (place, field) in [(7, &mut self.user), (8, &mut self.impersonated)] {
            if lost(place) {
                *field = Field::Cut;
            }
        }
        if lost(12) {
            self.object_ref = Field::Cut;
        }
        if lost(13) {
            self.response = Field::Cut;
        }
    }

    /// The record as text; bytes that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self.json.text() {
            Cow::Borrowed(json) => text(json, false, self.json.whole),
            Cow::Owned(json) => owned(text(&json, false, self.json.whole)),
        }
    }

    /// The first field that is not all there, by its name in the record.
    #[must_use]
    pub fn cut_at(&self) -> Option<&'static str> {
        let begun = [
            ("level", self.level.is_cut()),
            ("auditID", self.audit_id.is_cut()),
            ("stage", self.stage.is_cut()),
            ("requestURI", self.request_uri.is_cut()),
            ("verb", self.verb.is_cut()),
            ("user", self.user.is_cut()),
            ("impersonatedUser", self.impersonated.is_cut()),
            ("sourceIPs", self.source_ips.is_cut()),
            ("userAgent", self.user_agent.is_cut()),
            ("objectRef", self.object_ref.is_cut()),
            ("responseStatus", self.response.is_cut()),
            ("requestObject", self.request_object.is_cut()),
            ("responseObject", self.response_object.is_cut()),
            ("requestReceivedTimestamp", self.received.is_cut()),
            ("stageTimestamp", self.stage_time.is_cut()),
            ("annotations", self.annotations.is_cut()),
        ];
        begun.iter().find(|(_, cut)| *cut).map(|(name, _)| *name)
    }

    /// What an annotation says.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Text<'a> {
        match self.annotations {
            Field::Absent => Field::Absent,
            Field::Cut => Field::Cut,
            Field::Known(json) | Field::Begun(json) => json.string(key),
        }
    }

    /// As whom the request was authorized.
    #[must_use]
    pub const fn acting(&self) -> &Field<User<'a>> {
        match self.impersonated {
            Field::Absent => &self.user,
            _ => &self.impersonated,
        }
    }

    /// What the authorizer was asked; from the path where the record ends before it says so itself.
    #[must_use]
    pub fn request(&self) -> Field<Request<'_>> {
        Request::of(self)
    }

    /// What it was about, with the name of what a `create` made; the verb may be missing.
    #[must_use]
    pub fn asked(&self) -> Field<Asked<'_>> {
        Request::asked(self)
    }

    /// Whether the authorizer said yes.
    #[must_use]
    pub fn allowed(&self) -> Field<bool> {
        if let Some(notes) = self.annotations.there()
            && notes
                .raw
                .starts_with(if notes.quoted { ALLOW.1 } else { ALLOW.0 })
        {
            return Field::Known(true);
        }
        match self.annotation(DECISION) {
            Field::Known(word) => return Field::Known(word == "allow"),
            // Never asked: the request ended before, or authorization notes nothing.
            Field::Absent | Field::Begun(_) | Field::Cut => {}
        }
        match self.response.there().map(|response| &response.code) {
            Some(Field::Known(code)) => Field::Known(!matches!(code, 401 | 403)),
            Some(Field::Absent) if self.response.known().is_some() => Field::Absent,
            None if self.response == Field::Absent => Field::Absent,
            _ => Field::Cut,
        }
    }
}

/// In which order keys came.
#[derive(Debug, Default)]
struct Order {
    /// a bit for each key of [`KEYS`]
    seen: u32,
    last: Option<usize>,
    count: usize,
    /// A key came after one that follows it, or the first two are not those that the API server begins with
    /// (other writers sort keys).
    mixed: bool,
}

impl Order {
    /// The number of a key, which is most often one of the next.
    fn place(&self, key: &[u8]) -> Option<usize> {
        let next = self.last.map_or(0, |last| last + 1);
        let (before, after) = KEYS.split_at_checked(next)?;
        let ahead = after.iter().position(|known| known.as_bytes() == key);
        ahead
            .map(|at| next + at)
            .or_else(|| before.iter().position(|known| known.as_bytes() == key))
    }

    fn saw(&mut self, place: usize) {
        self.mixed |= self.last.is_some_and(|last| last >= place);
        self.mixed |= self.count < 2 && place != self.count;
        self.count += 1;
        self.seen |= 1 << place;
        self.last = Some(place);
    }

    /// Whether a key that did not come may be in the part that is not there.
    fn lost(&self, place: usize) -> bool {
        let seen = self.seen & (1 << place) != 0;
        let passed = !self.mixed && self.last.is_some_and(|last| place < last);
        !seen && !passed
    }
}

pub(crate) fn text_of(value: Raw<'_>) -> Text<'_> {
    match value {
        Raw::Text {
            body,
            escaped,
            whole: true,
        } => Field::Known(text(body, escaped, true)),
        Raw::Text { body, escaped, .. } => Field::Begun(text(body, escaped, false)),
        Raw::Plain { whole: true, .. } => Field::Absent,
        _ => Field::Cut,
    }
}

fn json_of(value: Raw<'_>) -> Field<Json<'_>> {
    match value {
        Raw::Tree { text, whole: true } => Field::Known(Json::new(text, true)),
        Raw::Tree { text, .. } => Field::Begun(Json::new(text, false)),
        Raw::Plain { whole: true, .. } => Field::Absent,
        // Also a string: AKS writes `skipped-too-big-size-object` into tables in place of what is too large.
        _ => Field::Cut,
    }
}

/// Reads an object with `set`; what `rest` marks is lost where the record ends within the object.
fn inner<'a, T: Default>(
    scan: &mut Scan<'a>,
    field: &mut Field<T>,
    mut set: impl FnMut(&mut T, &'a [u8], Raw<'a>),
    rest: impl Fn(&mut T),
) -> End {
    if scan.peek() != Some(b'{') {
        let value = scan.value();
        *field = match value {
            Raw::Plain { whole: true, .. } => Field::Absent,
            _ => Field::Cut,
        };
        return value.end();
    }
    let mut read = T::default();
    let end = scan.entries(|key, scan| {
        let value = scan.value();
        set(&mut read, key, value);
        value.end()
    });
    *field = if end == End::Whole {
        Field::Known(read)
    } else {
        rest(&mut read);
        Field::Begun(read)
    };
    end
}

/// Marks a field that did not come before the end.
fn lose<T>(field: &mut Field<T>) {
    if matches!(field, Field::Absent) {
        *field = Field::Cut;
    }
}

fn user<'a>(scan: &mut Scan<'a>, field: &mut Field<User<'a>>) -> End {
    inner(
        scan,
        field,
        |user, key, value| match key {
            b"username" => user.name = text_of(value),
            b"uid" => user.uid = text_of(value),
            b"groups" => user.groups = json_of(value),
            b"extra" => user.extra = json_of(value),
            _ => {}
        },
        |user| {
            lose(&mut user.name);
            lose(&mut user.uid);
            lose(&mut user.groups);
            lose(&mut user.extra);
        },
    )
}

fn object_ref<'a>(scan: &mut Scan<'a>, field: &mut Field<ObjectRef<'a>>) -> End {
    inner(
        scan,
        field,
        |object, key, value| match key {
            b"resource" => object.resource = text_of(value),
            b"namespace" => object.namespace = text_of(value),
            b"name" => object.name = text_of(value),
            b"apiGroup" => object.group = text_of(value),
            b"apiVersion" => object.version = text_of(value),
            b"subresource" => object.subresource = text_of(value),
            b"uid" => object.uid = text_of(value),
            _ => {}
        },
        |object| {
            for field in [
                &mut object.resource,
                &mut object.namespace,
                &mut object.name,
                &mut object.group,
                &mut object.version,
                &mut object.subresource,
                &mut object.uid,
            ] {
                lose(field);
            }
        },
    )
}

fn response<'a>(scan: &mut Scan<'a>, field: &mut Field<Response<'a>>) -> End {
    inner(
        scan,
        field,
        |response, key, value| match key {
            b"code" => response.code = number(value),
            b"status" => response.status = text_of(value),
            b"reason" => response.reason = text_of(value),
            b"message" => response.message = text_of(value),
            _ => {}
        },
        |response| {
            lose(&mut response.code);
            lose(&mut response.status);
            lose(&mut response.reason);
            lose(&mut response.message);
        },
    )
}

fn number(value: Raw<'_>) -> Field<i64> {
    match value {
        Raw::Plain { text, whole: true } => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .map_or(Field::Absent, Field::Known),
        _ => Field::Cut,
    }
}
