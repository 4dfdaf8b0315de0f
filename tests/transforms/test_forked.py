"""No generator of nonces lives on from one call to the next, so that a fork cannot copy one."""

import subprocess
import sys

SCRIPT = """
import os, sys
from privkit.keys import Keyring
from privkit.transforms import Encrypt
from privkit.transforms.subjects import EncryptBySubject

keys = Keyring.create(sys.argv[1])
note, personal = Encrypt(keys["note"]), EncryptBySubject(keys, "note")

def nonces():
    sealed = [note.protect("x"), *note.protect_many(["x"] * 100)]
    sealed += [personal.protect("x", subject="a"), *personal.protect_many(["x"] * 101, subject=["a"] * 100 + ["b"])]
    return b"".join(one[5:21] for one in sealed)

nonces()  # whatever is made once is made before the fork
read, write = os.pipe()
for _ in range(2):
    if not os.fork():
        os.write(write, nonces())
        os._exit(0)
    assert os.wait()[1] == 0
os.close(write)
with open(read, "rb") as children:
    drawn = children.read() + nonces()
print(len(drawn) // 16, len({drawn[at : at + 16] for at in range(0, len(drawn), 16)}))
"""


def test_parent_and_children_draw_other_nonces(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "keyring.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == ["609", "609"]
