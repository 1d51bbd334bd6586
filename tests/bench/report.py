"""What the measurements mean: the rows of the table, each with its target, and the page they go into."""
import pathlib
import platform
import re
import statistics
import subprocess

import programs

BUSY = 0.5  # load average before the start, from which on somebody else is at work
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def row(what, target, measured, met=None):
    """`met`: True, False, or None where there is no target or this run cannot tell."""
    return {"what": what, "target": target, "measured": measured,
            "met": {True: "met", False: "**not met**", None: "-"}[met]}


def median(results, key="rate"):
    return statistics.median(r[key] for r in results)


def cpu_row(f, what, names):
    """Processor time depends far less than a rate on who else is on the machine."""
    each = [f"{name} {median(f[k], 'cpu_us_each'):.0f} µs" for k, name in names.items()]
    return row(f"  processor time per {what}", "", ", ".join(each))


def spread(results):
    rates = sorted(r["rate"] for r in results)
    return f"{rates[0]:,.0f} to {rates[-1]:,.0f}"


def accept_rows(f):
    peer, constant, ours = (median(f["accepts"][k]) for k in ("peer", "constant", "slipway"))
    return [
        row("durable 202s, 64 keep-alive connections, specification 000's create", "",
            f"{ours:,.0f}/s ({spread(f['accepts']['slipway'])})"),
        row("  against Fastify + BullMQ + Redis", "at least 10 times",
            f"{ours / peer:.1f} times (peer {peer:,.0f}/s)", ours >= 10 * peer),
        row("  against this edge answering a constant", "at least 0.5",
            f"{ours / constant:.2f} (constant {constant:,.0f}/s)", ours >= 0.5 * constant),
        cpu_row(f["accepts"], "202, all processes of the server",
                {"slipway": "slipway", "peer": "peer", "constant": "constant"})]


def finish_rows(f):
    peer, ours = (median(f["finishes"][k]) for k in ("peer", "slipway"))
    return [
        row("tasks finished end to end, zero-latency cloud", "10 000/s",
            f"{ours:,.0f}/s ({spread(f['finishes']['slipway'])})", ours >= 10_000),
        row("  against the peer", "at least 5 times", f"{ours / peer:.1f} times (peer {peer:,.0f}/s)",
            ours >= 5 * peer),
        cpu_row(f["finishes"], "task", {"slipway": "slipway", "peer": "peer"})]


def latency_rows(f):
    p99, disk = f["latency"]["p99_us"] / 1e3, f["latency"]["disk_p99_us"] / 1e3
    limit = 3 * disk + 2
    return [row(f"accept latency p99 at {f['latency']['rate']:,} a second, open loop",
                f"at most 3 × disk p99 + 2 ms = {limit:.1f} ms",
                f"{p99:.1f} ms (p50 {f['latency']['p50_us'] / 1e3:.1f} ms; disk p99 {disk:.2f} ms, "
                f"p50 {f['latency']['disk_p50_us'] / 1e3:.2f} ms)", p99 <= limit)]


def sql_rows(f):
    rate, p99 = f["sql"]["rate"], f["sql"]["p99_us"]
    share = rate["hostile"] / rate["quiet"]
    return [
        row("202s a second while four clients send the heaviest SQL they may", "at least 0.9 of without",
            f"{share:.2f} ({rate['hostile']:,.0f}/s against {rate['quiet']:,.0f}/s)", share >= 0.9),
        row(f"  p99 at {f['sql']['half']:,} a second, open loop", "",
            f"{p99['hostile'] / 1e3:.1f} ms against {p99['quiet'] / 1e3:.1f} ms")]


def past_rows(f, plan):
    p = f["past"]
    small, large = median(p["flatness"]["small"]), median(p["flatness"]["large"])
    start, replay = p["start"], p["replay"]
    many = p["filled"]["finished"]
    million = start["vms"] >= 1_000_000
    fresh = f["idle"]["resident_bytes"]
    each = (start["resident_bytes"] - fresh) / start["vms"]
    return [
        row(f"flatness: tasks finished a second with {many:,} finished tasks against "
            f"{plan['small']:,}", "within 10 %, at 10 million",
            f"{large / small:.2f} ({large:,.0f}/s against {small:,.0f}/s)",
            False if large < 0.9 * small else True if many >= 10_000_000 else None),
        row("replay", "1 million events/s", f"{replay['rate']:,.0f} events/s "
            f"({replay['events']:,} in {replay['seconds']:.1f} s)", replay["rate"] >= 1e6),
        row("  read models made anew from the log", "",
            f"{replay['projected_rate']:,.0f} events/s"),
        row(f"ready, from a snapshot with {start['vms']:,} live VMs", "under 2 s with 1 million",
            f"{start['seconds']:.2f} s",
            False if start["seconds"] >= 2 else True if million else None),
        row("memory per live VM (of that start, less an idle process)", "at most 1 KiB",
            f"{each:,.0f} bytes", each <= 1024)]


