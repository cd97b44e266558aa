//! The arrows between packages and modules, held by a machine.
//!
//! When a row fails, move the code; do not widen the list.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a check fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tests::sources::{Source, relative, sources};
use tests::workspace_root;

/// What cargo knows of the workspace and of all that it depends on, on this machine.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let host = output(Command::new("rustc").arg("-vV"));
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host]);
    serde_json::from_str(&output(&mut cargo)).expect("cargo speaks JSON")
});

fn output(command: &mut Command) -> String {
    let output = command.current_dir(workspace_root()).stdin(Stdio::null()).output().expect("the command runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is text")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The workspace's packages: name and folder.
fn members() -> BTreeMap<String, PathBuf> {
    let ids: BTreeSet<&str> = list(&METADATA["workspace_members"]).map(text).collect();
    let packages = list(&METADATA["packages"]).filter(|package| ids.contains(text(&package["id"])));
    let folder = |package: &Value| Path::new(text(&package["manifest_path"])).parent().unwrap().to_owned();
    packages.map(|package| (text(&package["name"]).to_owned(), folder(package))).collect()
}

/// The packages that deploy: a folder of `functions/` with a binary.
fn functions() -> BTreeSet<String> {
    let deploys =
        |folder: &Path| folder.starts_with(workspace_root().join("functions")) && folder.join("src/main.rs").is_file();
    members().into_iter().filter(|(_, folder)| deploys(folder)).map(|(name, _)| name).collect()
}

/// What each package of the workspace declares, tests and build scripts aside.
fn declared(package: &str) -> BTreeSet<String> {
    let found = list(&METADATA["packages"]).find(|found| found["name"] == package && found["source"].is_null());
    let dependencies = list(&found.expect("the package is in the workspace")["dependencies"]);
    dependencies.filter(|one| one["kind"].is_null()).map(|one| text(&one["name"]).to_owned()).collect()
}

/// Every package that `package` needs to run, however indirectly, by name.
fn needed(package: &str) -> BTreeSet<String> {
    let name_of = |id: &str| {
        let found = list(&METADATA["packages"]).find(|package| package["id"] == id);
        text(&found.expect("every node is a package")["name"]).to_owned()
    };
    let nodes: BTreeMap<&str, &Value> =
        list(&METADATA["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let start = nodes.keys().find(|id| name_of(id) == package).copied().expect("the package is resolved");
    let (mut seen, mut waiting) = (BTreeSet::from([start]), vec![start]);
    while let Some(id) = waiting.pop() {
        for edge in list(&nodes[id]["deps"]) {
            let runs = list(&edge["dep_kinds"]).any(|kind| kind["kind"].is_null());
            if runs && seen.insert(text(&edge["pkg"])) {
                waiting.push(text(&edge["pkg"]));
            }
        }
    }
    seen.into_iter().map(name_of).filter(|name| name != package).collect()
}

/// The modules of `shared` that a file names, whether by `crate::` or from beside.
fn modules_named(source: &Source) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for line in &source.lines {
        for path in line.split("crate::").skip(1) {
            match path.strip_prefix('{') {
                None => named.extend(path.split(|c: char| !is_name(c)).next().map(str::to_owned)),
                Some(many) => {
                    named.extend(many.split(',').map(|one| one.trim().chars().take_while(|c| is_name(*c)).collect()))
                }
            }
        }
    }
    named
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[test]
fn arrows_between_packages_run_one_way() {
    let members: BTreeSet<String> = members().into_keys().collect();
    let functions = functions();
    for package in &members {
        let allowed: BTreeSet<&str> = match package.as_str() {
            "floor" | "shared" => BTreeSet::new(),
            "shell" => BTreeSet::from(["shared"]),
            "attachment" | "back-end" | "directory" | "records" => BTreeSet::from(["shared", "shell"]),
            function if functions.contains(function) => {
                BTreeSet::from(["shared", "shell", "attachment", "directory", "back-end", "records"])
            }
            "poolhouse" => BTreeSet::from(["attachment", "shared"]),
            // They ship nothing to AWS and may look at everything; `local` is what the tests run.
            "bench" => members.iter().map(String::as_str).collect(),
            "local" => members.iter().map(String::as_str).filter(|name| *name != "tests").collect(),
            "tests" => members.iter().map(String::as_str).collect(),
            other => panic!("{other} has no place in the arrows; give it one"),
        };
        for dependency in declared(package).intersection(&members) {
            assert!(allowed.contains(dependency.as_str()), "{package} must not depend on {dependency}");
        }
    }
}

#[test]
fn shared_needs_no_aws_no_runtime_and_no_network() {
    let foreign = ["aws", "async", "futures", "http", "hyper", "lambda", "mio", "reqwest", "rustls", "smol", "tokio"];
    // Cryptography only: it opens no socket and reads no file.
    let cryptography = ["aws-lc-rs", "aws-lc-sys"];
    let needed = needed("shared");
    assert!(needed.contains("serde"), "the search finds nothing");
    for name in needed {
        let is_foreign = foreign.iter().any(|prefix| name.starts_with(prefix));
        assert!(!is_foreign || cryptography.contains(&name.as_str()), "shared needs {name}");
    }
    assert!(self::needed("shell").contains("tokio"), "the search would not find a runtime");
}

#[test]
fn shared_has_no_clock_no_environment_and_no_input_or_output() {
    let banned = [
        "async ",
        ".await",
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "Instant",
        "SystemTime",
        "tracing::",
    ];
    for source in sources(&workspace_root().join("shared/src")) {
        for words in banned {
            assert!(!source.says(words), "{} says {words}", relative(&source.path).display());
        }
    }
}

#[test]
fn no_trigger_module_of_shared_uses_another() {
    // What a question may know of another: claims hold the roles that the pool
    // says, a token is held to what its issuer may say, who connects and who asks
    // for a field is asked what a route asks, a guest shows a token, a session is that of a token, a migration checks passwords and hands over
    // what is carried on. Three look at the others for the operator, and nothing
    // looks at them.
    let table = [
        ("administration", [].as_slice()),
        ("attachment", &["claims"]),
        ("claims", &["roles"]),
        ("connect", &["routes"]),
        ("explanation", &["claims", "linking", "provisioning", "roles", "routes", "sign_up", "token"]),
        ("graphql", &["routes"]),
        ("guests", &["token"]),
        ("inspection", &["claims", "roles", "sign_up"]),
        ("issuers", &["claims"]),
        ("linking", &[]),
        ("lint", &["claims", "migration", "revocation", "roles", "routes", "sign_up", "token"]),
        ("migration", &["password", "provisioning"]),
        ("password", &[]),
        ("policy", &["claims", "routes"]),
        ("provisioning", &[]),
        ("revocation", &["token"]),
        ("roles", &[]),
        ("routes", &["claims", "token"]),
        ("sign_up", &[]),
        ("tenants", &[]),
        ("token", &["claims", "issuers", "routes"]),
    ];
    let questions: BTreeSet<&str> = table.iter().map(|(question, _)| *question).collect();
    // Concepts are for all of them to use; `tenants` is one, and a question too.
    let concepts = BTreeSet::from(["tenants"]);
    let source_folder = workspace_root().join("shared/src");
    let sources = sources(&source_folder);
    for (question, known) in table {
        let of_question: Vec<&Source> = sources
            .iter()
            .filter(|source| {
                let inside = source.path.strip_prefix(&source_folder).unwrap();
                inside == Path::new(&format!("{question}.rs")) || inside.starts_with(question)
            })
            .collect();
        assert!(!of_question.is_empty(), "{question} is gone");
        for source in of_question {
            for named in modules_named(source) {
                let named = named.as_str();
                let foreign = questions.contains(named) && named != question && !concepts.contains(named);
                assert!(!foreign || known.contains(&named), "{} uses {named}", relative(&source.path).display());
            }
        }
    }
    let modules = std::fs::read_dir(&source_folder).unwrap().map(|entry| entry.unwrap().path());
    let modules = modules.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let others = ["address", "attributes", "findings", "lib", "lockout", "names", "rules"];
    for module in modules.filter(|module| !others.contains(&module.as_str())) {
        assert!(questions.contains(module.as_str()), "{module} has no place in the table; give it one");
    }
}

#[test]
fn a_main_only_wires() {
    for function in functions() {
        let path = workspace_root().join("functions").join(&function).join("src/main.rs");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() <= 30, "{function}: main.rs is longer than 30 lines");
        for word in ["if ", "match ", "while ", "for ", "loop "] {
            let decides =
                text.lines().any(|line| line.trim_start().starts_with(word) || line.contains(&format!("= {word}")));
            assert!(!decides, "{function}: main.rs says {word}");
        }
    }
    assert_eq!(functions().len(), 10, "a function came or went; the search still finds all?");
}

#[test]
fn functions_call_aws_in_aws_rs_or_through_an_adapter() {
    // These are adapters as a whole: what a function asks of them is in words
    // of the problem.
    let adapters = [
        "functions/attachment",
        "functions/directory",
        "functions/back-end",
        "functions/records",
        "functions/shell/src/aws",
    ];
    let mut callers = 0;
    for source in sources(&workspace_root().join("functions")) {
        let place = relative(&source.path);
        let calls = source.says("aws_sdk_");
        if source.name() == "aws.rs" || adapters.iter().any(|adapter| place.starts_with(adapter)) {
            callers += usize::from(calls);
            continue;
        }
        // A client may be handed on; nothing can be asked of it without the SDKs' shapes.
        let line = source.lines.iter().find(|line| line.contains("aws_sdk_"));
        assert_eq!(line, None, "{}", place.display());
    }
    assert!(callers > 2, "the search finds no calls at all");
}

#[test]
fn files_are_short() {
    for package in members().values() {
        for source in sources(&package.join("src")) {
            let lines = source.lines.len();
            assert!(lines <= 350, "{}: {lines} lines before its tests", relative(&source.path).display());
        }
    }
}

#[test]
fn a_module_named_in_a_list_is_found() {
    let line = |text: &str| modules_named(&Source { path: PathBuf::new(), lines: vec![text.to_owned()] });
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(line("use crate::claims::Rules;"), names(&["claims"]));
    assert_eq!(line("use crate::{claims::Rules, tenants};"), names(&["claims", "tenants"]));
    assert_eq!(line("fn f(x: crate::roles::Role, y: crate::token::T)"), names(&["roles", "token"]));
}
