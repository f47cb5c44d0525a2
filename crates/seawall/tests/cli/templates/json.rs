//! Ways to write the posture in ARM JSON.

use super::posture::{
    Files, Literal, POSTURE, Property, Twin, Way, each, json, json_resources, map, mark,
    parameter_file, template,
};

/// All of them.
pub(crate) const WAYS: &[&[Way]] = &[VALUES, FUNCTIONS, COPIES, DEPLOYMENTS, NAMED, GIVEN];

fn main(text: impl AsRef<str>) -> Files {
    Files::of("main.json", text)
}

fn section(name: &str, value: &str) -> String {
    format!("  \"{name}\": {value},\n")
}

fn parameters(default: impl Fn(&Property) -> String) -> String {
    let each = map(|p| {
        format!(
            "{{\"type\": \"{}\", \"defaultValue\": {}}}",
            p.ty,
            default(p)
        )
    });
    section("parameters", &each)
}

/// Parameters that must be given.
fn required() -> String {
    section(
        "parameters",
        &map(|p| format!("{{\"type\": \"{}\"}}", p.ty)),
    )
}

fn one_parameter(name: &str, ty: &str, default: &str) -> String {
    section(
        "parameters",
        &format!("{{\"{name}\": {{\"type\": \"{ty}\", \"defaultValue\": {default}}}}}"),
    )
}

fn variables(value: impl Fn(&Property) -> String) -> String {
    section("variables", &map(value))
}

fn expression(text: impl AsRef<str>) -> String {
    format!("\"[{}]\"", text.as_ref())
}

fn parameter(p: &Property) -> String {
    expression(format!("parameters('{}')", p.key))
}

fn variable(p: &Property) -> String {
    expression(format!("variables('{}')", p.key))
}

fn of(prefix: &str) -> impl Fn(&Property) -> String {
    move |p| expression(format!("{prefix}.{}", p.key))
}

fn other(t: Twin, p: &Property) -> String {
    t.other().value(p).arm()
}

fn good(p: &Property) -> String {
    Twin::Good.value(p).arm()
}

/// The bad value, which decides where it is chosen; what is chosen stands elsewhere.
fn bad(p: &Property) -> String {
    mark(p, &Twin::Bad.value(p).arm())
}

fn logic(t: Twin, p: &Property, write: impl Fn(bool) -> String) -> String {
    match t.value(p) {
        Literal::Bool(value) => mark(p, &expression(write(value))),
        _ => t.json(p),
    }
}

fn place(p: &Property) -> usize {
    POSTURE.iter().position(|known| known.key == p.key).unwrap()
}

fn resources(value: impl Fn(&Property) -> String) -> String {
    format!("[{}]", json_resources("", value).join(","))
}

const VALUES: &[Way] = &[
    ("literal", |t| main(json("", |p| t.json(p)))),
    ("default of a parameter", |t| {
        main(json(&parameters(|p| t.json(p)), parameter))
    }),
    ("default that is another parameter", |t| {
        let mut text = parameters(|p| t.json(p));
        let second = each(|p| {
            format!(
                ",\"second_{0}\": {{\"type\": \"{1}\", \"defaultValue\": \"[parameters('{0}')]\"}}",
                p.key, p.ty
            )
        });
        let end = text.rfind("\n  },").unwrap();
        text.insert_str(end + 1, &second);
        main(json(&text, |p| {
            expression(format!("parameters('second_{}')", p.key))
        }))
    }),
    ("variable", |t| {
        main(json(&variables(|p| t.json(p)), variable))
    }),
    ("variable that is an expression", |t| {
        main(json(&variables(|p| expression(t.arm(p))), variable))
    }),
    ("property of a variable", |t| {
        let head = section(
            "variables",
            &format!("{{\"posture\": {}}}", map(|p| t.json(p))),
        );
        main(json(&head, of("variables('posture')")))
    }),
    ("map by a parameter", |t| {
        let head = one_parameter("environment", "string", t.pick("\"prod\"", "\"dev\""))
            + &section(
                "variables",
                &format!(
                    "{{\"postures\": {{\"prod\": {},\n\"dev\": {}}}}}",
                    map(|p| Twin::Good.value(p).json()),
                    map(|p| Twin::Bad.json(p))
                ),
            );
        main(json(
            &head,
            of("variables('postures')[parameters('environment')]"),
        ))
    }),
    ("default that is an object", |t| {
        let head = one_parameter("posture", "object", &map(|p| t.json(p)));
        main(json(&head, of("parameters('posture')")))
    }),
    ("names in another case", |t| {
        let text = json(&variables(|p| t.json(p)), |p| {
            expression(format!("VARIABLES('{}')", p.key.to_uppercase()))
        });
        main(text.replace("\"enableRBAC\"", "\"EnableRbac\""))
    }),
    ("comments, breaks and commas of lenient JSON", |t| {
        let head = parameters(|p| t.json(p))
            .replace("\"parameters\"", "/* what\n is given */ \"parameters\"");
        main(json(&head, |p| format!("\"[parameters(\n'{}')]\",", p.key)).replace(",,", ","))
    }),
];

