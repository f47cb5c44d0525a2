//! Every value of a template knows where it is written.

use bicep::node::{Node, NodeKind};
use bicep::source::{NoFiles, Source, Sources, Span};
use bumpalo::Bump;

const TEXT: &str = "param size string = 'small'
var tags = { team: 'blue' }
resource a 'Microsoft.Storage/storageAccounts@2023-01-01' = {
  name: 'a${size}'
  sku: { name: 'Standard_LRS' }
  properties: {
    minimumTlsVersion: 'TLS1_0'
    allowBlobPublicAccess: true
    tags: tags
    ids: [for i in range(0, 2): { id: i }]
  }
}
";

/// The text behind the value at a path.
#[track_caller]
fn text_of(path: &str) -> String {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text: TEXT,
        published: false,
    });
    let (root, problems) = bicep::compile::compile(&bump, &mut sources, &NoFiles, file);
    assert!(problems.is_empty(), "{problems:?}");
    let mut at = root;
    for segment in path.split('/') {
        at = match segment.parse::<usize>() {
            Ok(number) => at.items()[number],
            Err(_) => *at
                .get(segment)
                .unwrap_or_else(|| panic!("no {segment} in {at:?}")),
        };
    }
    let Span { start, end, .. } = at.span;
    TEXT[start as usize..end as usize].to_owned()
}

#[test]
fn values_point_to_their_text() {
    assert_eq!(text_of("parameters/size/defaultValue"), "'small'");
    assert_eq!(text_of("variables/tags/team"), "'blue'");
    assert_eq!(text_of("resources/0/name"), "'a${size}'");
    assert_eq!(
        text_of("resources/0/type"),
        "'Microsoft.Storage/storageAccounts@2023-01-01'"
    );
    assert_eq!(text_of("resources/0/sku/name"), "'Standard_LRS'");
    assert_eq!(
        text_of("resources/0/properties/minimumTlsVersion"),
        "'TLS1_0'"
    );
    assert_eq!(
        text_of("resources/0/properties/allowBlobPublicAccess"),
        "true"
    );
    assert_eq!(text_of("resources/0/properties/tags"), "tags");
    assert_eq!(text_of("resources/0/properties/copy/0/input/id"), "i");
}

#[test]
fn keys_point_to_theirs() {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text: TEXT,
        published: false,
    });
    let (root, _) = bicep::compile::compile(&bump, &mut sources, &NoFiles, file);
    let properties = root.get("resources").unwrap().items()[0]
        .get("properties")
        .unwrap();
    let key = properties.entry("minimumTlsVersion").unwrap().key_span;
    assert_eq!(
        &TEXT[key.start as usize..key.end as usize],
        "minimumTlsVersion"
    );
}

#[test]
fn no_place_is_outside_the_text() {
    let bump = Bump::new();
    let mut sources = Sources::default();
    let file = sources.add(Source {
        name: "main.bicep",
        text: TEXT,
        published: false,
    });
    let (root, _) = bicep::compile::compile(&bump, &mut sources, &NoFiles, file);
    let mut open: Vec<Node<'_>> = vec![root];
    let mut seen = 0;
    while let Some(node) = open.pop() {
        seen += 1;
        assert_eq!(node.span.file, file);
        let (start, end) = (node.span.start as usize, node.span.end as usize);
        assert!(TEXT.get(start..end).is_some(), "{node:?}");
        match node.kind {
            NodeKind::Array(items) => open.extend(items),
            NodeKind::Object(entries) => open.extend(entries.iter().map(|entry| entry.value)),
            _ => {}
        }
    }
    assert!(seen > 20);
}
