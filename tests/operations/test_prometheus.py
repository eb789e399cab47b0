# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus on the real server: scrape configuration, alert rules and every query of the Grafana dashboard."""

import json
import re
import subprocess

import pytest
import requests
import yaml

from bounded import ROOT, run, tool, wait_for
from conftest import free_port
from conftest import Server

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "imago.json"
PROGRAM, PROMTOOL = "prometheus/usr/bin/prometheus", "prometheus/usr/bin/promtool"
GOOD, BAD = 24, 3


def alert_rules():
    return yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]


def dashboard_queries():
    """(panel, expression) with the variables as Grafana would fill them in."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m")
            yield panel["title"], re.sub(r"\$(instance|model)\b", ".*", expression)


def test_configuration_and_rules_are_valid():
    run([tool(PROMTOOL), "check", "config", PROMETHEUS / "prometheus.yml"])
    run([tool(PROMTOOL), "check", "rules", PROMETHEUS / "alerts.yml"])


def test_each_alert_fires_when_it_should_and_only_then():
    run([tool(PROMTOOL), "test", "rules", "alerts_test.yml"], cwd=PROMETHEUS)
    tested = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tested for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in alert_rules()}, "an alert without a test that makes it fire"


def test_the_page_on_operations_lists_the_alerts():
    page = (ROOT / "docs" / "operations.md").read_text()
    assert re.findall(r"^\| (Imago\w+) \|", page, re.MULTILINE) == [rule["alert"] for rule in alert_rules()]


class Prometheus:
    """Prometheus with the shipped configuration, scraping one server every second instead of `imago:8000` every 15."""

    def __init__(self, folder, target):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(PROMETHEUS / "alerts.yml")]
        for job in config["scrape_configs"]:
            job["static_configs"] = [
                {"targets": [target if job["job_name"] == "imago" else self.url.removeprefix("http://")]}
            ]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(
            [
                tool(PROGRAM),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    def query(self, expression):
        answer = requests.get(self.url + "/api/v1/query", params={"query": expression}, timeout=10)
        body = answer.json()
        assert body["status"] == "success", f"{expression}: {body}"
        return body["data"]["result"]

    def number(self, expression):
        """The value of an expression of one series; None while there is none."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def is_up(self):
        assert self.process.poll() is None, "prometheus ended"
        try:
            return requests.get(self.url + "/-/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


@pytest.fixture(scope="module")
def watched(trained, small_cifar, tmp_path_factory):
    """A Prometheus that has seen a server answer GOOD images and refuse BAD ones."""
    server = Server(trained.workspace, "--model", "small")
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), server.url.removeprefix("http://"))
    try:
        wait_for(prometheus.is_up, 20, "Prometheus is ready")
        image = sorted((small_cifar / "test" / "cat").iterdir())[0].read_bytes()

        def predict(times):
            for _ in range(times):
                requests.post(
                    server.url + "/predict", files={"file": ("cat.jpg", image)}, timeout=10
                ).raise_for_status()

        predict(GOOD // 2)
        for _ in range(BAD):
            assert (
                requests.post(server.url + "/predict", files={"file": ("x.jpg", b"no image")}, timeout=10).status_code
                == 400
            )
        # A rate needs two scrapes that differ: the second half comes when the first has been seen.
        wait_for(
            lambda: prometheus.number('imago_requests_total{endpoint="/predict",status="400"}') == BAD,
            20,
            "the first half",
        )
        predict(GOOD // 2)
        wait_for(
            lambda: prometheus.number('imago_requests_total{endpoint="/predict",status="200"}') == GOOD,
            20,
            "the second half",
        )
        yield prometheus
    finally:
        prometheus.stop()
        server.stop()


def test_it_counts_what_was_asked(watched):
    assert watched.number('sum(imago_predictions_total{job="imago"})') == GOOD
    assert watched.number('imago_request_seconds_count{endpoint="/predict"}') == GOOD + BAD
    assert watched.number('imago_ready{job="imago"}') == 1
    assert watched.number('up{job="imago"}') == 1
    assert watched.number('sum(imago_requests_total{endpoint="/predict"})') == GOOD + BAD
    stages = {row["metric"]["stage"] for row in watched.query("imago_prediction_stage_seconds_count")}
    assert stages == {"decode", "preprocess", "queue", "infer", "total"}


@pytest.mark.parametrize("panel,expression", list(dashboard_queries()))
def test_every_panel_of_the_dashboard_has_data(watched, panel, expression):
    rows = watched.query(expression)
    assert rows, f"'{panel}' shows nothing: {expression}"
    assert all(
        row["value"][1] not in ("NaN", "+Inf") for row in rows if "quantile" not in expression
    ), f"'{panel}': {rows}"


# Compares with a number at the end; what stands before it must have a value for the alert to be able to fire.
@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_every_alert_looks_at_something_that_is_there(watched, rule):
    measured, threshold = re.fullmatch(r"(.*\S)\s+(?:>|<|==)\s+([\d.]+)", rule["expr"].strip(), re.DOTALL).groups()
    measured = measured.replace("> 500)", "> 0)")  # ImagoOneSided waits for 500 predictions; here there are fewer
    assert watched.query(measured), f"{rule['alert']} can never fire: {measured} has no value"
    assert float(threshold) >= 0


def test_nothing_fires_in_normal_operation(watched):
    groups = requests.get(watched.url + "/api/v1/rules", timeout=10).json()["data"]["groups"]
    states = {rule["name"]: (rule["state"], rule["health"]) for group in groups for rule in group["rules"]}
    assert set(states) == {rule["alert"] for rule in alert_rules()}
    assert all(state == ("inactive", "ok") for state in states.values()), states


def test_grafana_finds_its_data_source_and_dashboard():
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    dashboard = json.loads(DASHBOARD.read_text())
    used = {target["datasource"]["uid"] for panel in dashboard["panels"] for target in panel["targets"]}
    used |= {variable["datasource"]["uid"] for variable in dashboard["templating"]["list"]}
    assert used == {source["uid"]}
    provider = yaml.safe_load((provisioning / "dashboards" / "imago.yml").read_text())["providers"][0]
    grafana = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["grafana"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
