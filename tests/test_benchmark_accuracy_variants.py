"""Variants of a plan: kneecascade.benchmark.accuracy_variants."""

from __future__ import annotations

import pytest
from plans import tiny_plan

from kneecascade.benchmark.accuracy_variants import NAMED, parse_variants, planned
from kneecascade.errors import SettingsError
from kneecascade.network.build import build_network
from kneecascade.network.cost import count_cost


@pytest.mark.parametrize("name", NAMED)
def test_every_named_variant_gives_a_plan_that_builds(name: str) -> None:
    plan = tiny_plan(fine_patch=(32, 32, 32))
    changed = planned(NAMED[name], plan)
    build_network(changed.fine.network)
    same = name in ("cascade", "coarse_only", "whole", "ema")
    assert (changed == plan) is same
    assert (changed.coarse, changed.labels) == (plan.coarse, plan.labels)


def test_what_the_variants_say_is_so() -> None:
    plan = tiny_plan(fine_patch=(32, 40, 24))
    assert planned(NAMED["small_patch"], plan).fine.patch_shape_zyx == (24, 32, 16)
    assert planned(NAMED["big_batch"], plan).fine.batch_size == 2 * plan.fine.batch_size
    assert planned(NAMED["no_mirror"], plan).mirror_axes == ()
    assert planned(NAMED["unet"], plan).fine.network.kind == "resunet"
    wide, narrow = (
        count_cost(build_network(planned(NAMED[name], plan).fine.network), 1, (32, 32, 32)).macs
        for name in ("width_64", "width_16")
    )
    assert wide > 4 * narrow


def test_names_rates_and_free_edits_are_read() -> None:
    free = "wide:fine.network.aspp_rates=[[1,1,1],[2,2,2]]+fine.batch_size=3+train.ema=true"
    first, rate, wide = parse_variants(f"unet, lr_1e-2,{free}")
    assert first is NAMED["unet"]
    assert (rate.name, dict(rate.train)) == ("lr_1e-2", {"learning_rate": 0.01})
    plan = tiny_plan()
    changed = planned(wide, plan)
    assert (wide.name, changed.fine.batch_size, dict(wide.train)) == ("wide", 3, {"ema": True})
    assert changed.fine.network.kind == "medicalnet_aspp"
    assert changed.fine.network.aspp_rates == ((1, 1, 1), (2, 2, 2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one"),
        ("unet,unet", "each once"),
        ("nonsense", "choose among cascade"),
        ("unet:fine.batch_size=3", "no new name"),
        ("x:fine.batch_size", "not FIELD=VALUE"),
        ("x:train.seed=3", "choose among train.learning_rate"),
        ("x:train.ema=3", "expected bool"),
        ("x:train.learning_rate=true", "expected float"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse_variants(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x:fine.bach_size=3", "fine.bach_size: unknown field"),
        ("x:fine.nothing.here=3", "no such field"),
        ('x:fine.batch_size="many"', "fine.batch_size: expected int"),
        ("x:fine.patch_shape_zyx=[17,16,16]", "divisible by the network's stride"),
    ],
)
def test_an_edit_that_does_not_fit_the_plan_is_told(text: str, words: str) -> None:
    (variant,) = parse_variants(text)
    with pytest.raises(SettingsError, match=words):
        planned(variant, tiny_plan())


def test_a_variant_of_the_medicalnet_needs_one() -> None:
    plan = planned(NAMED["unet"], tiny_plan(fine_patch=(32, 32, 32)))
    with pytest.raises(SettingsError, match="wants a MedicalNet"):
        planned(NAMED["width_16"], plan)
