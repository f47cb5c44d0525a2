//! What stays known when something is open.

use super::{check, eval};

#[test]
fn conditions() {
    check(&[
        (
            "equals(parameters('environment'), 'prod')",
            "<environment == 'prod'>",
        ),
        (
            "not(equals(parameters('environment'), 'prod'))",
            "<environment != 'prod'>",
        ),
        ("equals(parameters('environment'), 'staging')", "false"),
        (
            "equals(parameters('environment'), parameters('environment'))",
            "true",
        ),
        ("equals(parameters('environment'), null())", "false"),
        ("equals(parameters('flag'), true())", "<flag>"),
        ("equals(parameters('flag'), false())", "<!flag>"),
        ("not(not(parameters('flag')))", "<flag>"),
        ("and(parameters('flag'), false())", "false"),
        ("and(parameters('flag'), true())", "<flag>"),
        ("or(parameters('flag'), true())", "true"),
        ("and(parameters('flag'), not(parameters('flag')))", "false"),
        ("or(parameters('flag'), not(parameters('flag')))", "true"),
        (
            "and(parameters('flag'), equals(parameters('environment'), 'dev'))",
            "<flag && environment == 'dev'>",
        ),
        (
            "not(and(parameters('flag'), equals(parameters('environment'), 'dev')))",
            "<!(flag && environment == 'dev')>",
        ),
        ("if(parameters('flag'), 1, 1)", "1"),
        ("if(parameters('flag'), true(), false())", "<flag>"),
        ("if(parameters('flag'), false(), true())", "<!flag>"),
        (
            "if(equals(parameters('environment'), 'prod'), 3, 1)",
            "<environment == 'prod' ? 3 : 1>",
        ),
        ("if(parameters('flag'), 'a', 'b')", "<{flag ? 'a' : 'b'}>"),
        ("if(parameters('flag'), fail('x'), 1)", "1"),
        (
            "contains(createArray('dev', 'test', 'prod'), parameters('environment'))",
            "true",
        ),
        (
            "contains(createArray('test', 'prod'), parameters('environment'))",
            "<contains(['test', 'prod'], environment)>",
        ),
        (
            "contains(createArray('x', 'y'), parameters('environment'))",
            "false",
        ),
        ("greater(parameters('count'), 3)", "<count > 3>"),
        (
            "greaterOrEquals(length(parameters('list')), 0)",
            "<length(list) >= 0>",
        ),
        ("less(length(parameters('list')), -1)", "false"),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("parameters('prefix')", "<{prefix}>"),
        ("format('{0}-aks', parameters('prefix'))", "<{prefix}-aks>"),
        (
            "concat('aks-', parameters('prefix'), '-', parameters('count'))",
            "<aks-{prefix}-{count}>",
        ),
        ("empty(format('{0}-aks', parameters('prefix')))", "false"),
        ("empty(parameters('prefix'))", "<empty(prefix)>"),
        (
            "equals(format('{0}-aks', parameters('prefix')), 'vnet')",
            "false",
        ),
        (
            "equals(format('{0}-aks', parameters('prefix')), 'x-aks')",
            "<'${prefix}-aks' == 'x-aks'>",
        ),
        (
            "equals(format('a-{0}', parameters('prefix')), format('b-{0}', parameters('environment')))",
            "false",
        ),
        (
            "startsWith(format('aks-{0}', parameters('prefix')), 'aks')",
            "true",
        ),
        (
            "startsWith(format('aks-{0}', parameters('prefix')), 'vnet')",
            "false",
        ),
        (
            "endsWith(format('{0}-aks', parameters('prefix')), 'KS')",
            "true",
        ),
        (
            "contains(format('{0}-aks', parameters('prefix')), 'aks')",
            "true",
        ),
        (
            "contains(parameters('prefix'), 'aks')",
            "<contains(prefix, 'aks')>",
        ),
        (
            "toUpper(format('{0}-aks', parameters('prefix')))",
            "<{toUpper(prefix)}-AKS>",
        ),
        (
            "take(format('aks-{0}', parameters('prefix')), 3)",
            r#""aks""#,
        ),
        (
            "substring(format('aks-{0}', parameters('prefix')), 0, 3)",
            r#""aks""#,
        ),
        (
            "replace(parameters('prefix'), '-', '')",
            "<{replace(prefix, '-', '')}>",
        ),
        (
            "uniqueString(parameters('prefix'))",
            "<{uniqueString(prefix)}>",
        ),
        ("empty(uniqueString(parameters('prefix')))", "false"),
        (
            "last(split(resourceId('Microsoft.Network/virtualNetworks', parameters('prefix')), '/'))",
            "<{prefix}>",
        ),
        (
            "split(resourceId('Microsoft.Network/virtualNetworks', 'v'), '/')[4]",
            "<{resourceGroup}>",
        ),
        (
            "split(concat(resourceId('Microsoft.Network/virtualNetworks', 'v'), '/subnets/', parameters('prefix')), '/')[10]",
            "<{prefix}>",
        ),
        (
            "split(format('/subscriptions/{0}/resourceGroups/x', parameters('prefix')), '/')[4]",
            r#""x""#,
        ),
        (
            "split(parameters('prefix'), '/')[2]",
            "<{split(prefix, '/')[2]}>",
        ),
        (
            "join(createArray('a', parameters('prefix')), ',')",
            "<a,{prefix}>",
        ),
        ("string(parameters('count'))", "<{string(count)}>"),
    ]);
}

