//! Every function with known arguments. Expected values are those of the documentation of ARM
//! template functions and of the tests of the official compiler, which run Azure's own library.

use super::check;

#[test]
fn lists() {
    check(&[
        ("array(createArray(1))", "[1]"),
        ("array('a')", r#"["a"]"#),
        ("array(createObject('a', 1))", r#"[{"a":1}]"#),
        (
            "concat(createArray('1-1', '1-2'), createArray('2-1'))",
            r#"["1-1","1-2","2-1"]"#,
        ),
        ("concat('prefix', '-', 'x')", r#""prefix-x""#),
        ("contains(createArray('FOO', 'BAR'), 'FOO')", "true"),
        ("contains(createArray('FOO', 'BAR'), 'foo')", "false"),
        ("contains('FOOBAR', 'foo')", "false"),
        ("contains('FOOBAR', 'BAR')", "true"),
        ("contains(createObject('One', 1), 'one')", "true"),
        ("contains(createObject('One', 1), 'two')", "false"),
        ("createArray()", "[]"),
        ("distinct(createArray(1, 2, 1))", "[1,2]"),
        ("empty('')", "true"),
        ("empty(createArray())", "true"),
        ("empty(createObject())", "true"),
        ("empty(null())", "true"),
        ("empty(createArray(1))", "false"),
        ("first('Fizz')", r#""F""#),
        ("first(createArray())", "null"),
        ("last('Fizz')", r#""z""#),
        ("last(createArray('a', 'b'))", r#""b""#),
        (
            "flatten(createArray(createArray(0, 1), createArray(2)))",
            "[0,1,2]",
        ),
        ("indexOf(createArray('a', 'b', 'a'), 'a')", "0"),
        ("lastIndexOf(createArray('a', 'b', 'a'), 'a')", "2"),
        ("indexOf(createArray('FOO'), 'foo')", "-1"),
        (
            "intersection(createArray(1, 2, 3), createArray(3, 2))",
            "[2,3]",
        ),
        ("length(createArray(1, 2))", "2"),
        ("length('table')", "5"),
        ("length(createObject('a', 1))", "1"),
        ("range(5, 3)", "[5,6,7]"),
        ("range(1, 0)", "[]"),
        ("skip(createArray(1, 2, 3), 2)", "[3]"),
        ("skip('foot', 3)", r#""t""#),
        ("skip(createArray(1), 5)", "[]"),
        ("take(createArray(1, 2, 3), 2)", "[1,2]"),
        ("take('foot', 3)", r#""foo""#),
        ("take('foot', -1)", r#""""#),
        (
            "union(createArray('a', 'b'), createArray('b', 'c'))",
            r#"["a","b","c"]"#,
        ),
        ("indexFromEnd(createArray(1, 2, 3), 1)", "3"),
        ("tryIndexFromEnd(createArray(1, 2, 3), 4)", "null"),
        ("createArray(1, 2)[1]", "2"),
        (
            "createArray(1)[1]",
            "! the list has 1 items, none at index 1",
        ),
    ]);
}

#[test]
fn objects() {
    check(&[
        (
            "createObject('a', 1, 'b', createArray('c'))",
            r#"{"a":1,"b":["c"]}"#,
        ),
        (
            "createObject('a')",
            "! `createObject`: every key needs a value",
        ),
        (
            "intersection(createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))",
            r#"{"a":1}"#,
        ),
        (
            "items(createObject('b', 2, 'a', 1))",
            r#"[{"key":"a","value":1},{"key":"b","value":2}]"#,
        ),
        ("objectKeys(createObject('b', 1, 'a', 2))", r#"["a","b"]"#),
        (
            "union(createObject('a', createObject('x', 1), 'l', createArray(1)), createObject('a', createObject('y', 2), 'l', createArray(2)))",
            r#"{"a":{"x":1,"y":2},"l":[2]}"#,
        ),
        (
            "shallowMerge(createArray(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2))))",
            r#"{"a":{"y":2}}"#,
        ),
        (
            "tryGet(createObject('a', createObject('b', 1)), 'a', 'b')",
            "1",
        ),
        ("tryGet(createObject('a', 1), 'x', 'b')", "null"),
        ("tryGet(createArray(1, 2), 1)", "2"),
        ("tryGet(createArray(1, 2), 7)", "null"),
        ("tryGet(null(), 'a')", "null"),
        ("createObject('Key', 1).key", "1"),
        ("createObject('key', 1)['KEY']", "1"),
        (
            "createObject('a', 1).b",
            "! the object has no property `b`; it has `a`",
        ),
        ("null().a", "! `null` has no property `a`"),
        ("coalesce(null(), 123)", "123"),
        ("coalesce(null(), null())", "null"),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("base64(' Fizz ')", r#""IEZpenog""#),
        ("base64ToString('IEZpenog')", r#"" Fizz ""#),
        (
            "base64ToJson(base64('{\"hi\": \"there\"}')).hi",
            r#""there""#,
        ),
        (
            "base64ToString('*')",
            "! `base64ToString`: the text is no base64",
        ),
        (
            "dataUri(' Fizz ')",
            r#""data:text/plain;charset=utf-8;base64,IEZpenog""#,
        ),
        (
            "dataUriToString('data:text/plain;charset=utf-8;base64,IEZpenog')",
            r#"" Fizz ""#,
        ),
        (
            "dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')",
            r#""Hello, World!""#,
        ),
        ("endsWith('abcdef', 'EF')", "true"),
        ("endsWith('abcdef', 'e')", "false"),
        ("startsWith('abcdef', 'AB')", "true"),
        ("indexOf('FOOBAR', 'bar')", "3"),
        ("indexOf('abc', 'x')", "-1"),
        ("lastIndexOf('abcba', 'b')", "3"),
        (
            "join(createArray('abc', 123, true()), '/')",
            r#""abc/123/True""#,
        ),
        ("padLeft('123', 10, '0')", r#""0000000123""#),
        ("padLeft(13, 5)", r#""   13""#),
        ("replace('foot', 't', 'd')", r#""food""#),
        ("split('one,two,three', ',')", r#"["one","two","three"]"#),
        (
            "split('one;two,three', createArray(';', ','))",
            r#"["one","two","three"]"#,
        ),
        ("string(createArray(1, 'a'))", r#""[1,\"a\"]""#),
        (
            "string(createObject('a', createObject('b', 'c')))",
            r#""{\"a\":{\"b\":\"c\"}}""#,
        ),
        ("string(true())", r#""True""#),
        ("string(12)", r#""12""#),
        ("substring('one two three', 4, 3)", r#""two""#),
        ("substring('asdfasf', 3)", r#""fasf""#),
        (
            "substring('abc', 1, 5)",
            "! `substring`: start 1 and length 5 lead out of a string of 3 characters",
        ),
        ("toLower('One')", r#""one""#),
        ("toUpper('One')", r#""ONE""#),
        ("trim('  a b ')", r#""a b""#),
        ("like('aks-prod-01', 'aks-*-0?')", "true"),
        ("like('aks-prod', '*test*')", "false"),
        ("json('{\"a\": [1, null, true]}')", r#"{"a":[1,null,true]}"#),
        ("json('null')", "null"),
        (
            "json('[concat(1)]')",
            "! `json`: the text is no JSON: a value is expected here",
        ),
        (
            "uniqueString('snap', 'crackle', 'pop')",
            r#""byghxckddilkc""#,
        ),
        (
            "guid('foo', 'bar', 'baz')",
            r#""2ed86837-7c7c-5eaa-9864-dd077fd19b0d""#,
        ),
        ("'it''s'", r#""it's""#),
    ]);
}

#[test]
fn formats() {
    check(&[
        (
            "format('{0}/{1}/{2}/{3}', 1, 2, 3, true())",
            r#""1/2/3/True""#,
        ),
        (
            "format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)",
            r#""Hello, User. Formatted number: 8,175,133""#,
        ),
        (
            "format('{0:D5}|{0:X}|{0:x4}|{0,6}|{0,-4}|', 42)",
            r#""00042|2A|002a|    42|42  |""#,
        ),
        (
            "format('{0:0000}-{0:#,##0.00}', 1234)",
            r#""1234-1,234.00""#,
        ),
        ("format('{{{0}}}', 'a')", r#""{a}""#),
        (
            "format('{0}{1}', createObject('a', 'b', '!c', 2), createArray(true(), 'abc'))",
            r#""{'a':'b','!c':2}[true,'abc']""#,
        ),
        ("format('{0}', null())", r#""""#),
        (
            "format('{1}', 'a')",
            "! `format`: there is no argument for `{1}`",
        ),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("add(5, 3)", "8"),
        ("sub(7, 3)", "4"),
        ("mul(5, 3)", "15"),
        ("div(8, 3)", "2"),
        ("div(-7, 2)", "-3"),
        ("mod(7, 3)", "1"),
        ("mod(-7, 3)", "-1"),
        ("div(1, 0)", "! `div`: it divides by zero"),
        (
            "mul(9223372036854775807, 2)",
            "! `mul`: the result does not fit into 64 bits",
        ),
        ("int('4')", "4"),
        ("int('x')", "! `int`: the text is no whole number"),
        ("float('3.5')", "3.5"),
        ("min(0, 3, 2)", "0"),
        ("max(createArray(0, 5, 3))", "5"),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        ("equals('a', 'A')", "false"),
        (
            "equals(createObject('a', 1, 'b', 2), createObject('b', 2, 'a', 1))",
            "true",
        ),
        ("equals(1, '1')", "false"),
        ("equals(null(), null())", "true"),
        ("greater(2, 1)", "true"),
        ("greater('a', 'b')", "false"),
        ("greaterOrEquals(2, 2)", "true"),
        ("less('A', 'a')", "true"),
        ("lessOrEquals(3, 2)", "false"),
        (
            "less(1, 'a')",
            "! `less`: the arguments must be two numbers or two strings",
        ),
        ("and(true(), true(), false())", "false"),
        ("or(false(), true())", "true"),
        ("not(true())", "false"),
        ("if(equals(1, 1), 'yes', fail('no'))", r#""yes""#),
        ("bool('TRUE')", "true"),
        ("bool(0)", "false"),
        ("and(false(), div(1, 0))", "false"),
    ]);
}

#[test]
fn lambdas() {
    check(&[
        (
            "map(range(0, 3), lambda('i', format('Hi {0}!', lambdaVariables('i'))))",
            r#"["Hi 0!","Hi 1!","Hi 2!"]"#,
        ),
        (
            "map(createArray('a', 'b'), lambda('x', 'i', format('{0}{1}', lambdaVariables('x'), lambdaVariables('i'))))",
            r#"["a0","b1"]"#,
        ),
        (
            "filter(createArray('a', 'b', 'c', 'd'), lambda('x', 'i', equals(mod(lambdaVariables('i'), 2), 0)))",
            r#"["a","c"]"#,
        ),
        (
            "reduce(createArray('a', 'b', 'c'), '', lambda('a', 'b', format('{0}-{1}', lambdaVariables('a'), lambdaVariables('b'))))",
            r#""-a-b-c""#,
        ),
        (
            "sort(createArray(8, 3, 10, -13, 5), lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))",
            "[-13,3,5,8,10]",
        ),
        (
            "toObject(createArray(123, 456), lambda('i', string(div(lambdaVariables('i'), 100))))",
            r#"{"1":123,"4":456}"#,
        ),
        (
            "toObject(createArray('a'), lambda('x', lambdaVariables('x')), lambda('x', toUpper(lambdaVariables('x'))))",
            r#"{"a":"A"}"#,
        ),
        (
            "mapValues(createObject('a', 123, 'b', 456), lambda('v', mul(lambdaVariables('v'), 2)))",
            r#"{"a":246,"b":912}"#,
        ),
        (
            "groupBy(createArray('ab', 'b', 'ac'), lambda('x', first(lambdaVariables('x'))))",
            r#"{"a":["ab","ac"],"b":["b"]}"#,
        ),
        (
            "groupBy(createArray('ab', 'b'), lambda('x', first(lambdaVariables('x'))), lambda('x', length(lambdaVariables('x'))))",
            r#"{"a":[2],"b":[1]}"#,
        ),
        (
            "map(range(0, 2), lambda('i', map(range(0, 2), lambda('j', add(mul(lambdaVariables('i'), 10), lambdaVariables('j'))))))",
            "[[0,1],[10,11]]",
        ),
        (
            "lambdaVariables('x')",
            "! there is no lambda variable `x` here",
        ),
    ]);
}

#[test]
fn dates() {
    check(&[
        (
            "dateTimeAdd('2023-01-01 00:00:00Z', 'P1Y')",
            r#""2024-01-01T00:00:00Z""#,
        ),
        (
            "dateTimeAdd('2024-01-01 00:00:00Z', 'P1Y')",
            r#""2024-12-31T00:00:00Z""#,
        ),
        (
            "dateTimeAdd('2023-02-01 00:00:00Z', 'P1M')",
            r#""2023-03-03T00:00:00Z""#,
        ),
        (
            "dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')",
            r#""2020-03-29T14:53:14Z""#,
        ),
        (
            "dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H', 'yyyy-MM-dd')",
            r#""2020-04-07""#,
        ),
        (
            "dateTimeAdd(dateTimeFromEpoch(1680224438), 'P1D')",
            r#""2023-04-01T01:00:38Z""#,
        ),
        (
            "dateTimeToEpoch(dateTimeFromEpoch(1680224438))",
            "1680224438",
        ),
        (
            "dateTimeAdd('2020-04-07', 'soon')",
            "! `dateTimeAdd`: the text is no duration such as `P1DT2H`",
        ),
    ]);
}

#[test]
fn address_ranges() {
    check(&[
        (
            "parseCidr('10.144.0.0/20')",
            r#"{"network":"10.144.0.0","netmask":"255.255.240.0","broadcast":"10.144.15.255","firstUsable":"10.144.0.1","lastUsable":"10.144.15.254","cidr":20}"#,
        ),
        (
            "parseCidr('fdad:3236:5555::/48')",
            r#"{"network":"fdad:3236:5555::","netmask":"ffff:ffff:ffff::","firstUsable":"fdad:3236:5555::","lastUsable":"fdad:3236:5555:ffff:ffff:ffff:ffff:ffff","cidr":48}"#,
        ),
        ("cidrSubnet('10.144.0.0/20', 24, 0)", r#""10.144.0.0/24""#),
        ("cidrSubnet('10.144.0.0/20', 24, 4)", r#""10.144.4.0/24""#),
        (
            "cidrSubnet('fdad:3236:5555::/48', 52, 3)",
            r#""fdad:3236:5555:3000::/52""#,
        ),
        (
            "cidrSubnet('10.144.0.0/20', 24, 16)",
            "! `cidrSubnet`: there is no subnet 16 in the range",
        ),
        (
            "cidrSubnet('10.144.0.0/20', 16, 0)",
            "! `cidrSubnet`: the new length must be from 20 to 32",
        ),
        ("cidrHost('10.144.3.0/24', 0)", r#""10.144.3.1""#),
        ("cidrHost('10.144.3.0/24', 4)", r#""10.144.3.5""#),
        (
            "cidrHost('10.144.3.0/24', 254)",
            "! `cidrHost`: there is no host 254 in the range",
        ),
        ("parseCidr('10.0.0.0/8').broadcast", r#""10.255.255.255""#),
        (
            "parseCidr('10.0.0')",
            "! `parseCidr`: `10.0.0` is no address range such as `10.0.0.0/16`",
        ),
        ("cidrSubnet('192.168.1.0', 26, 1)", r#""192.168.1.64/26""#),
    ]);
}

#[test]
fn uris() {
    check(&[
        (
            "uri('https://github.com', 'Azure/bicep')",
            r#""https://github.com/Azure/bicep""#,
        ),
        (
            "uri('https://github.com/another/repo', '/Azure/bicep')",
            r#""https://github.com/Azure/bicep""#,
        ),
        (
            "uri('http://contoso.org/firstpath/azuredeploy.json', 'myscript.sh')",
            r#""http://contoso.org/firstpath/myscript.sh""#,
        ),
        (
            "uri('http://contoso.org/firstpath', 'myscript.sh')",
            r#""http://contoso.org/myscript.sh""#,
        ),
        (
            "uri('http://contoso.org/a/b/', '../c')",
            r#""http://contoso.org/a/c""#,
        ),
        (
            "uriComponent('UB*8h 0+=_)9h9n')",
            r#""UB%2A8h%200%2B%3D_%299h9n""#,
        ),
        ("uriComponentToString('%20%25%20')", r#"" % ""#),
        (
            "buildUri(createObject('scheme', 'https', 'host', 'contoso.com', 'port', 8443, 'path', 'a/b'))",
            r#""https://contoso.com:8443/a/b""#,
        ),
        (
            "parseUri('https://contoso.com:8443/a?x=1').host",
            r#""contoso.com""#,
        ),
    ]);
}

#[test]
fn ids() {
    check(&[
        (
            "resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')",
            "</subscriptions/{subscription}/resourceGroups/{resourceGroup}/providers/Microsoft.Network/virtualNetworks/v/subnets/s>",
        ),
        (
            "resourceId('other', 'Microsoft.Network/virtualNetworks', 'v')",
            "</subscriptions/{subscription}/resourceGroups/other/providers/Microsoft.Network/virtualNetworks/v>",
        ),
        (
            "resourceId('sub', 'other', 'Microsoft.Network/virtualNetworks', 'v')",
            r#""/subscriptions/sub/resourceGroups/other/providers/Microsoft.Network/virtualNetworks/v""#,
        ),
        (
            "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')",
            "</subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/x>",
        ),
        (
            "subscriptionResourceId('sub', 'Microsoft.Resources/resourceGroups', 'rg')",
            r#""/subscriptions/sub/resourceGroups/rg""#,
        ),
        (
            "managementGroupResourceId('mg', 'Microsoft.Authorization/policyDefinitions', 'p')",
            r#""/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/policyDefinitions/p""#,
        ),
        (
            "tenantResourceId('Microsoft.Authorization/policyDefinitions', 'p')",
            r#""/providers/Microsoft.Authorization/policyDefinitions/p""#,
        ),
        (
            "extensionResourceId('/subscriptions/s', 'Microsoft.Authorization/locks', 'l')",
            r#""/subscriptions/s/providers/Microsoft.Authorization/locks/l""#,
        ),
        (
            "resourceId('Microsoft.Network/virtualNetworks/subnets', 'v')",
            "! `resourceId`: a `Microsoft.Network/virtualNetworks/subnets` has 2 names, not 1",
        ),
        ("resourceGroup().name", "<{resourceGroup}>"),
        ("resourceGroup().location", "<{resourceGroup().location}>"),
        ("subscription().subscriptionId", "<{subscription}>"),
        ("subscription().tenantId", "<{tenant}>"),
        ("tenant().tenantId", "<{tenant}>"),
        (
            "equals(subscription().id, concat('/subscriptions/', subscription().subscriptionId))",
            "true",
        ),
        ("deployment().name", "<{deployment().name}>"),
        (
            "environment().suffixes.storage",
            "<environment().suffixes.storage>",
        ),
        ("deployer().objectId", "<{deployer().objectId}>"),
    ]);
}

#[test]
fn what_only_azure_knows_is_open() {
    check(&[
        ("newGuid()", "<{newGuid()}>"),
        ("utcNow()", "<{utcNow()}>"),
        ("utcNow('yyyy')", "<{utcNow('yyyy')}>"),
        (
            "pickZones('Microsoft.Compute', 'virtualMachines', 'westus2')",
            "<pickZones('Microsoft.Compute', 'virtualMachines', 'westus2')>",
        ),
        (
            "listKeys('/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a', '2023-01-01').keys[0].value",
            "!<listKeys('/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a').keys[0].value>",
        ),
        ("this.exists()", "<this.exists()>"),
        ("externalInput('sys.cli')", "<externalInput('sys.cli')>"),
        ("fail('because')", "! `fail`: because"),
        ("nonsense(1)", "! there is no function `nonsense`"),
        ("toLower('a', 'b')", "! `toLower` takes 1 argument, not 2"),
    ]);
}

/// Every function of the documentation and of the official compiler's namespaces.
#[test]
fn every_documented_function_is_there() {
    let documented = "add and array base64 base64ToJson base64ToString bool buildUri cidrHost \
        cidrSubnet coalesce concat contains copyIndex createArray createObject dataUri \
        dataUriToString dateTimeAdd dateTimeFromEpoch dateTimeToEpoch deployer deployment distinct \
        div empty endsWith environment equals extensionResourceId externalInput fail false filter \
        first flatten float format greater greaterOrEquals groupBy guid if indexFromEnd indexOf int \
        intersection items join json lambda lambdaVariables last lastIndexOf length less \
        lessOrEquals like managementGroup managementGroupResourceId map mapValues max min mod mul \
        newGuid not null objectKeys or padLeft parameters parseCidr parseUri pickZones providers \
        range reduce reference references replace resourceGroup resourceId resourceInfo \
        roleDefinitions shallowMerge skip sort split startsWith string sub subscription \
        subscriptionResourceId substring take tenant tenantResourceId toLogicalZone toLogicalZones \
        toLower toObject toPhysicalZone toPhysicalZones toUpper trim true tryGet tryIndexFromEnd \
        union uniqueString uri uriComponent uriComponentToString utcNow variables";
    let names = bicep::functions::names();
    let missing: Vec<_> = documented
        .split_whitespace()
        .filter(|name| !names.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
