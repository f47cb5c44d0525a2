//! Files and published modules on the disk.

use std::fs;
use std::path::{Path, PathBuf};

use bicep::disk::Disk;
use bicep::source::Files;

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("seawall-bicep-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, text: &str) -> String {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_relative_to_the_one_that_names_them() {
    let folder = Folder::new("files");
    let main = folder.write("a/main.bicep", "");
    let other = folder.write("b/other.bicep", "x");
    let disk = Disk::new(Vec::new());
    let found = disk.file(&main, "../b/./other.bicep").unwrap();
    assert_eq!(found.bytes, b"x");
    assert_eq!(found.name, other);
    assert!(!found.published);
    assert_eq!(
        disk.file(&main, "../b").unwrap_err(),
        "it is no regular file"
    );
    assert!(disk.file(&main, "none.bicep").is_err());
    let names = disk.list(&main, "../b").unwrap();
    assert_eq!(names, ["../b/other.bicep"]);
}

#[test]
fn special_files_are_not_read() {
    let disk = Disk::new(Vec::new());
    if Path::new("/dev/zero").exists() {
        assert_eq!(
            disk.file("main.bicep", "/dev/zero").unwrap_err(),
            "it is no regular file"
        );
    }
}

#[test]
fn modules_come_from_folders_that_are_named() {
    let folder = Folder::new("modules");
    let main = folder.write("src/main.bicep", "");
    folder.write(
        "cache/br/mcr.microsoft.com/bicep$avm$res$a/1.0.0$/main.json",
        "official",
    );
    folder.write("cache/avm/res/b/2.0.0/main.json", "short");
    folder.write("cache/br/my.registry/team$c/v1A$4/main.json", "alias");
    folder.write(
        "cache/ts/s/g/spec/1/main.json",
        r#"{ "properties": { "mainTemplate": { "x": 1 } } }"#,
    );
    folder.write(
        "src/bicepconfig.json",
        r#"{ // comments are allowed
          "moduleAliases": {
            "br": { "mine": { "registry": "my.registry", "modulePath": "team" } },
            "ts": { "specs": { "subscription": "s", "resourceGroup": "g" } }
          }
        }"#,
    );
    let disk = Disk::new(vec![folder.0.join("cache")]);
    let read = |reference: &str| {
        let found = disk.module(&main, reference).unwrap();
        assert!(found.published);
        (found.name, String::from_utf8(found.bytes).unwrap())
    };
    let official = "br:mcr.microsoft.com/bicep/avm/res/a:1.0.0".to_owned();
    assert_eq!(
        read("br/public:avm/res/a:1.0.0"),
        (official.clone(), "official".to_owned())
    );
    assert_eq!(read(&official), (official.clone(), "official".to_owned()));
    assert_eq!(read("br/public:avm/res/b:2.0.0").1, "short");
    assert_eq!(
        read("br/mine:c:v1A"),
        ("br:my.registry/team/c:v1A".to_owned(), "alias".to_owned())
    );
    assert_eq!(
        read("ts/specs:spec:1"),
        ("ts:s/g/spec:1".to_owned(), "{ \"x\": 1 }".to_owned())
    );
    let id = "ts:/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/templateSpecs/spec/versions/1";
    assert_eq!(read(id).0, "ts:s/g/spec:1");
    assert!(disk.module(&main, "br/public:avm/res/a:9.9.9").is_err());
    assert_eq!(
        disk.module(&main, "br/other:a:1").unwrap_err(),
        "no `bicepconfig.json` says what `other` is"
    );
    assert!(disk.module(&main, "br:x").is_err());
}

#[test]
fn types_of_resources_come_from_a_folder_too() {
    let folder = Folder::new("types");
    folder.write(
        "generated/a_0/my.rp/2024-01-01/types.json",
        r##"[
          { "$type": "StringType" },
          { "$type": "ArrayType", "itemType": { "$ref": "#/0" } },
          { "$type": "UnionType", "elements": [{ "$ref": "#/0" }, { "$ref": "#/0" }] },
          { "$type": "ObjectType", "name": "P", "properties": {
            "list": { "type": { "$ref": "#/1" }, "flags": 0 },
            "mode": { "type": { "$ref": "#/2" }, "flags": 1 }
          }, "additionalProperties": { "$ref": "#/0" } },
          { "$type": "ObjectType", "name": "R", "properties": {
            "properties": { "type": { "$ref": "#/3" }, "flags": 0 }
          } },
          { "$type": "ResourceType", "name": "My.Rp/Things@2024-01-01", "body": { "$ref": "#/4" } }
        ]"##,
    );
    let disk = Disk::new(Vec::new()).with_types(&folder.0);
    let kind = |pointer: &[&str]| disk.property_type("my.rp/things@2024-01-01", pointer);
    let properties = ["properties", "properties"];
    assert_eq!(
        disk.resource_type("my.rp/things@2024-01-01").as_deref(),
        Some("My.Rp/Things@2024-01-01")
    );
    assert_eq!(kind(&properties).as_deref(), Some("object"));
    assert_eq!(
        kind(&["properties", "properties", "properties", "list"]).as_deref(),
        Some("array")
    );
    assert_eq!(
        kind(&["properties", "properties", "properties", "list", "items"]).as_deref(),
        Some("string")
    );
    assert_eq!(
        kind(&["properties", "properties", "properties", "mode"]).as_deref(),
        Some("string")
    );
    assert_eq!(
        kind(&["properties", "properties", "properties", "other"]).as_deref(),
        Some("string")
    );
    assert_eq!(kind(&["properties", "none"]), None);
    assert_eq!(disk.resource_type("my.rp/things@2023-01-01"), None);
}
