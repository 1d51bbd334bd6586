#!/usr/bin/env python3
"""What promtool does not check of deploy/: every alert has its texts, its runbook entry and a test that
shows it silent and firing; every query of every dashboard parses; every metric named anywhere is one that
the service has; YAML and JSON are well-formed and Kubernetes objects complete. Exit 1 with one line a fault."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def load_all(path):
    with open(path) as file:
        return list(yaml.safe_load_all(file))


def rules():
    for path in sorted(glob.glob("deploy/prometheus/rules/*.yml")):
        for document in load_all(path):
            for group in document["groups"]:
                for rule in group["rules"]:
                    yield path, rule


def check_alerts(alerts):
    anchors = set()
    if os.path.exists("docs/RUNBOOKS.md"):
        headings = re.findall(r"^#+ (.+)$", open("docs/RUNBOOKS.md").read(), re.M)
        anchors = {h.strip().lower().replace(" ", "-") for h in headings}
    for path, rule in alerts:
        name = rule["alert"]
        for key in ("summary", "description", "runbook_url"):
            if not rule.get("annotations", {}).get(key):
                fault(path, f"{name} has no {key}")
        url = rule.get("annotations", {}).get("runbook_url", "")
        if url.partition("#")[2] not in anchors:
            fault(path, f"{name}: {url} leads nowhere")
        if rule.get("labels", {}).get("severity") not in ("page", "ticket"):
            fault(path, f"{name}: severity is neither page nor ticket")


def check_alert_tests(names):
    seen = {}  # alert -> {"silent", "firing"}
    for path in sorted(glob.glob("deploy/prometheus/tests/*.yml")):
        for document in load_all(path):
            for case in document["tests"]:
                for step in case.get("promql_expr_test", []):
                    for name in re.findall(r'alertname="(\w+)"', step["expr"]):
                        seen.setdefault(name, set()).add("firing" if step["exp_samples"] else "silent")
    for name in names:
        for state in {"silent", "firing"} - seen.get(name, set()):
            fault("deploy/prometheus/tests", f"no test shows {name} {state}")


def dashboard_queries():
    paths = sorted(glob.glob("deploy/grafana/dashboards/*.json"))
    if len(paths) < 3:
        fault("deploy/grafana/dashboards", "three dashboards are promised")
    for path in paths:
        board = json.load(open(path))
        variables = {v["name"]: v for v in board["templating"]["list"]}
        if variables.get("datasource", {}).get("type") != "datasource" or "__inputs" in board:
            fault(path, "must choose its data source by a variable, not at import")
        for panel in board["panels"]:
            if panel["datasource"]["uid"] != "${datasource}":
                fault(path, f"panel {panel['title']} names a data source")
            for target in panel["targets"]:
                yield path, target["expr"]


def check_queries_parse(queries):
    """promtool 2.42 parses expressions only inside rules."""
    group = {"groups": [{"name": "dashboards", "rules": []}]}
    for i, (_, query) in enumerate(queries):
        plain = query.replace("$__rate_interval", "5m").replace("$instance", ".*")
        if "$" in plain:
            fault("dashboards", f"unknown variable in {query}")
        group["groups"][0]["rules"].append({"record": f"query:{i}", "expr": plain})
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump(group, file)
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    if done.returncode != 0:
        fault("dashboards", done.stdout + done.stderr)


def check_names(expressions):
    known = {line.split("\t")[0]: line.rstrip("\n").split("\t")[1:] for line in open("tests/golden/metrics.tsv")}
    recorded = {rule["record"] for _, rule in rules() if "record" in rule}
    for path, text in expressions:
        # slipway:recorded:rules, and plain metrics with the suffixes of histograms taken off.
        for name in re.findall(r"\bslipway:[a-z0-9_:]+", text):
            if name not in recorded:
                fault(path, f"{name} is recorded by no rule")
        for name in re.findall(r"(?<![:\w])(?:slipway|process)_[a-z0-9_]+", text):
            plain = re.sub(r"_(bucket|sum|count)$", "", name)
            kind = known.get(name, known.get(plain, [None]))[0]
            if kind is None or (name not in known and kind != "histogram"):
                fault(path, f"there is no metric {name}")


def check_kubernetes():
    for path in sorted(glob.glob("deploy/kubernetes/**/*.yaml", recursive=True)):
        for document in load_all(path):
            if document is None or not document.get("apiVersion") or not document.get("kind"):
                fault(path, "an object without apiVersion or kind")
                continue
            if document["kind"] == "Kustomization":
                continue
            if not document.get("metadata", {}).get("name"):
                fault(path, f"a {document['kind']} without a name")
            template = document.get("spec", {}).get("template")
            if template:
                check_pod(path, template["spec"])


def check_pod(path, pod):
    if pod.get("terminationGracePeriodSeconds", 30) <= 60:
        fault(path, "the grace period must be above the drain timeout")
    if not pod.get("securityContext", {}).get("runAsNonRoot"):
        fault(path, "a pod that may run as root")
    names = {volume["name"] for volume in pod.get("volumes", [])} | {"data"}
    for container in pod["containers"]:
        context = container.get("securityContext", {})
        if not context.get("readOnlyRootFilesystem") or context.get("capabilities") != {"drop": ["ALL"]}:
            fault(path, f"{container['name']}: writable root or capabilities")
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in names:
                fault(path, f"{container['name']}: no volume {mount['name']}")


def check_compose():
    path = "deploy/container/compose.yaml"
    (compose,) = load_all(path)
    for name, service in compose["services"].items():
        for secret in service.get("secrets", []):
            if secret not in compose["secrets"]:
                fault(path, f"{name}: no secret {secret}")
        if service.get("image") != "slipway":
            continue
        if not service.get("read_only") or service.get("user") in (None, "root", "0"):
            fault(path, f"{name}: writable root, or root")
        if int(str(service.get("stop_grace_period", "10s")).rstrip("s")) <= 60:
            fault(path, f"{name}: the grace period must be above the drain timeout")


def main():
    all_rules = list(rules())
    alerts = [(path, rule) for path, rule in all_rules if "alert" in rule]
    queries = list(dashboard_queries())
    check_alerts(alerts)
    check_alert_tests([rule["alert"] for _, rule in alerts])
    check_queries_parse(queries)
    check_names([(path, rule["expr"]) for path, rule in all_rules] + queries)
    check_kubernetes()
    check_compose()
    for path in glob.glob("deploy/grafana/provisioning/*/*.yml"):
        load_all(path)
    for line in faults:
        print(line, file=sys.stderr)
    return 1 if faults else 0


sys.exit(main())