const FUNCTIONS: &[Way] = &[
    ("if", |t| {
        main(json("", |p| {
            expression(format!("if(equals(1, 1), {}, {})", t.arm(p), other(t, p)))
        }))
    }),
    ("if by a parameter", |t| {
        let head = one_parameter("environment", "string", t.pick("\"prod\"", "\"dev\""));
        main(json(&head, |p| {
            expression(format!(
                "if(equals(parameters('environment'), 'prod'), {}, {})",
                good(p),
                bad(p)
            ))
        }))
    }),
    ("not", |t| {
        main(json("", |p| {
            logic(t, p, |value| format!("not({}())", !value))
        }))
    }),
    ("not of a parameter", |t| {
        let head = one_parameter("lax", "bool", t.pick("false", "true"));
        main(json(&head, |p| match Twin::Good.value(p) {
            Literal::Bool(true) => mark(p, &expression("not(parameters('lax'))")),
            Literal::Bool(false) => mark(p, &expression("not(not(parameters('lax')))")),
            _ => t.json(p),
        }))
    }),
    ("and, or", |t| {
        main(json("", |p| {
            logic(t, p, |value| format!("and(true(), or(false(), {value}()))"))
        }))
    }),
    ("coalesce", |t| {
        main(json("", |p| {
            expression(format!("coalesce(null(), {}, {})", t.arm(p), other(t, p)))
        }))
    }),
    ("tryGet", |t| {
        let head = one_parameter("posture", "object", &map(|p| t.json(p)));
        main(json(&head, |p| {
            expression(format!(
                "coalesce(tryGet(parameters('posture'), 'nothing', '{0}'), tryGet(parameters('posture'), '{0}'))",
                p.key
            ))
        }))
    }),
    ("union", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"base\": {}, \"own\": {},\n\"posture\": \"[union(variables('base'), variables('own'))]\"}}",
                map(|p| t.other().value(p).json()),
                map(|p| t.json(p))
            ),
        );
        main(json(&head, of("variables('posture')")))
    }),
    ("createObject", |t| {
        main(json("", |p| {
            expression(format!(
                "createObject('other', {}, 'own', {}).own",
                other(t, p),
                t.arm(p)
            ))
        }))
    }),
    ("createArray", |t| {
        main(json("", |p| {
            expression(format!("last(createArray({}, {}))", other(t, p), t.arm(p)))
        }))
    }),
    ("json", |t| {
        main(json("", |p| {
            let value = t.value(p).json().replace('"', "\\\"");
            mark(p, &expression(format!("json('{value}')")))
        }))
    }),
    ("format and a comparison", |t| {
        main(json("", |p| {
            logic(t, p, |value| {
                format!(
                    "equals(format('{{0}}-{{1}}', 'a', 1), '{}')",
                    if value { "a-1" } else { "a-2" }
                )
            })
        }))
    }),
    ("contains", |t| {
        let head = one_parameter("features", "array", t.pick("[\"strict\"]", "[\"lax\"]"));
        main(json(&head, |p| {
            expression(format!(
                "if(contains(parameters('features'), 'strict'), {}, {})",
                good(p),
                bad(p)
            ))
        }))
    }),
    ("function of the template", |t| {
        let head = section(
            "functions",
            "[{\"namespace\": \"own\", \"members\": {\"choose\": {\"parameters\": [{\"name\": \"strict\", \"type\": \"bool\"}, {\"name\": \"yes\", \"type\": \"array\"}, {\"name\": \"no\", \"type\": \"array\"}], \"output\": {\"type\": \"array\", \"value\": \"[if(parameters('strict'), parameters('yes'), parameters('no'))]\"}}}}]",
        );
        let strict = t.pick("true()", "false()");
        main(json(&head, |p| {
            expression(format!(
                "own.choose({strict}, createArray({}), createArray({}))[0]",
                good(p),
                bad(p)
            ))
        }))
    }),
    ("map, filter", |t| {
        let pairs = pairs(t);
        let head = section("variables", &format!("{{\"pairs\": {pairs}}}"));
        main(json(&head, |p| {
            expression(format!(
                "map(filter(variables('pairs'), lambda('pair', equals(lambdaVariables('pair').name, '{}'))), lambda('pair', lambdaVariables('pair').value))[0]",
                p.key
            ))
        }))
    }),
    ("reduce", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"pairs\": {},\n\"posture\": \"[reduce(variables('pairs'), createObject(), lambda('all', 'pair', union(lambdaVariables('all'), createObject(lambdaVariables('pair').name, lambdaVariables('pair').value))))]\"}}",
                pairs(t)
            ),
        );
        main(json(&head, of("variables('posture')")))
    }),
    ("toObject, items", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"posture\": {},\n\"back\": \"[toObject(items(variables('posture')), lambda('i', lambdaVariables('i').key), lambda('i', lambdaVariables('i').value))]\"}}",
                map(|p| t.json(p))
            ),
        );
        main(json(&head, of("variables('back')")))
    }),
    ("reference to a resource of the template", |t| {
        let paths = [
            "cluster.disableLocalAccounts",
            "cluster.enableRBAC",
            "cluster.apiServerAccessProfile.disableRunCommand",
            "cluster.apiServerAccessProfile.authorizedIPRanges",
            "cluster.addonProfiles.azurepolicy.enabled",
            "registry.adminUserEnabled",
            "registry.publicNetworkAccess",
            "vault.enablePurgeProtection",
            "vault.enableRbacAuthorization",
            "vault.publicNetworkAccess",
        ];
        let second = json_resources("", |p| {
            let path = paths[place(p)]
                .replace("cluster.", "reference(resourceId('Microsoft.ContainerService/managedClusters', 'shop')).")
                .replace("registry.", "reference(resourceId('Microsoft.ContainerRegistry/registries', 'shopregistry'), '2025-11-01').")
                .replace("vault.", "reference(resourceId('Microsoft.KeyVault/vaults', 'shopvault'), '2024-11-01', 'Full').properties.");
            expression(path)
        })
        .map(|text| text.replace("\"name\": \"shop", "\"name\": \"second"));
        let first = json_resources("", |p| t.json(p));
        main(template(
            "",
            &format!("[{},{}]", first.join(","), second.join(",")),
        ))
    }),
];

