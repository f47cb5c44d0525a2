//! Why a value can be unknown.

use cel::Unknown;

/// The source leaves the value open; the node itself says which expression decides.
pub const OPEN_VALUE: Unknown = Unknown(0);
/// The value is a secret and was dropped when the document was read.
pub const REDACTED: Unknown = Unknown(1);
/// A file does not say the namespace; whoever applies it decides.
pub const NAMESPACE_AT_APPLY: Unknown = Unknown(2);
/// The estate is not declared whole, so more objects may exist than were given.
pub const NOT_WHOLE: Unknown = Unknown(3);
/// The object's Namespace was not given.
pub const NAMESPACE_NOT_GIVEN: Unknown = Unknown(4);
/// The object that is referred to was not given.
pub const NOT_GIVEN: Unknown = Unknown(5);
/// Only a running API server can answer.
pub const LIVE_ONLY: Unknown = Unknown(6);
/// The API fills a value in, and nobody documents which.
pub const UNDOCUMENTED: Unknown = Unknown(7);

/// No day was given to judge as of.
pub const NO_DAY: Unknown = Unknown(8);

/// The data of a live Secret, which is never read.
pub const SECRET_DATA: Unknown = Unknown(9);

/// Whether the internet reaches something hangs on what was not given.
pub const AUDIENCE: Unknown = Unknown(10);

/// The record was cut before it.
pub const CUT: Unknown = Unknown(11);
/// The audit policy does not log it.
pub const NOT_LOGGED: Unknown = Unknown(12);

/// The first number of what could not be read; the estate's completeness has the sentence.
pub const GAP: Unknown = Unknown(1000);

/// The sentence for a reason, without the value's own detail.
#[must_use]
pub fn describe(reason: Unknown) -> &'static str {
    match reason {
        REDACTED => "the value is a secret and is not read",
        NAMESPACE_AT_APPLY => "the file does not say its namespace; whoever applies it decides",
        NOT_WHOLE => "what was given may not be everything",
        NAMESPACE_NOT_GIVEN => "the Namespace object was not given",
        NOT_GIVEN => "the object it refers to was not given",
        UNDOCUMENTED => "the template does not say it, and what Azure then sets is not documented",
        SECRET_DATA => "the data of Secrets is not read",
        AUDIENCE => "what was given does not say whether the internet reaches it",
        NO_DAY => "it is not known which day it is",
        LIVE_ONLY => "only a running API server can answer this",
        CUT => "the record was cut",
        NOT_LOGGED => "it is not logged",
        _ => "the source leaves the value open",
    }
}