def memory_rows(f):
    each, fresh = f["unfinished"]["bytes_each"], f["idle"]
    mib = fresh["resident_bytes"] / 2**20
    return [
        row("memory per unfinished create: a task and the VM it is to make",
            "at most 2 KiB (1 KiB each)", f"{each:,.0f} bytes", each <= 2048),
        row("idle process, resident", "under 64 MiB", f"{mib:.0f} MiB", mib < 64),
        row("idle process, CPU", "under 0.5 %", f"{fresh['cpu_share']:.2%} of a core",
            fresh["cpu_share"] < 0.005)]


def waiting_rows(f):
    w = f["waiting"]
    p99 = w["p99_us"] / 1e3
    return [
        row(f"{w['clients']:,} clients waiting: wake-up p99", "at most 50 ms",
            f"{p99:.1f} ms (p50 {w['p50_us'] / 1e3:.1f} ms)",
            False if p99 > 50 else True if w["clients"] >= 5000 else None),
        row("  threads while they wait", "no more than without them",
            f"{w['threads_during']} ({w['threads_before']} before)",
            w["threads_during"] <= w["threads_before"])]


def instruction_rows(f):
    return [row(f"instructions per {name}", "", f"{f['instructions'][key]['each']:,.0f} ("
                + ", ".join(f"{thread} {n:,.0f}" for thread, n in
                            list(f["instructions"][key]["threads"].items())[:6]) + ")")
            for name, key in (("accepted command", "accepted"), ("finished task", "finished"))]


def rows(f, plan):
    """Of what was measured; with --only that is a part."""
    makers = [("accepts", lambda: accept_rows(f)), ("finishes", lambda: finish_rows(f)),
              ("latency", lambda: latency_rows(f)), ("sql", lambda: sql_rows(f)), ("past", lambda: past_rows(f, plan)),
              ("unfinished", lambda: memory_rows(f)), ("waiting", lambda: waiting_rows(f)),
              ("instructions", lambda: instruction_rows(f))]
    return [r for key, make in makers if key in f for r in make()]


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"


def machine(directory):
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return {"processor": cpu.group(1) if cpu else platform.machine(),
            "processors": programs.os.cpu_count(), "memory_gib": round(memory / 2**20),
            "system": f"{platform.system()} {platform.release()}",
            "file_system": first_line("findmnt", "-no", "FSTYPE", "-T", str(directory)),
            "compiler": first_line("c++", "--version"),
            "build": build_type(),
            "node": first_line("node", "--version"),
            "redis": first_line("redis-server", "--version"),
            "commit": first_line("git", "-C", str(programs.ROOT), "describe", "--always", "--dirty")}


def build_type():
    cache = (programs.RELEASE / "CMakeCache.txt").read_text()
    kind = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M).group(1)
    flags = re.search(rf"^CMAKE_CXX_FLAGS_{kind.upper()}:\w+=(.*)$", cache, re.M).group(1)
    return f"{kind} ({flags})"


def table(results):
    lines = ["| what | target | measured | |", "| --- | --- | --- | --- |"]
    lines += [f"| {r['what'].replace('  ', '&nbsp;&nbsp;')} | {r['target']} | {r['measured']} | {r['met']} |"
              for r in results["rows"]]
    return "\n".join(lines)


def page(results):
    m, plan = results["machine"], results["plan"]
    loads = results["load_average"]
    about = (
        f"Measured {results['time']} at {m['commit']}: {m['processors']} × {m['processor']}, "
        f"{m['memory_gib']} GiB, {m['file_system']}, {m['system']}; {m['compiler']}, {m['build']}; "
        f"node {m['node']}, {m['redis'].split(' sha')[0]}. "
        f"{plan['rounds']} rounds of {plan['seconds']} s; the load generator on the same processors. "
        f"Every append synced, in both. Load average {loads[0]:.1f} when it began and {loads[1]:.1f} when it "
        f"ended, its own load included; it took {results['took_seconds'] / 60:.1f} minutes.")
    if loads[0] > BUSY:
        about += (" Others were using the processors: rates and latencies are worse than the machine's, and "
                  "ratios uncertain; processor times suffer less, instructions not.")
    return f"{about}\n\n{table(results)}"


def write_into(path, results):
    """Between the markers; the rest of the page is written by people."""
    text = path.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{path}: the markers {BEGIN} and {END} must each be there once")
    head, rest = text.split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n\n{page(results)}\n\n{END}{rest.split(END)[1]}")
