"""The same numbers compiled and as plain Python, and under any hash seed of Python."""

import os
import subprocess
import sys

SCRIPT = """
from subsim.random import entities, purposes, quantiles, uniform, uniform_array

shapes = (0.05, 0.4, 1.0, 2.5, 40.0, 3000.0)
keys = [entities.account_entity("a"), entities.future_entity(2, 9), entities.person_entity(1, 2, 3)]
keys.append(entities.referral_entity(keys[0], 4))
print(keys, entities.name_entity("x"))
for n in range(12):
    u = uniform(2**64 - 5, n, purposes.WIN, keys[n % 4], n * n)
    values = [u, quantiles.normal(u), quantiles.exponential(u)]
    values += [quantiles.lognormal(u, 3.0, 0.7), quantiles.weibull(u, 0.6, 4.0)]
    values += [quantiles.gamma(u, a) for a in shapes]
    values += [quantiles.beta(u, a, b) for a, b in zip(shapes, reversed(shapes))]
    values += [quantiles.log_gamma(a) for a in shapes]
    values += [quantiles.incomplete_gamma(a, a * 2 * u) for a in shapes]
    values += [quantiles.incomplete_beta(a, 2.0, u) for a in shapes]
    print([float(value).hex() for value in values])
    print([int(quantiles.poisson(u, a)) for a in shapes], [int(quantiles.negative_binomial(u, a, 0.5)) for a in shapes])
print([x.hex() for x in uniform_array(5, range(9), 1, keys[1], 3).tolist()])
"""


def _output(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiled_and_plain_python_agree_to_the_bit_under_any_hash_seed() -> None:
    compiled = _output(NUMBA_DISABLE_JIT="0", PYTHONHASHSEED="1")
    plain = _output(NUMBA_DISABLE_JIT="1", PYTHONHASHSEED="2")
    assert compiled.count("0x") > 400
    assert compiled.splitlines() == plain.splitlines()