fn pairs(t: Twin) -> String {
    let mut lines = each(|p| format!("{{\"name\": \"{}\", \"value\": {}}},", p.key, t.json(p)));
    let end = lines.rfind(',').unwrap();
    lines.replace_range(end..=end, "");
    format!("[\n{lines}]")
}

const COPIES: &[Way] = &[
    ("copy of resources", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"all\": [{},\n{}]}}",
                map(|p| t.json(p)),
                map(|p| Twin::Good.value(p).json())
            ),
        );
        let copy = "\n\"copy\": {\"name\": \"all\", \"count\": \"[length(variables('all'))]\"},";
        let resources = json_resources(copy, of("variables('all')[copyIndex()]"));
        let text = format!("[{}]", resources.join(","))
            .replace(
                "\"name\": \"shop\"",
                "\"name\": \"[format('shop{0}', copyIndex())]\"",
            )
            .replace(
                "\"name\": \"shopregistry\"",
                "\"name\": \"[concat('shopregistry', copyIndex(1))]\"",
            )
            .replace(
                "\"name\": \"shopvault\"",
                "\"name\": \"[concat('shopvault', copyIndex('all'))]\"",
            );
        main(template(&head, &text))
    }),
    ("copy of a property", |t| {
        let resources = json_resources("", |p| t.json(p)).join(",");
        let range = t.value(&POSTURE[3]);
        let Literal::List(range) = range else {
            panic!("it is the list");
        };
        let plain = format!("\"authorizedIPRanges\": {},", t.json(&POSTURE[3]));
        let copied = format!(
            "\"copy\": [{{\"name\": \"authorizedIPRanges\", \"count\": 1, \"input\": {}}}],",
            mark(&POSTURE[3], &format!("\"{range}\""))
        );
        assert!(resources.contains(&plain));
        main(template(
            "",
            &format!("[{}]", resources.replace(&plain, &copied)),
        ))
    }),
    ("copy of a variable", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"copy\": [{{\"name\": \"all\", \"count\": 2, \"input\": {}}}]}}",
                map(|p| t.json(p))
            ),
        );
        main(json(&head, of("variables('all')[1]")))
    }),
    ("copy of a variable inside an object", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"object\": {{\"copy\": [{{\"name\": \"all\", \"count\": 1, \"input\": {}}}]}}}}",
                map(|p| t.json(p))
            ),
        );
        main(json(&head, of("variables('object').all[0]")))
    }),
    ("condition", |t| {
        let condition = format!("\n\"condition\": {},", t.pick("false", "true"));
        let second = json_resources(&condition, |p| mark(p, &Twin::Bad.value(p).json()))
            .map(|text| text.replace("\"name\": \"shop", "\"name\": \"second"));
        let first = json_resources("", |p| Twin::Good.value(p).json());
        main(template(
            "",
            &format!("[{},{}]", first.join(","), second.join(",")),
        ))
    }),
    ("condition on a parameter", |t| {
        let head = one_parameter("legacy", "string", t.pick("\"no\"", "\"yes\""));
        let condition = "\n\"condition\": \"[equals(parameters('legacy'), 'yes')]\",";
        let second = json_resources(condition, |p| mark(p, &Twin::Bad.value(p).json()))
            .map(|text| text.replace("\"name\": \"shop", "\"name\": \"second"));
        let first = json_resources("", |p| Twin::Good.value(p).json());
        main(template(
            &head,
            &format!("[{},{}]", first.join(","), second.join(",")),
        ))
    }),
];

