//! Templates that have not the form of one: each mistake is said at its place.

use super::outcome;

#[test]
fn what_is_no_resource_is_said_and_left_out() {
    let found = outcome(
        r#"{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
"resources":["x",
null,
3,
{"type":3,"name":"a"},
{"name":"q","apiVersion":"1"},
{"type":"","name":"q","apiVersion":"1"},
{"type":"A.B/c","apiVersion":"1","name":"n","properties":[1]},
{"type":"A.B/c","apiVersion":"1","name":"m","properties":"text","resources":[{"name":"d"}]}]}"#,
    );
    let problems: Vec<_> = found
        .lines()
        .filter_map(|line| line.strip_prefix("problem "))
        .collect();
    assert_eq!(
        problems,
        [
            "2:14 a resource must be an object, not a string",
            "3:1 a resource must be an object, not `null`",
            "4:1 a resource must be an object, not a number",
            "5:9 the `type` of a resource must be a string, not a number",
            "6:1 the resource has no `type`",
            "7:9 the type of the resource is empty",
            "8:58 `properties` must be an object, not a list",
            "9:58 `properties` must be an object, not a string",
            "9:78 the resource has no `type`",
        ]
    );
    let made = found.lines().filter(|line| line.contains("/A.B/c/"));
    assert_eq!(made.count(), 2, "{found}");
}

#[test]
fn sections_and_parameters_of_the_wrong_form_are_said() {
    let rows = [
        (
            r#""parameters":{"b":3}"#,
            "the parameter `b` must be an object, not a number",
        ),
        (
            r#""parameters":{"a":{"type":"strin"}}"#,
            "there is no type `strin`; did you mean `string`?",
        ),
        (
            r#""parameters":{"a":{"type":["string"]}}"#,
            "a type must be a string, not a list",
        ),
        (
            r#""parameters":{"c":{"defaultValue":1}}"#,
            "the parameter `c` has no `type`",
        ),
        (
            r#""parameters":[1]"#,
            "`parameters` must be an object, not a list",
        ),
        (
            r#""variables":[1]"#,
            "`variables` must be an object, not a list",
        ),
        (
            r#""outputs":"x""#,
            "`outputs` must be an object, not a string",
        ),
        (
            r#""resources":1"#,
            "`resources` must be a list or an object, not a number",
        ),
    ];
    for (section, expected) in rows {
        let found = outcome(&super::template(section));
        let said: Vec<_> = found
            .lines()
            .filter(|line| line.starts_with("problem"))
            .collect();
        assert!(
            said.len() == 1 && said[0].ends_with(expected),
            "{section}: {found}"
        );
    }
}
