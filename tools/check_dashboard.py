#!/usr/bin/env python3
"""Checks docs/deploy/grafana-dashboard.json and docs/deploy/prometheus-alerts.yml, as far as a script can without Grafana.

  tools/check_dashboard.py              checks both
  tools/check_dashboard.py --self-test  plants each mistake in a copy and wants it found

1. Every metric that they name is in docs/operations/metrics.md; counters are asked for by their rate, quantiles of buckets.
2. Every metric of that page is on the dashboard.
3. The dashboard has what Grafana needs: keys, ids that are unique, places that do not overlap, variables that are defined, no plugin;
   and what its readers need: a sentence, a unit and legends for each panel.
4. Alerts that the dashboard and the pages of docs/operations name are there.

tests/integration/metrics.py asks a Prometheus server each of the queries.
"""
import copy
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DASHBOARD, ALERTS, OPERATIONS = "docs/deploy/grafana-dashboard.json", "docs/deploy/prometheus-alerts.yml", "docs/operations"
KEYS = {"title": str, "uid": str, "schemaVersion": int, "version": int, "time": dict, "refresh": str, "templating": dict, "panels": list}
OLDEST_SCHEMA = 36  # Grafana 9: a data source is an object with its uid
OF_GRAFANA = {"row", "timeseries", "stat"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
BUILT_IN = {"__rate_interval", "__all"}
WIDTH = 24


def metrics(page):
    """Name -> type, as the page lists them; a histogram is asked for by its buckets, its sum or its count."""
    found = dict(re.findall(r"^\| `(hubbub_\w+)` \| (\w+) \|", page, re.M))
    for name in [name for name, kind in found.items() if kind == "histogram"]:
        del found[name]
        found |= {f"{name}_{part}": "counter" for part in ("bucket", "sum", "count")}
    return found


def alerts(text):
    """(name, expression), as this repository writes them: one line each."""
    return re.findall(r"- alert: (\w+)\n\s+expr: (.+)", text)


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """(title of the panel, expression)"""
    return [(panel["title"], target["expr"]) for panel in panels(dashboard) for target in panel["targets"]]


def variables_of(value):
    return set(re.findall(r"\$\{?(\w+)", json.dumps(value)))


def check_query(expression, known):
    for name in re.findall(r"\bhubbub_\w+", expression):
        if name not in known:
            yield f"{name} is not in the list of metrics"
        elif known[name] == "counter" and not re.search(r"(rate|increase)\(" + name + r"\b[^\[\]]*\[", expression):
            yield f"{name} is a counter and needs a rate"
    for quantiled in re.findall(r"histogram_quantile\(([^\[]*)\[", expression):
        if "_bucket" not in quantiled or not re.search(r"by \([^)]*\ble\b", quantiled):
            yield "a quantile is one of buckets, by le"


def check_panel(panel):
    if panel["type"] not in OF_GRAFANA:
        yield f"panels of type {panel['type']} are not known here"
    if panel["type"] == "row":
        return
    if not re.fullmatch(r"[A-Z/].*[^.]\.", panel.get("description", "")):
        yield "needs a description that is a sentence"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "needs a unit"
    if panel.get("datasource") != SOURCE or any(target.get("datasource") != SOURCE for target in panel["targets"]):
        yield "needs the data source of the variable"
    if not panel["targets"] or len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
        yield "needs queries with a refId each"
    if any(not target.get("legendFormat") for target in panel["targets"]):
        yield "needs a legend for each query"


def check_places(all_panels):
    taken = {}
    for panel in all_panels:
        place = panel["gridPos"]
        if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > WIDTH:
            yield f"{panel['title']}: is beside the grid"
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])):
            if cell in taken:
                yield f"{panel['title']}: overlaps {taken[cell]}"
                break
            taken[cell] = panel["title"]


def check_dashboard(dashboard, known):
    for key, kind in KEYS.items():
        if not isinstance(dashboard.get(key), kind):
            yield f"needs {key}"
            return
    if dashboard["schemaVersion"] < OLDEST_SCHEMA:
        yield f"schemaVersion is at least {OLDEST_SCHEMA}"
    ids = [panel.get("id") for panel in dashboard["panels"]]
    if None in ids or len(set(ids)) != len(ids):
        yield "ids of panels are not unique"
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    for name in sorted(variables_of(dashboard) - defined - BUILT_IN):
        yield f"there is no variable {name}"
    yield from check_places(dashboard["panels"])
    for panel in dashboard["panels"]:
        yield from (f"{panel['title']}: {problem}" for problem in check_panel(panel))
    shown = ""
    for title, expression in queries(dashboard):
        yield from (f"{title}: {problem}" for problem in check_query(expression, known))
        shown += expression + "\n"
    for name in known:
        if not name.endswith(("_sum", "_count")) and not re.search(rf"\b{name}\b", shown):
            yield f"{name} is not shown"