/// A nested deployment around a template.
fn deployment(scope: &str, arguments: &str, inner: &str) -> String {
    format!(
        "[{{
      \"type\": \"Microsoft.Resources/deployments\",
      \"apiVersion\": \"2025-04-01\",
      \"name\": \"inner\",
      \"properties\": {{
        \"mode\": \"Incremental\",
        \"expressionEvaluationOptions\": {{\"scope\": \"{scope}\"}},
        \"parameters\": {arguments},
        \"template\": {inner}
      }}
    }}]"
    )
}

fn arguments(value: impl Fn(&Property) -> String) -> String {
    map(|p| format!("{{\"value\": {}}}", value(p)))
}

const DEPLOYMENTS: &[Way] = &[
    ("nested deployment, inner scope", |t| {
        let inner = json(&required(), parameter);
        main(template(
            "",
            &deployment("inner", &arguments(|p| t.json(p)), &inner),
        ))
    }),
    ("nested deployment, inner scope hides the outer", |t| {
        let inner = json(&variables(|p| t.json(p)), variable);
        let head = variables(|p| t.other().value(p).json());
        main(template(&head, &deployment("inner", "{}", &inner)))
    }),
    ("nested deployment, outer scope", |t| {
        let inner = json(&section("parameters", "{}"), variable);
        main(template(
            &variables(|p| t.json(p)),
            &deployment("outer", "{}", &inner),
        ))
    }),
    ("nested deployment without a scope", |t| {
        let inner = json("", parameter);
        let text = deployment("", "{}", &inner).replace(
            "        \"expressionEvaluationOptions\": {\"scope\": \"\"},\n",
            "",
        );
        main(template(&parameters(|p| t.json(p)), &text))
    }),
    ("nested deployment in a nested deployment", |t| {
        let innermost = json(&required(), parameter);
        let inner = template(
            &required(),
            &deployment("inner", &arguments(parameter), &innermost),
        );
        main(template(
            "",
            &deployment("inner", &arguments(|p| t.json(p)), &inner),
        ))
    }),
    ("nested deployment in a copy", |t| {
        let head = section(
            "variables",
            &format!(
                "{{\"all\": [{},\n{}]}}",
                map(|p| Twin::Good.value(p).json()),
                map(|p| t.json(p))
            ),
        );
        let inner = json(
            &required().replacen("{\n", "{\n\"prefix\": {\"type\": \"string\"},\n", 1),
            parameter,
        )
        .replace(
            "\"name\": \"shop\"",
            "\"name\": \"[concat(parameters('prefix'), 'shop')]\"",
        )
        .replace(
            "\"name\": \"shopregistry\"",
            "\"name\": \"[concat(parameters('prefix'), 'shopregistry')]\"",
        )
        .replace(
            "\"name\": \"shopvault\"",
            "\"name\": \"[concat(parameters('prefix'), 'shopvault')]\"",
        );
        let given = arguments(of("variables('all')[copyIndex()]")).replacen(
            "{\n",
            "{\n\"prefix\": {\"value\": \"[format('p{0}', copyIndex())]\"},\n",
            1,
        );
        let text = deployment("inner", &given, &inner)
            .replace("\"name\": \"inner\"", "\"name\": \"[format('inner{0}', copyIndex())]\",\n\"copy\": {\"name\": \"all\", \"count\": 2}");
        main(template(&head, &text))
    }),
    ("output of a nested deployment", |t| {
        let outputs = map(|p| format!("{{\"type\": \"{}\", \"value\": {}}}", p.ty, t.json(p)));
        let given = template(&section("outputs", &outputs), "[]");
        let first =
            deployment("inner", "{}", &given).replace("\"name\": \"inner\"", "\"name\": \"given\"");
        let inner = json(&required(), parameter);
        let second = deployment(
            "inner",
            &arguments(|p| expression(format!("reference('given').outputs.{}.value", p.key))),
            &inner,
        );
        let both = format!(
            "{},{}",
            first.trim_end_matches(']'),
            second.trim_start_matches('[')
        );
        main(template("", &both))
    }),
    ("linked template", |t| {
        let text = deployment("inner", &arguments(|p| t.json(p)), "{}").replace(
            "\"template\": {}",
            "\"templateLink\": {\"relativePath\": \"inner.json\"}",
        );
        main(template(
            "",
            &text.replace(
                "        \"expressionEvaluationOptions\": {\"scope\": \"inner\"},\n",
                "",
            ),
        ))
        .and("inner.json", json(&required(), parameter))
    }),
];

