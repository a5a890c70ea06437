//! The paths that are sealed in every repository unless `scope.unseal` names them.

/// Paths of one ecosystem through which a candidate could change how it is built, judged or measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedRule {
    /// Whose files these are.
    pub ecosystem: &'static str,
    /// Globs relative to the repository root.
    pub globs: &'static [&'static str],
    /// What a change of them could do.
    pub why: &'static str,
}

/// The built-in list, as `autoresearch config` shows it.
pub const BUILT_IN: &[SealedRule] = &[
    SealedRule {
        ecosystem: "Rust",
        globs: &["**/Cargo.lock", "**/.cargo", "**/build.rs", "**/rust-toolchain", "**/rust-toolchain.toml"],
        why: "picks dependencies, compiler and linker, or runs code while building",
    },
    SealedRule {
        ecosystem: "Go",
        globs: &["**/go.sum", "**/go.work", "**/go.work.sum", "**/vendor/modules.txt"],
        why: "picks dependencies and compiler",
    },
    SealedRule {
        ecosystem: "JavaScript",
        globs: &[
            "**/package.json",
            "**/package-lock.json",
            "**/npm-shrinkwrap.json",
            "**/pnpm-lock.yaml",
            "**/pnpm-workspace.yaml",
            "**/.pnpmfile.*",
            "**/yarn.lock",
            "**/.yarnrc*",
            "**/.yarn",
            "**/bun.lock*",
            "**/.npmrc",
            "**/.nvmrc",
            "**/.node-version",
            "**/jest.config.*",
            "**/vitest.config.*",
        ],
        why: "picks dependencies and interpreter, or holds the scripts that build and test",
    },
    SealedRule {
        ecosystem: "Python",
        globs: &[
            "**/conftest.py",
            "**/pytest.ini",
            "**/tox.ini",
            "**/noxfile.py",
            "**/setup.py",
            "**/setup.cfg",
            "**/pyproject.toml",
            "**/uv.lock",
            "**/poetry.lock",
            "**/pdm.lock",
            "**/Pipfile*",
            "**/requirements*.txt",
            "**/.python-version",
            "**/*.pth",
            "**/*.egg-link",
            "**/sitecustomize.py",
            "**/usercustomize.py",
        ],
        why: "picks dependencies and interpreter, or runs code before the tests or before any program",
    },
    SealedRule {
        ecosystem: "Ruby",
        globs: &["**/Gemfile*", "**/.bundle", "**/Rakefile", "**/.rspec", "**/.ruby-version"],
        why: "picks dependencies and interpreter, or holds the tasks that build and test",
    },
    SealedRule {
        ecosystem: "C and C++",
        globs: &["**/CMakePresets.json", "**/CMakeUserPresets.json", "**/vcpkg.json", "**/conan.lock"],
        why: "picks dependencies and compiler flags",
    },
    SealedRule {
        ecosystem: "Make and shells",
        globs: &[
            "**/Makefile",
            "**/makefile",
            "**/GNUmakefile",
            "**/justfile",
            "**/Justfile",
            "**/.envrc",
            "**/.env",
            "**/.tool-versions",
            "**/mise.toml",
            "**/.mise.toml",
        ],
        why: "holds the tasks that build and test, or their environment",
    },
    SealedRule {
        ecosystem: "JVM",
        globs: &[
            "**/gradlew*",
            "**/gradle/wrapper",
            "**/gradle.lockfile",
            "**/gradle.properties",
            "**/mvnw*",
            "**/.mvn",
        ],
        why: "picks the build tool, its options and dependencies",
    },
    SealedRule {
        ecosystem: "others",
        globs: &[
            "**/mix.lock",
            "**/composer.lock",
            "**/packages.lock.json",
            "**/global.json",
            "**/Directory.Build.*",
            "**/flake.lock",
            "**/cabal.project.freeze",
            "**/stack.yaml.lock",
            "**/pubspec.lock",
            "**/Package.resolved",
            "**/MODULE.bazel.lock",
            "**/.bazelrc",
        ],
        why: "picks dependencies and tools",
    },
    SealedRule {
        ecosystem: "continuous integration",
        globs: &[".circleci", ".buildkite", ".ci", "azure-pipelines.yml", "Jenkinsfile"],
        why: "runs elsewhere with other rights once the branch is pushed",
    },
];
