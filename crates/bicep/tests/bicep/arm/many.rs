//! Templates of thousands of resources that name one another: all of them are found.

use std::fmt::Write as _;

use super::{expand, outcome, problems, show, template};

#[test]
fn thousands_of_resources_find_one_another() {
    const COUNT: usize = 3_000;
    let mut resources = String::new();
    for at in 0..COUNT {
        // The first half names the second one, from its end, the second half nothing.
        let next = COUNT - 1 - at;
        let target = match at % 3 {
            0 => format!("resourceId('Microsoft.KeyVault/vaults', variables('v{next}'))"),
            1 => format!("resourceId('microsoft.keyvault/VAULTS', 'KV{next}')"),
            _ => format!("'kv{next}'"),
        };
        let tags = if at < next {
            format!(r#""next":"[reference({target}, '1').plain]""#)
        } else {
            String::new()
        };
        let comma = if at == 0 { "" } else { "," };
        write!(
            resources,
            r#"{comma}
{{"type":"Microsoft.KeyVault/vaults","apiVersion":"1","name":"[variables('v{at}')]",
"tags":{{{tags}}},"properties":{{"plain":"text{at}"}}}}"#
        )
        .unwrap();
    }
    let variables: Vec<_> = (0..COUNT)
        .map(|at| format!(r#""v{at}":"kv{at}""#))
        .collect();
    let text = template(&format!(
        r#""variables":{{{}}},"resources":[{resources}]"#,
        variables.join(",")
    ));
    expand(&text, |expansion, sources| {
        assert_eq!(problems(expansion, sources), Vec::<String>::new());
        assert_eq!(expansion.resources.len(), COUNT);
        for (at, resource) in expansion.resources.iter().enumerate() {
            assert_eq!(resource.name, format!("kv{at}"));
            let next = resource.body.get("tags").and_then(|tags| tags.get("next"));
            let wanted = (at < COUNT / 2).then(|| format!("\"text{}\"", COUNT - 1 - at));
            assert_eq!(next.map(show), wanted, "{at}");
        }
    });
}

#[test]
fn of_equal_ids_the_first_that_is_made_counts() {
    let vault = |rest: &str, text: &str| {
        format!(
            r#"{{"type":"A.B/c","apiVersion":"1","name":"[parameters('n')]",{rest}"properties":{{"x":"{text}"}}}}"#
        )
    };
    let text = template(&format!(
        r#""parameters":{{"n":{{"type":"string"}}}},"resources":[{},{},{},{}],
"outputs":{{"o":{{"type":"string","value":"[reference(resourceId('A.B/c', parameters('N'))).x]"}}}}"#,
        vault(r#""existing":true,"#, "named"),
        vault(r#""condition":false,"#, "left out"),
        vault("", "made"),
        vault("", "again"),
    ));
    let found = outcome(&text);
    assert!(found.contains("\no = \"made\"\n"), "{found}");
}
