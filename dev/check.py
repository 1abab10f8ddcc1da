"""`make check`: everything CI holds against a change, the tests last."""

import os
import subprocess
from collections.abc import Mapping

from dev import browser, openapi, sbom
from dev.console import paint, say
from dev.paths import ROOT
from dev.steps import Step, command, failures
from dev.supervisor import Stopped, stoppable
from dev.test import INTERRUPTED, pytest, throwaway_services
from dev.versions import versions

COMPOSE_SCHEMA = "vendor.compose-spec"  # carried by check-jsonschema, so nothing is fetched
MANIFESTS = [path for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")) if path.stem != "kustomization"]


def shell_syntax(settings: Mapping[str, str]) -> int:
    return subprocess.run(["sh", "-n", "deploy/entrypoint.sh"], cwd=ROOT).returncode


LINTERS = (
    Step("ruff check", command("ruff", "check", "--quiet", ".")),
    Step("ruff format", command("ruff", "format", "--check", "--quiet", ".")),
    Step("mypy", command("mypy", "--no-error-summary")),
    Step("lint-imports", command("lint-imports")),
)


def known_licences(settings: Mapping[str, str]) -> int:
    return sbom.licences()


DEPENDENCIES = (
    Step("requirements", command("uv", "pip", "check", "--quiet")),  # what is installed fits together
    Step("licences", known_licences),
)
DEPLOYMENT = (
    Step("hadolint", command("hadolint", "Dockerfile")),
    Step("compose", command("check-jsonschema", "--builtin-schema", COMPOSE_SCHEMA, "docker-compose.yml")),
    Step("kubernetes", command("kubernetes-validate", "--strict", "--quiet", *MANIFESTS)),
    Step("entrypoint", shell_syntax),
)
PRODUCT = (
    Step("migrations", command("python", "manage.py", "makemigrations", "--check", "--dry-run")),
    Step("squawk", command("python", "-m", "dev.migrations")),
    Step("openapi", openapi.is_current),
)
BROWSER = (Step("browser", browser.check),)
CHAOS = (Step("chaos-quick", command("python", "-m", "chaos.run", "--quick")),)
BEFORE_TESTS = LINTERS + DEPENDENCIES + DEPLOYMENT + PRODUCT + BROWSER + CHAOS


def lint() -> int:
    """Style, types and borders."""
    return 1 if failures(LINTERS, dict(os.environ) | {"DEBUG": "1"}) else 0


def check() -> int:
    """All steps, also after one has failed; pytest's closing line comes last."""
    try:
        with stoppable(), throwaway_services() as settings:
            say(versions(settings))
            failed = failures(BEFORE_TESTS, settings | {"DEBUG": "1"})
            say(paint(f"Failed so far: {', '.join(failed)}", "red") if failed else "All steps passed; now the tests")
            return pytest([], settings) or (1 if failed else 0)
    except Stopped:
        return INTERRUPTED
