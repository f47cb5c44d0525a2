//! Every function programs can call: name, form, arguments, and the first Kubernetes minor
//! version whose admission policies know it.
//!
//! Versions follow `k8s.io/apiserver/pkg/cel/environment/base.go` of v0.34.4: what stands there
//! under an artificial 1.0 is older than ValidatingAdmissionPolicy itself (1.26).

/// The first version with ValidatingAdmissionPolicy (alpha; stable since 1.30).
pub(crate) const FIRST: u8 = 26;
/// No Kubernetes version knows it.
pub(crate) const NEVER: u8 = u8::MAX;

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `name(x)`
    Global,
    /// `x.name()`
    Member,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) func: Func,
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// arguments without the receiver
    pub(crate) min: u8,
    pub(crate) max: u8,
    pub(crate) since: u8,
}

macro_rules! functions {
    ($($func:ident $name:literal $form:ident $min:literal $max:literal $since:expr;)*) => {
        /// A function, whatever the types of its arguments.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Func { $($func,)* }
        /// Sorted by nothing; looked up through [`find`].
        pub(crate) static TABLE: &[Entry] = &[
            $(Entry { func: Func::$func, name: $name, form: Form::$form, min: $min, max: $max, since: $since },)*
        ];
    };
}

functions! {
    Size "size" Global 1 1 FIRST;
    SizeOf "size" Member 0 0 FIRST;
    Type "type" Global 1 1 FIRST;
    Dyn "dyn" Global 1 1 FIRST;
    Int "int" Global 1 1 FIRST;
    Uint "uint" Global 1 1 FIRST;
    Double "double" Global 1 1 FIRST;
    String "string" Global 1 1 FIRST;
    Bytes "bytes" Global 1 1 FIRST;
    Bool "bool" Global 1 1 FIRST;
    Duration "duration" Global 1 1 FIRST;
    Timestamp "timestamp" Global 1 1 FIRST;
    Contains "contains" Member 1 1 FIRST;
    StartsWith "startsWith" Member 1 1 FIRST;
    EndsWith "endsWith" Member 1 1 FIRST;
    Matches "matches" Member 1 1 FIRST;
    MatchesGlobal "matches" Global 2 2 FIRST;
    GetFullYear "getFullYear" Member 0 1 FIRST;
    GetMonth "getMonth" Member 0 1 FIRST;
    GetDate "getDate" Member 0 1 FIRST;
    GetDayOfMonth "getDayOfMonth" Member 0 1 FIRST;
    GetDayOfWeek "getDayOfWeek" Member 0 1 FIRST;
    GetDayOfYear "getDayOfYear" Member 0 1 FIRST;
    GetHours "getHours" Member 0 1 FIRST;
    GetMinutes "getMinutes" Member 0 1 FIRST;
    GetSeconds "getSeconds" Member 0 1 FIRST;
    GetMilliseconds "getMilliseconds" Member 0 1 FIRST;

    OptionalOf "optional.of" Global 1 1 28;
    OptionalNone "optional.none" Global 0 0 28;
    OptionalOfNonZero "optional.ofNonZeroValue" Global 1 1 28;
    HasValue "hasValue" Member 0 0 28;
    Value "value" Member 0 0 28;
    OrValue "orValue" Member 1 1 28;
    Or "or" Member 1 1 28;
    First "first" Member 0 0 34;
    Last "last" Member 0 0 34;
    Unwrap "optional.unwrap" Global 1 1 34;
    UnwrapOpt "unwrapOpt" Member 0 0 34;

    CharAt "charAt" Member 1 1 FIRST;
    IndexOf "indexOf" Member 1 2 FIRST;
    LastIndexOf "lastIndexOf" Member 1 2 FIRST;
    Join "join" Member 0 1 FIRST;
    LowerAscii "lowerAscii" Member 0 0 FIRST;
    UpperAscii "upperAscii" Member 0 0 FIRST;
    Replace "replace" Member 2 3 FIRST;
    Split "split" Member 1 2 FIRST;
    Substring "substring" Member 1 2 FIRST;
    Trim "trim" Member 0 0 FIRST;
    FormatString "format" Member 1 1 29;
    Quote "strings.quote" Global 1 1 29;

    IsSorted "isSorted" Member 0 0 FIRST;
    Sum "sum" Member 0 0 FIRST;
    Min "min" Member 0 0 FIRST;
    Max "max" Member 0 0 FIRST;
    Slice "slice" Member 2 2 34;
    Flatten "flatten" Member 0 1 34;
    Distinct "distinct" Member 0 0 34;
    Sort "sort" Member 0 0 34;
    Reverse "reverse" Member 0 0 34;
    Range "lists.range" Global 1 1 34;

    SetsContains "sets.contains" Global 2 2 29;
    SetsEquivalent "sets.equivalent" Global 2 2 29;
    SetsIntersects "sets.intersects" Global 2 2 29;

    Find "find" Member 1 1 FIRST;
    FindAll "findAll" Member 1 2 FIRST;

    Url "url" Global 1 1 FIRST;
    IsUrl "isURL" Global 1 1 FIRST;
    GetScheme "getScheme" Member 0 0 FIRST;
    GetHost "getHost" Member 0 0 FIRST;
    GetHostname "getHostname" Member 0 0 FIRST;
    GetPort "getPort" Member 0 0 FIRST;
    GetEscapedPath "getEscapedPath" Member 0 0 FIRST;
    GetQuery "getQuery" Member 0 0 FIRST;

    Quantity "quantity" Global 1 1 28;
    IsQuantity "isQuantity" Global 1 1 28;
    Sign "sign" Global 1 1 28;
    IsGreaterThan "isGreaterThan" Member 1 1 28;
    IsLessThan "isLessThan" Member 1 1 28;
    CompareTo "compareTo" Member 1 1 28;
    AsApproximateFloat "asApproximateFloat" Member 0 0 28;
    AsInteger "asInteger" Member 0 0 28;
    IsInteger "isInteger" Member 0 0 28;
    Add "add" Member 1 1 28;
    Sub "sub" Member 1 1 28;

    Ip "ip" Global 1 1 30;
    IsIp "isIP" Global 1 1 30;
    IpIsCanonical "ip.isCanonical" Global 1 1 30;
    Family "family" Member 0 0 30;
    IsUnspecified "isUnspecified" Member 0 0 30;
    IsLoopback "isLoopback" Member 0 0 30;
    IsLinkLocalMulticast "isLinkLocalMulticast" Member 0 0 30;
    IsLinkLocalUnicast "isLinkLocalUnicast" Member 0 0 30;
    IsGlobalUnicast "isGlobalUnicast" Member 0 0 30;
    Cidr "cidr" Global 1 1 30;
    IsCidr "isCIDR" Global 1 1 30;
    ContainsIp "containsIP" Member 1 1 30;
    ContainsCidr "containsCIDR" Member 1 1 30;
    CidrIp "ip" Member 0 0 30;
    PrefixLength "prefixLength" Member 0 0 30;
    Masked "masked" Member 0 0 30;

    FormatNamed "format.named" Global 1 1 31;
    Dns1123Label "format.dns1123Label" Global 0 0 31;
    Dns1123Subdomain "format.dns1123Subdomain" Global 0 0 31;
    Dns1035Label "format.dns1035Label" Global 0 0 31;
    QualifiedName "format.qualifiedName" Global 0 0 31;
    Dns1123LabelPrefix "format.dns1123LabelPrefix" Global 0 0 31;
    Dns1123SubdomainPrefix "format.dns1123SubdomainPrefix" Global 0 0 31;
    Dns1035LabelPrefix "format.dns1035LabelPrefix" Global 0 0 31;
    LabelValue "format.labelValue" Global 0 0 31;
    FormatUri "format.uri" Global 0 0 31;
    FormatUuid "format.uuid" Global 0 0 31;
    FormatByte "format.byte" Global 0 0 31;
    FormatDate "format.date" Global 0 0 31;
    FormatDatetime "format.datetime" Global 0 0 31;
    Validate "validate" Member 1 1 31;

    Semver "semver" Global 1 2 33;
    IsSemver "isSemver" Global 1 2 33;
    Major "major" Member 0 0 33;
    Minor "minor" Member 0 0 33;
    Patch "patch" Member 0 0 33;

    AuthzPath "path" Member 1 1 27;
    AuthzGroup "group" Member 1 1 27;
    AuthzServiceAccount "serviceAccount" Member 2 2 27;
    AuthzResource "resource" Member 1 1 27;
    AuthzSubresource "subresource" Member 1 1 27;
    AuthzNamespace "namespace" Member 1 1 27;
    AuthzName "name" Member 1 1 27;
    AuthzCheck "check" Member 1 1 27;
    AuthzErrored "errored" Member 0 0 27;
    AuthzError "error" Member 0 0 27;
    AuthzAllowed "allowed" Member 0 0 27;
    AuthzReason "reason" Member 0 0 27;
    AuthzFieldSelector "fieldSelector" Member 1 1 31;
    AuthzLabelSelector "labelSelector" Member 1 1 31;

    Greatest "math.greatest" Global 1 255 NEVER;
    Least "math.least" Global 1 255 NEVER;
    Ceil "math.ceil" Global 1 1 NEVER;
    Floor "math.floor" Global 1 1 NEVER;
    Round "math.round" Global 1 1 NEVER;
    Trunc "math.trunc" Global 1 1 NEVER;
    Abs "math.abs" Global 1 1 NEVER;
    MathSign "math.sign" Global 1 1 NEVER;
    Sqrt "math.sqrt" Global 1 1 NEVER;
    IsNan "math.isNaN" Global 1 1 NEVER;
    IsInf "math.isInf" Global 1 1 NEVER;
    IsFinite "math.isFinite" Global 1 1 NEVER;
    BitAnd "math.bitAnd" Global 2 2 NEVER;
    BitOr "math.bitOr" Global 2 2 NEVER;
    BitXor "math.bitXor" Global 2 2 NEVER;
    BitNot "math.bitNot" Global 1 1 NEVER;
    BitShiftLeft "math.bitShiftLeft" Global 2 2 NEVER;
    BitShiftRight "math.bitShiftRight" Global 2 2 NEVER;
    Base64Encode "base64.encode" Global 1 1 NEVER;
    Base64Decode "base64.decode" Global 1 1 NEVER;
    EscapeKey "jsonpatch.escapeKey" Global 1 1 NEVER;
}

/// The functions of a name and form: none or one.
pub(crate) fn find(name: &str, form: Form) -> Option<&'static Entry> {
    TABLE.iter().find(|e| e.form == form && e.name == name)
}

/// Whether any function is called so in this form.
pub(crate) fn names(form: Form) -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(move |e| e.form == form).map(|e| e.name)
}