/// Resources by name, as Bicep's compiler writes them.
fn named(value: impl Fn(&Property) -> String) -> String {
    let [cluster, registry, vault] = json_resources("", value);
    format!("{{\"cluster\": {cluster}, \"registry\": {registry}, \"vault\": {vault}}}")
}

const LANGUAGE: &str = "  \"languageVersion\": \"2.0\",\n";

const NAMED: &[Way] = &[
    ("names for resources", |t| {
        main(template(LANGUAGE, &named(|p| t.json(p))))
    }),
    ("names for resources, with parameters", |t| {
        let head = LANGUAGE.to_owned() + &parameters(|p| t.json(p));
        main(template(&head, &named(parameter)))
    }),
    ("definitions of types", |t| {
        let properties = map(|p| format!("{{\"type\": \"{}\"}}", p.ty));
        let head = LANGUAGE.to_owned()
            + &section(
                "definitions",
                &format!("{{\"posture\": {{\"type\": \"object\", \"properties\": {properties}}}}}"),
            )
            + &section(
                "parameters",
                &format!(
                    "{{\"posture\": {{\"$ref\": \"#/definitions/posture\", \"defaultValue\": {}}}}}",
                    map(|p| t.json(p))
                ),
            );
        main(template(&head, &named(of("parameters('posture')"))))
    }),
    ("parameters without a value", |t| {
        let head = LANGUAGE.to_owned()
            + &section(
                "parameters",
                &map(|p| format!("{{\"type\": \"{}\", \"nullable\": true}}", p.ty)),
            );
        main(template(
            &head,
            &named(|p| expression(format!("coalesce(parameters('{}'), {})", p.key, t.arm(p)))),
        ))
    }),
    ("reference by name", |t| {
        let paths = [
            "reference('cluster').disableLocalAccounts",
            "reference('cluster').enableRBAC",
            "reference('cluster').apiServerAccessProfile.disableRunCommand",
            "reference('cluster').apiServerAccessProfile.authorizedIPRanges",
            "reference('cluster', '2025-10-01', 'full').properties.addonProfiles.azurepolicy.enabled",
            "reference('registry').adminUserEnabled",
            "reference('registry').publicNetworkAccess",
            "reference('vault').enablePurgeProtection",
            "reference('vault').enableRbacAuthorization",
            "reference('vault').publicNetworkAccess",
        ];
        let [cluster, registry, vault] = json_resources("", |p| expression(paths[place(p)]))
            .map(|text| text.replace("\"name\": \"shop", "\"name\": \"second"));
        let mut first = named(|p| t.json(p));
        first.pop();
        main(template(
            LANGUAGE,
            &format!(
                "{first}, \"cluster2\": {cluster}, \"registry2\": {registry}, \"vault2\": {vault}}}"
            ),
        ))
    }),
    ("resource that exists beside them", |t| {
        let mut text = named(|p| t.json(p));
        text.pop();
        let outside = ", \"outside\": {\"existing\": true, \"type\": \"Microsoft.KeyVault/vaults\", \"apiVersion\": \"2024-11-01\", \"name\": \"outside\"}}";
        main(template(LANGUAGE, &(text + outside)))
    }),
];

