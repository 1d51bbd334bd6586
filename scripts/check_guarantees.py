#!/usr/bin/env python3
"""Each numbered rule of docs/GUARANTEES.md has a test whose name carries its number: rule 4 of section 3
is G3_4_..., rule 2 of 4.1 is G4_1_2_... Exit 1 with a line for each rule without one, and for each number
in a test that is no rule."""
import re
import subprocess
import sys

# Tables and texts: their tests carry the number of the section.
SECTIONS = {"4_3", "8"}


def rules():
    section = None
    for line in open("docs/GUARANTEES.md"):
        if match := re.match(r"#+ (\d(?:\.\d)?)\.? ", line):
            section = match[1].replace(".", "_")
            if section in SECTIONS:
                yield section
        elif section and (match := re.match(r"(\d+)\. ", line)):
            yield f"{section}_{match[1]}"


def tested():
    text = subprocess.run(["git", "grep", "-hoE", r"G([1-8](_[0-9]+)+|8)_", "--", "tests"],
                          capture_output=True, text=True, check=True).stdout
    return {number[1:-1] for number in text.split()}


promised, shown = set(rules()), tested()
for number in sorted(promised - shown):
    print(f"docs/GUARANTEES.md: no test carries G{number}_")
for number in sorted(shown - promised):
    print(f"tests: G{number} is no rule of docs/GUARANTEES.md")
print(f"{len(promised)} rules, {len(promised & shown)} with a test")
sys.exit(0 if promised == shown else 1)
