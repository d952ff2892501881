from infra.local.acceptance.memory import MemorySampler


def test_the_sampler_reports_peaks_and_the_largest_sum_of_one_moment() -> None:
    moments = iter([{"kafka": 300.0, "ray": 100.0}, {"kafka": 200.0, "ray": 250.0}, {"kafka": 310.0}])
    with MemorySampler(lambda: next(moments), every_s=3600) as sampler:
        sampler.sample()
        sampler.sample()
    assert sampler.report() == {"parts": {"kafka": 310.0, "ray": 250.0}, "sum": 450.0, "samples": 3}
