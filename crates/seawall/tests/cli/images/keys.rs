//! Keys and certificates that openssl makes, and signatures by them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn openssl(folder: &Path, args: &[&str]) {
    let done = Command::new("openssl")
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// An authority, and somebody who signs code by it.
pub(crate) struct Signer {
    pub(crate) folder: PathBuf,
}

impl Signer {
    /// On a curve of openssl's: `prime256v1`, `secp384r1`; or `rsa`.
    pub(crate) fn new(folder: &Path, name: &str, curve: &str) -> Self {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let key = |file: &str| {
            if curve == "rsa" {
                openssl(
                    &folder,
                    &[
                        "genpkey",
                        "-algorithm",
                        "RSA",
                        "-pkeyopt",
                        "rsa_keygen_bits:2048",
                        "-out",
                        file,
                    ],
                );
            } else {
                let on = format!("ec_paramgen_curve:{curve}");
                openssl(
                    &folder,
                    &["genpkey", "-algorithm", "EC", "-pkeyopt", &on, "-out", file],
                );
            }
        };
        key("root.key");
        key("leaf.key");
        let root = format!("/C=US/ST=WA/O={name}/CN={name} root");
        openssl(
            &folder,
            &[
                "req",
                "-x509",
                "-new",
                "-key",
                "root.key",
                "-days",
                "3650",
                "-out",
                "root.crt",
                "-subj",
                &root,
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign",
            ],
        );
        let leaf = format!("/C=US/ST=WA/O={name}/CN={name}");
        openssl(
            &folder,
            &[
                "req", "-new", "-key", "leaf.key", "-out", "leaf.csr", "-subj", &leaf,
            ],
        );
        let extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n";
        std::fs::write(folder.join("leaf.ext"), extensions).unwrap();
        openssl(
            &folder,
            &[
                "x509",
                "-req",
                "-in",
                "leaf.csr",
                "-CA",
                "root.crt",
                "-CAkey",
                "root.key",
                "-CAcreateserial",
                "-days",
                "365",
                "-extfile",
                "leaf.ext",
                "-out",
                "leaf.crt",
            ],
        );
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        std::fs::write(
            folder.join("chain.crt"),
            read("leaf.crt") + &read("root.crt"),
        )
        .unwrap();
        openssl(
            &folder,
            &["pkey", "-in", "leaf.key", "-pubout", "-out", "cosign.pub"],
        );
        Self { folder }
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.folder.join(file).to_string_lossy().into_owned()
    }

    /// As cosign's specification says: over SHA-256.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        std::fs::write(self.folder.join("bytes"), bytes).unwrap();
        openssl(
            &self.folder,
            &[
                "dgst",
                "-sha256",
                "-sign",
                "leaf.key",
                "-out",
                "signature",
                "bytes",
            ],
        );
        std::fs::read(self.folder.join("signature")).unwrap()
    }
}
