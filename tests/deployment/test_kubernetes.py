"""No cluster runs the manifests in the tests, so their borders are checked; the schemas are held by `make check`."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.urls import get_resolver, resolve

from traffic_control.settings_checks import documented_names

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/kubernetes"
RESOURCES = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
OBJECTS = [found for name in RESOURCES for found in yaml.safe_load_all((FOLDER / name).read_text())]
SECRETS = yaml.safe_load((FOLDER / "secrets.example.yaml").read_text())
WORKLOADS = {o["metadata"]["name"]: o["spec"] for o in OBJECTS if o["kind"] in ("Deployment", "Job")}
SCALED = {o["metadata"]["name"]: o["spec"] for o in OBJECTS if o["kind"] == "HorizontalPodAutoscaler"}
STAYS_INSIDE = ("livez", "readyz", "health", "metrics", "demo")


def pod(name: str) -> Any:
    return WORKLOADS[name]["template"]["spec"]


def containers(name: str) -> list[Any]:
    return [*pod(name)["containers"], *pod(name).get("initContainers", [])]


def find(kind: str) -> Any:
    [found] = [o for o in OBJECTS if o["kind"] == kind]
    return found


def queues_of(name: str) -> list[str]:
    [taken] = [one["value"] for one in pod(name)["containers"][0]["env"] if one["name"] == "WORKER_QUEUES"]
    return str(taken).split(",")


def test_kustomization_takes_every_manifest_but_the_template() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")}

    assert files - set(RESOURCES) == {"kustomization.yaml", "secrets.example.yaml"}


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here to build the kustomization with")
def test_kustomization_builds() -> None:
    done = subprocess.run(["kubectl", "kustomize", FOLDER], capture_output=True, text=True)

    built = list(yaml.safe_load_all(done.stdout))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(built) == len(OBJECTS)
    assert "image: registry.example.com/traffic-control:" in done.stdout
    assert {o["metadata"].get("namespace") for o in built if o["kind"] != "Namespace"} == {"traffic-control"}


@pytest.mark.parametrize("name", WORKLOADS)
def test_pod_runs_with_the_least_rights(name: str) -> None:
    assert pod(name)["automountServiceAccountToken"] is False
    assert pod(name)["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": int(re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in containers(name):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("name", WORKLOADS)
def test_container_has_its_share_of_the_node(name: str) -> None:
    for container in containers(name):
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_container_runs_a_command_of_the_entrypoint_with_our_settings(name: str) -> None:
    known = set(re.findall(r"^([a-z]+)\)$", (ROOT / "deploy/entrypoint.sh").read_text(), re.MULTILINE))

    for container in containers(name):
        assert container["args"][0] in known
        assert container["envFrom"] == [
            {"configMapRef": {"name": find("ConfigMap")["metadata"]["name"]}},
            {"secretRef": {"name": SECRETS["metadata"]["name"]}},
        ]


def test_settings_and_secrets_are_documented_ones() -> None:
    known = documented_names(ROOT / ".env.example")

    assert set(find("ConfigMap")["data"]) - known == set()
    assert set(SECRETS["stringData"]) - known == set()
    assert not set(find("ConfigMap")["data"]) & set(SECRETS["stringData"])


def test_template_of_the_secrets_cannot_be_used_as_it_is() -> None:
    assert SECRETS["stringData"]["SECRET_KEY"] == ""


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probe_asks_a_path_of_ours(probe: str) -> None:
    path = pod("web")["containers"][0][probe]["httpGet"]["path"]

    assert resolve(path).route == ("readyz" if probe == "readinessProbe" else "livez")


def test_pods_address_is_an_allowed_host_of_the_pod() -> None:
    env = {one["name"]: one for one in pod("web")["containers"][0]["env"]}

    assert env["ALLOWED_HOSTS"]["value"] == "$(HOSTS),$(POD_IP)"
    assert list(env) == ["POD_IP", "HOSTS", "ALLOWED_HOSTS"]  # only what stands before may be referred to


def test_workers_take_every_queue_once() -> None:
    workers = [name for name in WORKLOADS if name.startswith("worker-")]

    assert sorted(queue for name in workers for queue in queues_of(name)) == sorted(settings.QUEUES)


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name.startswith("worker-")])
def test_worker_is_scaled_on_the_depth_of_its_queues(name: str) -> None:
    metrics = [metric["external"]["metric"] for metric in SCALED[name]["metrics"]]
    watched = [metric["selector"]["matchLabels"]["queue"] for metric in metrics]

    assert {metric["name"] for metric in metrics} == {"traffic_control_queue_depth"}
    assert sorted(set(watched) - {"route"}) == sorted(queues_of(name))
    assert ("route" in watched) == ("process" in watched)  # the router takes its tasks from the queue process


def test_number_that_workers_are_scaled_on_is_one_that_the_adapter_offers() -> None:
    [rule] = yaml.safe_load((FOLDER / "prometheus-adapter/values.yaml").read_text())["rules"]["external"]

    assert rule["seriesQuery"] == "traffic_control_queue_depth"


def test_scaled_deployments_do_not_say_how_many_they_are() -> None:
    scaled = {spec["scaleTargetRef"]["name"] for spec in SCALED.values()}

    assert {name for name in WORKLOADS if "replicas" not in WORKLOADS[name]} - {"migrate"} == scaled
    assert WORKLOADS["dispatcher"]["replicas"] > 1


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget"])
def test_selector_finds_a_pod(kind: str) -> None:
    labels = {spec["template"]["metadata"]["labels"]["app"] for spec in WORKLOADS.values()}
    selectors = [o["spec"]["selector"] for o in OBJECTS if o["kind"] == kind]

    assert {selector.get("matchLabels", selector)["app"] for selector in selectors} <= labels


def test_ingress_lets_everything_in_but_health_and_metrics() -> None:
    [rule] = find("Ingress")["spec"]["rules"]
    open_paths = {path["path"].strip("/").split("/")[0] for path in rule["http"]["paths"]}
    ours = {re.split(r"[/<]", str(pattern.pattern))[0] for pattern in flat(get_resolver().url_patterns)}

    assert ours - open_paths == set(STAYS_INSIDE)
    assert open_paths - ours == {"static"}
    assert rule["host"] == find("ConfigMap")["data"]["ALLOWED_HOSTS"]


def flat(patterns: list[Any]) -> list[Any]:
    """Included urlconfs have no prefix of their own; what has one counts as it is."""
    return [
        one
        for pattern in patterns
        for one in (
            flat(pattern.url_patterns) if str(pattern.pattern) == "" and hasattr(pattern, "url_patterns") else [pattern]
        )
    ]