const GIVEN: &[Way] = &[
    ("parameter file", |t| {
        let head = parameters(|p| t.other().value(p).json());
        main(json(&head, parameter)).and("main.parameters.json", parameter_file(t))
    }),
    ("parameter file for what has no default", |t| {
        main(json(&required(), parameter)).and("main.parameters.json", parameter_file(t))
    }),
    ("parameter file of any name", |t| {
        let head = parameters(|p| t.other().value(p).json());
        main(json(&head, parameter)).given("production.json", parameter_file(t))
    }),
    ("value of a parameter chosen by another", |t| {
        let head = section(
            "parameters",
            &format!(
                "{{\"environment\": {{\"type\": \"string\", \"allowedValues\": [\"prod\", \"dev\"], \"defaultValue\": \"{}\"}}}}",
                t.pick("prod", "dev")
            ),
        ) + &variables(|p| {
            expression(format!(
                "if(equals(parameters('environment'), 'prod'), {}, {})",
                good(p),
                bad(p)
            ))
        });
        main(json(&head, variable))
    }),
    ("resources under another resource", |t| {
        // A child written inside its parent leaves the parent as it is.
        let child = "\n\"resources\": [{\"type\": \"secrets\", \"apiVersion\": \"2024-11-01\", \"name\": \"x\", \"properties\": {}}],";
        let [cluster, registry, _] = json_resources("", |p| t.json(p));
        let [_, _, vault] = json_resources(child, |p| t.json(p));
        main(template("", &format!("[{cluster},{registry},{vault}]")))
    }),
    ("all at once", |t| {
        main(template("", &resources(|p| t.json(p))))
    }),
];
