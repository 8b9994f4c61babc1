"""Results that are kept: a run of some rows replaces these rows and leaves the others as they were."""

SAME = ("cpu", "cores", "kernel", "compiler", "flags")  # of the machine, or the figures do not belong on one page


def part(results, rows):
    """What is said of a run beside its figures."""
    return {"rows": rows, "date": results["date"], "command": results["command"], "commit": results["machine"]["commit"],
            "others_busy": results["machine"].get("others_busy"), "options": results["options"]}


def merge(old, new):
    """`new` over `old`, or `new` alone where there is nothing to keep. Raises ValueError if they are of two machines."""
    if not old:
        return new
    for name in SAME:
        if old["machine"][name] != new["machine"][name]:
            raise ValueError(f"the results that are kept are of another machine ({name}: {old['machine'][name]}, here "
                             f"{new['machine'][name]}): measure all rows, or keep none")
    rows = {row for each in new["parts"] for row in each["rows"]}
    kept = [{**each, "rows": [row for row in each["rows"] if row not in rows]} for each in old["parts"]]
    merged = {**old, **{name: new[name] for name in ("machine", "options", "left_out", "date", "command")}}
    merged["parts"] = [each for each in kept if each["rows"]] + new["parts"]
    for name in ("cases", "idle", "latency", "memory", "turns", "growth"):
        merged[name] = {**old.get(name, {}), **new[name]}
    mine = {(figure["row"], figure["what"]) for figure in new["alone"]}
    merged["alone"] = [figure for figure in old["alone"] if (figure["row"], figure["what"]) not in mine] + new["alone"]
    merged["alone"].sort(key=lambda figure: int(figure["row"][1:]))
    merged["cases"] = {case: runs for case, runs in merged["cases"].items() if runs}
    return merged
