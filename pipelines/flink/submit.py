"""Submit the jobs to the session cluster: `python -m pipelines.flink.submit score detect=CHECKPOINT`.

One client for all jobs, because a client's JVM takes seconds to start. Prints one JSON line per job.
"""

import argparse
import json
import sys
from urllib.parse import urlsplit

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from pipelines.flink import detect, score
from pipelines.flink.settings import JobSettings

BUILDERS = {score.NAME: score.build, detect.NAME: detect.build}


def main() -> None:
    """Parse the command line, build each job and submit it detached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="+", metavar="JOB[=CHECKPOINT]", help=f"of {', '.join(BUILDERS)}")
    parser.add_argument(
        "--allow-non-restored", action="store_true", help="drop state that no operator claims any more"
    )
    arguments = parser.parse_args()
    settings = JobSettings()
    for job in arguments.jobs:
        name, _, checkpoint = job.partition("=")
        if name not in BUILDERS:
            parser.error(f"unknown job {name!r}: one of {', '.join(BUILDERS)}")
        job_id = submit(name, checkpoint or None, settings, allow_non_restored=arguments.allow_non_restored)
        print(json.dumps({"job": name, "id": job_id}), flush=True)  # noqa: T201


def submit(
    name: str, checkpoint: str | None, settings: JobSettings, *, allow_non_restored: bool = False
) -> str:
    """Build the job and submit it; returns its id.

    Args:
        name: a key of BUILDERS.
        checkpoint: folder of a retained checkpoint or savepoint to start from; None starts from the topics'
            beginning.
        settings: addresses and knobs.
        allow_non_restored: start even where the checkpoint holds state that no operator claims.
    """
    parallelism = {
        score.NAME: settings.pulse_score_parallelism,
        detect.NAME: settings.pulse_detect_parallelism,
    }[name]
    flink = urlsplit(settings.flink_url)
    configuration = Configuration()
    options = {
        "execution.target": "remote",
        "execution.attached": "false",
        "rest.address": str(flink.hostname),
        "rest.port": str(flink.port),
        "pipeline.name": name,
        "parallelism.default": str(parallelism),
        "table.local-time-zone": "UTC",
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        # The default bundle time of 1 s would be the latency of scoring.
        "python.fn-execution.bundle.time": "40",
        "python.fn-execution.bundle.size": "2000",
        "python.fn-execution.arrow.batch.size": "2000",
        "execution.checkpointing.interval": f"{settings.pulse_checkpoint_ms} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.timeout": "5 min",
        "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.dir": (settings.pulse_home / "flink" / "checkpoints" / name).as_uri(),
        "execution.checkpointing.num-retained": "3",
        # Chained operators of ours and of Flink SQL keep no row that they passed on.
        "pipeline.object-reuse": "true",
        "state.backend.type": "rocksdb",
        "state.backend.rocksdb.use-bloom-filter": "true",
        # Ids are written once and read at random: levelled compaction would rewrite them all every few
        # checkpoints (it took half of the TaskManager's CPU).
        "state.backend.rocksdb.compaction.style": "UNIVERSAL",
        # State is written once and read at random soon after: compressing it took half of the CPU.
        "state.backend.rocksdb.compression.per.level": "NO_COMPRESSION",
        "execution.checkpointing.incremental": "true",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "20 s",
    }
    if checkpoint:
        options["execution.state-recovery.path"] = checkpoint
        options["execution.state-recovery.ignore-unclaimed-state"] = str(allow_non_restored).lower()
        options["execution.state-recovery.claim-mode"] = "NO_CLAIM"
    for key, value in options.items():
        configuration.set_string(key, value)
    env = _remote_environment(configuration)
    BUILDERS[name](env, settings)
    return str(env.execute_async(name).get_job_id())


def _remote_environment(configuration: Configuration) -> StreamExecutionEnvironment:
    """An environment that obeys `execution.target`.

    Outside Flink's own command line, PyFlink's `get_execution_environment` makes a local mini cluster,
    whatever the target says; the Java constructor does not.
    """
    jvm = get_gateway().jvm
    java = jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    return StreamExecutionEnvironment(java(configuration._j_configuration))


if __name__ == "__main__":
    main()
