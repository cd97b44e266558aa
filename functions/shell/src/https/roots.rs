//! Whose certificates are believed: the web's own roots, and those that the
//! operator adds for servers of his own.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The setting that names a file of further roots, in PEM. Named as what Node
/// has for it (`NODE_EXTRA_CA_CERTS`).
const SETTING: &str = "EXTRA_CA_CERTS";

/// The file is missing, holds no certificate, or one that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unusable;

/// What connections are made with; `None` when the file cannot be used. Read once:
/// roots do not change while a function runs.
pub(super) fn roots() -> Option<Arc<ClientConfig>> {
    static ROOTS: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let read = || match std::env::var_os(SETTING).filter(|file| !file.is_empty()) {
        None => trusting(web()).ok(),
        Some(file) => std::fs::read(file).map_err(|_| Unusable).and_then(|pem| with(&pem)).ok(),
    };
    ROOTS.get_or_init(read).clone()
}

/// The web's own roots.
fn web() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The web's own roots and those of this text.
fn with(pem: &[u8]) -> Result<Arc<ClientConfig>, Unusable> {
    let mut store = web();
    let before = store.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        store.add(certificate.map_err(|_| Unusable)?).map_err(|_| Unusable)?;
    }
    if store.len() == before { Err(Unusable) } else { trusting(store) }
}

fn trusting(store: RootCertStore) -> Result<Arc<ClientConfig>, Unusable> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(Arc::new(config.map_err(|_| Unusable)?.with_root_certificates(store).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_become_roots() {
        let made = rcgen::generate_simple_self_signed(["issuer.example".to_owned()]).unwrap();
        let good = made.cert.pem();
        let table = [
            ("one", good.clone(), true),
            ("two", format!("{good}{good}"), true),
            ("none", String::new(), false),
            ("no PEM", "issuer.example".to_owned(), false),
            ("a key", made.signing_key.serialize_pem(), false),
            ("one that is cut off", good.replace("END CERTIFICATE", ""), false),
            ("one that is none", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), false),
        ];
        for (name, pem, usable) in table {
            assert_eq!(with(pem.as_bytes()).is_ok(), usable, "{name}");
        }
    }
}
