"""Thin adapters of the core on Flink; one short module a job."""

import builtins
import sys

# PyFlink's worker replaces `print` by a method; Numba, which the core uses, looks each builtin up in the
# module that it names, and cannot be imported where the name is missing there.
sys.modules[builtins.print.__module__].__dict__.setdefault("print", builtins.print)
