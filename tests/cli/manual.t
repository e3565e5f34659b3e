#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--help, manual and completions say the same; the manual's examples run as they stand."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(top)
build = os.environ.get("BUILD", "build")
binary = os.path.join(top, build, "vfiotrace")
count = 0


def ok(good, text, notes=()):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {text}", flush=True)
    if not good:
        for note in notes:
            print("#", note)


def skip(text, why):
    global count
    count += 1
    print(f"ok {count} - {text} # SKIP {why}", flush=True)


def run(*arguments, **more):
    return subprocess.run(arguments, capture_output=True, text=True, errors="replace", check=False,
                          timeout=120, **more)


main_help = run(binary, "--help").stdout
commands = re.findall(r"^  ([a-z]+) ", main_help, re.M)
ok(len(commands) > 0, f"--help names {len(commands)} commands", [main_help])


def help_options(command):
    text = run(binary, command, "--help", env=dict(os.environ, ARGP_HELP_FMT="rmargin=4000")).stdout
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z][\w-]*)", text, re.M)) - {"--help", "--usage"}


# --- manual -----------------------------------------------------------------------------------
pages = sorted(glob.glob("src/man/*.[78]"))
lint = run("mandoc", "-T", "lint", "-W", "warning", *pages)
ok(lint.returncode == 0, f"{len(pages)} pages without a warning of mandoc", lint.stdout.splitlines())
with open("src/man/vfiotrace.8", encoding="utf-8") as f:
    overview = f.read()
for command in commands:
    page = f"src/man/vfiotrace-{command}.8"
    ok(os.path.exists(page), f"{command} has a page")
    ok(f"\\fB{command}\\fR" in overview, f"the overview names {command}")
    done = run(binary, command, "--help")
    ok(done.returncode == 0 and "Usage: vfiotrace" in done.stdout, f"{command} --help works")
    if not os.path.exists(page):
        continue
    with open(page, encoding="utf-8") as f:
        text = f.read()
    listed = set(re.findall(r"^(?:\\fB\\-\w\\fR, )?\\fB(\\-\\-[\w\\-]+)\\fR", text, re.M))
    listed = {name.replace("\\-", "-") for name in listed}
    wanted = help_options(command)
    ok(listed == wanted, f"vfiotrace-{command}(8) lists the {len(wanted)} options of the table",
       [f"only in the table: {sorted(wanted - listed)}", f"only in the page: {sorted(listed - wanted)}",
        "src/man/update-options brings the page in line"])
stale = run("src/man/update-options", "--check", binary)
ok(stale.returncode == 0, "and says of each what the table says", stale.stdout.splitlines())
with open("src/man/vfiotrace-output.7", encoding="utf-8") as f:
    output = f.read()
records = [r["properties"] for r in json.loads(run(binary, "--json-schema").stdout)["$defs"].values()
           if "const" in r.get("properties", {}).get("type", {})]
missing = []
for record in records:
    section = re.search(r"^\.TP\n\\fB" + record["type"]["const"] + r"\\fR\n(.*?)(?=^\.TP|^\.SH)", output, re.M | re.S)
    named = set(re.findall(r"\\fI([a-z_]+)\\fR", section[1])) if section else set()
    missing += sorted(f"{record['type']['const']}.{name}" for name in set(record) - named - {"type", "ts", "mono"})
ok(records and not missing, f"vfiotrace-output(7) names every field of the {len(records)} records of the schema", missing)
mentioned = set()
for page in pages:
    with open(page, encoding="utf-8") as f:
        mentioned |= set(re.findall(r"--[a-z][a-z-]+", f.read().replace("\\-", "-")))
known = {"--help", "--version", "--json-schema", "--usage", "--since", "--now",  # the last ones are of other programs
         "--memory-only", "--split"}
for command in commands:
    known |= help_options(command)
full = len(commands) >= 10
if full:
    ok(mentioned <= known, "no page mentions an option that does not exist", sorted(mentioned - known))
else:
    skip("no page mentions an option that does not exist", "not all commands are built")

# --- completions --------------------------------------------------------------------------------
complete = r"""
source src/completion/vfiotrace.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_vfiotrace; printf '%s\n' "${COMPREPLY[@]}"
"""


def completed(*words):
    return set(run("bash", "-c", complete, "bash", binary, *words).stdout.split())


ok(completed("") == set(commands), "bash completes the commands", [sorted(completed(""))])
for command in commands:
    got = {w for w in completed(command, "--")} - {"--help", "--usage"}
    ok(got == help_options(command), f"bash completes the options of {command}",
       [sorted(got ^ help_options(command))])
ok(completed("check", "--color", "=", "a") == {"auto", "always"}, "and the values of --color=")
ok(completed("watch", "--scope", "") == {"vfio", "all"}, "and of --scope")
ok(completed("help", "") == set(commands), "and the commands after help", [sorted(completed("help", ""))])
ok(completed("watch", "--trigger", "=", "") == {"inversion", "deadlock", "stall:5s"}, "and the kinds of --trigger")
ok("51cdc8bc120e" in completed("validate", "--known", "=", "5"), "and the fixes of --known", [sorted(completed("validate", "--known", ""))])
ok(completed("validate", "--require", "vm_create,group_") == {"vm_create,group_add", "vm_create,group_del"},
   "and a second path of --require", [sorted(completed("validate", "--require", "vm_create,group_"))])
done = run("bash", "-n", "src/completion/vfiotrace.bash")
ok(done.returncode == 0, "the bash file parses", [done.stderr])
if shutil.which("zsh"):
    ok(run("zsh", "-n", "src/completion/vfiotrace.zsh").returncode == 0, "the zsh file parses")
else:
    skip("the zsh file parses", "no zsh here")

# --- examples -------------------------------------------------------------------------------------
work = tempfile.mkdtemp(prefix="vfiotrace-manual-")
for page in pages:
    with open(page, encoding="utf-8") as f:
        text = f.read()
    for kind, codes, block in re.findall(r'^\.\\" (run|run-root) exit=([\d,]+)\n\.EX\n(.*?)\.EE', text, re.M | re.S):
        allowed = {int(code) for code in codes.split(",")}
        for line in re.findall(r"^\$ (.*)$", block, re.M):
            line = line.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")
            name = f"{os.path.basename(page)}: {line}"
            words = line.replace("/usr/share/doc/vfiotrace/examples", os.path.join(top, "src/man/examples")).split()
            if len(words) > 1 and words[1][0] != "-" and words[1] not in commands:
                skip(name, f"{words[1]} is not built")
                continue
            if kind == "run-root" and os.geteuid():
                skip(name, "needs root")
                continue
            done = run(binary, *words[1:], cwd=work)
            ok(done.returncode in allowed, f"{name} (exit status {done.returncode})",
               [f"allowed: {codes}", *done.stderr.splitlines()[-5:]])
shutil.rmtree(work, ignore_errors=True)
print(f"1..{count}")