def check(dashboard, rules, known, texts, headers):
    """Sentences, each behind the name of its file."""
    yield from (f"{DASHBOARD}: {problem}" for problem in check_dashboard(dashboard, known))
    for name, expression in alerts(rules):
        yield from (f"{ALERTS}: {name}: {problem}" for problem in check_query(expression, known))
    there = {name for name, _ in alerts(rules)}
    for path, text in {DASHBOARD: json.dumps(dashboard), **texts}.items():
        for name in sorted(set(re.findall(r"\bHub[A-Z]\w+", text)) - there):
            if not re.search(rf"\b{name}\b", headers):
                yield f"{path}: there is no alert {name}"


def self_test(*right):
    """Each planted mistake is found, and what is there has none."""
    def change(work):
        dashboard, rules, *others = copy.deepcopy(right)
        rules = work(dashboard, dashboard["panels"][1], rules) or rules
        return list(check(dashboard, rules, *others))

    def query(text):
        return lambda dashboard, panel, rules: panel["targets"][0].update(expr=text)

    planted = {
        "Up: hubbub_nothing is not in the list": query("up + hubbub_nothing"),
        "Up: hubbub_letters_total is a counter": query("hubbub_letters_total"),
        "Up: hubbub_queue_bytes is not in the list": query("hubbub_queue_bytes"),
        "Up: a quantile is one of buckets": query("histogram_quantile(0.9, sum(rate(hubbub_queue_bytes_bucket[1m])))"),
        "there is no variable cluster": query('up{cluster="$cluster"}'),
        "hubbub_build_info is not shown": lambda dashboard, panel, rules: dashboard["panels"].pop(6) and None,
        "needs uid": lambda dashboard, panel, rules: dashboard.pop("uid") and None,
        "schemaVersion is at least": lambda dashboard, panel, rules: dashboard.update(schemaVersion=16),
        "ids of panels": lambda dashboard, panel, rules: panel.update(id=1),
        "Draining: overlaps Up": lambda dashboard, panel, rules: panel["gridPos"].update(w=5),
        "Up: is beside the grid": lambda dashboard, panel, rules: panel["gridPos"].update(x=24),
        "Up: panels of type graph": lambda dashboard, panel, rules: panel.update(type="graph"),
        "Up: needs a description": lambda dashboard, panel, rules: panel.update(description="up"),
        "Up: needs a unit": lambda dashboard, panel, rules: panel["fieldConfig"]["defaults"].pop("unit") and None,
        "Up: needs the data source": lambda dashboard, panel, rules: panel.update(datasource="Prometheus"),
        "Up: needs queries with a refId": lambda dashboard, panel, rules: panel["targets"].append(panel["targets"][0]),
        "Up: needs a legend": lambda dashboard, panel, rules: panel["targets"][0].update(legendFormat=""),
        "there is no alert HubLoopAsleep": lambda dashboard, panel, rules: panel.update(description="See HubLoopAsleep."),
        "HubLoopBusy: hubbub_busy is not in the list": lambda dashboard, panel, rules: rules.replace("hubbub_loop_busy_seconds_total", "hubbub_busy"),
    }
    wrong = 0
    for expected, work in planted.items():
        problems = change(work)
        if not any(problem.partition(": ")[2].startswith(expected) for problem in problems):
            print(f"self-test: wanted {expected}, found {problems or 'none'}")
            wrong = 1
    if problems := list(check(*right)):
        print(f"self-test: wanted no problem, found {problems}")
        wrong = 1
    print(f"self-test: {len(planted)} planted mistakes, {'not all were found' if wrong else 'all were found'}")
    return wrong


def main():
    if unknown := [each for each in sys.argv[1:] if each != "--self-test"]:
        print(f"unknown argument {unknown[0]}; usage: tools/check_dashboard.py [--self-test]", file=sys.stderr)
        return 2
    all_there_is = (json.loads((ROOT / DASHBOARD).read_text()), (ROOT / ALERTS).read_text(),
                    metrics((ROOT / OPERATIONS / "metrics.md").read_text()),
                    {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / OPERATIONS).glob("*.md")},
                    "".join(path.read_text() for path in sorted((ROOT / "include").rglob("*.hpp"))))
    if "--self-test" in sys.argv[1:]:
        return self_test(*all_there_is)
    problems = list(check(*all_there_is))
    print("".join(problem + "\n" for problem in problems) + f"{len(queries(all_there_is[0]))} queries of {len(panels(all_there_is[0]))} panels, "
          f"{len(alerts(all_there_is[1]))} alerts, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