#[test]
fn containers() {
    check(&[
        (
            "createObject('a', parameters('prefix'), 'b', 1)",
            r#"{"a":<{prefix}>,"b":1}"#,
        ),
        ("createObject('a', parameters('prefix'), 'b', 1).b", "1"),
        ("length(createArray(parameters('prefix'), 'x'))", "2"),
        ("length(parameters('list'))", "<length(list)>"),
        ("parameters('config').tier", "<config.tier>"),
        ("parameters('config').tags['a-b']", "<config.tags['a-b']>"),
        ("tryGet(parameters('config'), 'tier')", "<config.?tier>"),
        (
            "coalesce(tryGet(parameters('config'), 'tier'), 'Free')",
            "<config.?tier ?? 'Free'>",
        ),
        ("coalesce(parameters('maybe'), 'x')", r#""x""#),
        ("coalesce(parameters('prefix'), 'x')", "<{prefix}>"),
        (
            "union(parameters('config'), createObject('tier', 'Standard')).tier",
            r#""Standard""#,
        ),
        (
            "union(createObject('tier', 'Standard'), parameters('config')).tier",
            "<union({ tier: 'Standard' }, config).tier>",
        ),
        (
            "contains(concat(parameters('list'), createArray('x')), 'x')",
            "true",
        ),
        (
            "empty(concat(parameters('list'), createArray('x')))",
            "false",
        ),
        (
            "if(parameters('flag'), createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))",
            r#"{"a":1,"b":<flag ? 2 : 3>}"#,
        ),
        (
            "if(parameters('flag'), createObject('a', 1), createObject('a', 1, 'c', 2)).a",
            "1",
        ),
        (
            "createObject('dev', 1, 'prod', 3)[parameters('environment')]",
            "<{ dev: 1, prod: 3 }[environment]>",
        ),
        (
            "createObject('dev', 1, 'prod', 1)[parameters('environment')]",
            "1",
        ),
        (
            "map(parameters('list'), lambda('x', lambdaVariables('x').name))",
            "<map(list, x => x.name)>",
        ),
        (
            "filter(createArray('a', parameters('prefix')), lambda('x', equals(lambdaVariables('x'), 'a')))[0]",
            "<filter(['a', prefix], x => x == 'a')[0]>",
        ),
        (
            "first(map(createArray(parameters('prefix')), lambda('x', toLower(lambdaVariables('x')))))",
            "<{toLower(prefix)}>",
        ),
        ("array(parameters('config'))", "[<config>]"),
        ("add(parameters('count'), 0)", "<count>"),
        ("mul(add(parameters('count'), 1), 2)", "<(count + 1) * 2>"),
        ("range(0, parameters('count'))", "<range(0, count)>"),
    ]);
}

#[test]
fn secrets_stay_secret() {
    check(&[
        ("parameters('password')", "!<{password}>"),
        ("concat('x', parameters('password'))", "!<x{password}>"),
        (
            "createObject('a', parameters('password'))",
            r#"{"a":!<{password}>}"#,
        ),
        ("base64(parameters('password'))", "!<{base64(password)}>"),
        (
            "if(parameters('flag'), parameters('password'), 'x')",
            "!<{flag ? password : 'x'}>",
        ),
    ]);
}

#[test]
fn keys_that_a_text_cannot_be_are_ruled_out_by_what_is_known_of_it() {
    let roles = "createObject('Owner', 'o', 'prefix-Reader', 'r')";
    let id = "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd')";
    check(&[
        (
            &format!("coalesce(tryGet({roles}, {id}), 'none')"),
            "\"none\"",
        ),
        (&format!("contains({roles}, {id})"), "false"),
        // Keys are compared whatever their case.
        (
            &format!("contains({roles}, concat('PREFIX-', parameters('prefix')))"),
            "<contains({ Owner: 'o', 'prefix-Reader': 'r' }, 'PREFIX-${prefix}')>",
        ),
        (
            &format!("contains({roles}, concat(parameters('prefix'), '-x'))"),
            "false",
        ),
        (
            &format!("{roles}[concat(parameters('prefix'), '-READER')]"),
            "\"r\"",
        ),
    ]);
}

#[test]
fn keys_that_only_one_branch_has_are_open_and_the_rest_is_known() {
    let chosen = "if(parameters('flag'), createObject('b', createObject('c', 1)), createObject())";
    let merged = format!("union(createObject('a', 1), {chosen})");
    let shallow = format!("shallowMerge(createArray(createObject('a', 1, 'b', 2), {chosen}))");
    let open = "<flag ? { c: 1 } : null>";
    check(&[
        (&merged, &format!("{{\"a\":1,\"b\":{open}}}")),
        (&format!("{merged}.a"), "1"),
        (&format!("contains({merged}, 'a')"), "true"),
        (&format!("contains({merged}, 'x')"), "false"),
        (&format!("empty({merged})"), "false"),
        (
            &format!("contains({merged}, 'b')"),
            "<contains({ a: 1, b: flag ? { c: 1 } : null }, 'b')>",
        ),
        (
            &format!("length({merged})"),
            "<length({ a: 1, b: flag ? { c: 1 } : null })>",
        ),
        (
            &format!("empty({chosen})"),
            "<empty({ b: flag ? { c: 1 } : null })>",
        ),
        (
            &format!("objectKeys({merged})"),
            "<objectKeys({ a: 1, b: flag ? { c: 1 } : null })>",
        ),
        (
            &format!("equals({chosen}, createObject())"),
            "<{ b: flag ? { c: 1 } : null } == { }>",
        ),
        (&format!("equals({merged}, {merged})"), "true"),
        // What may be set over a value may leave it.
        (&shallow, "{\"a\":1,\"b\":<(flag ? { c: 1 } : null) ?? 2>}"),
        (
            &format!("union({merged}, createObject('b', 3))"),
            "{\"a\":1,\"b\":3}",
        ),
        // Objects are merged deeply: there may be a `c` beside the `d`.
        (
            &format!("union({merged}, createObject('b', createObject('d', 2))).b.d"),
            "2",
        ),
        (
            &format!("contains(union({merged}, createObject('b', createObject('d', 2))).b, 'd')"),
            "true",
        ),
        // A value that was asked for is there.
        (
            &format!("contains(createObject('k', {merged}.b), 'k')"),
            "true",
        ),
    ]);
    let found = eval(&format!(
        "contains(union({merged}, createObject('b', createObject('d', 2))).b, 'c')"
    ));
    assert!(found.starts_with("<contains("), "{found}");
}
