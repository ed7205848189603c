"""How long a look at a host may take, by how long the last ones took."""

from bot.workflow.process.look_limits import LONGEST, LookLimits


def test_a_host_has_the_usual_limit_until_its_looks_take_long() -> None:
    limits = LookLimits()
    assert limits.of("web-01", usual=25) == 25
    limits.took("web-01", 0.05)
    assert limits.of("web-01", usual=25) == 25
    limits.took("web-01", 12)
    assert (limits.of("web-01", usual=25), limits.of("web-02", usual=25)) == (36, 25)


def test_it_grows_to_a_bound_and_shrinks_over_a_few_looks() -> None:
    limits = LookLimits()
    limits.took("web-01", 80)
    assert limits.of("web-01", usual=25) == LONGEST
    seen = []
    for _ in range(5):
        limits.took("web-01", 0.1)
        seen.append(limits.of("web-01", usual=25))
    assert seen == [95, 60, 30, 25, 25]
