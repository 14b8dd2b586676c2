"""Entries about nights: how they are judged against the past, and what the doctor says of that."""

from __future__ import annotations

from reports.glossary_term import Term

_SIMULATED = "benchmarks/change_points.py, benchmarks/nightly_alarms.py"

NIGHT_TERMS = (
    Term(
        "baseline", "night", "the unit of the figure",
        "What a figure is on most of the last accepted nights of the same question: their mean "
        "without outliers, and how much single nights differ.",
        "It moves with every night, so that a slow drift carries it along: see the trend.",
        "mean after 3.5 MAD; variance drawn towards that of the other figures", "",
        "gates[].baseline", ("baseline value",),
    ),
    Term(
        "family error", "night", "share of nights",
        "The chance that a night on which nothing changed suspects any figure at all. All figures "
        "share it.",
        "More figures make each of them harder to suspect: leave out those that nobody would act "
        "on.",
        "Holm 1979 over all judged figures", "gates.family_error of the plan", "family_error",
        ("family-wise error",),
    ),
    Term(
        "effect floor", "night", "share of the baseline",
        "The least change that matters. Below it a figure is never called worse, however sure the "
        "change is.",
        "A floor below what noise allows finds nothing more: reports doctor says where that is so.",
        "", "gates.floors of the plan", "floor_share", ("floor", "floors"),
    ),
    Term(
        "suspect", "night", "",
        "A figure that lies above the floor and above what nights reach by chance, and that "
        "nothing has confirmed yet. It fails no night.",
        "What made it suspected is luck as often as not, so that its first value never counts "
        "again.",
        "", "", "alarms[].state", ("suspected", "suspicion"),
    ),
    Term(
        "confirmed", "night", "",
        "A suspected figure that further runs of the same night, or the next night, agree on. Only "
        "this fails a night, with exit code 3.",
        "Reruns share what is particular about a night: A/B pairs against a baseline version do "
        "not.",
        "", "", "alarms[].state, alarms[].confirmed_by", ("confirmation",),
    ),
    Term(
        "cleared", "night", "",
        "A suspected figure that further runs, or the next night, did not agree on.",
        "A figure that is cleared again and again has a floor that its noise does not bear.",
        "", "", "cleared", (),
    ),
    Term(
        "change point", "night", "date of a night",
        "The night at which a figure took another level, found in the last 90 nights with both "
        "sides known.",
        "It needs five nights after the change. It dates and explains; it never fails a night. A "
        "slow drift is shown as several.",
        "E-divisive, p <= 0.01", _SIMULATED, "trends[].marks", ("change points",),
    ),
    Term(
        "E-divisive", "night", "",
        "How change points are found: the split that makes the two sides differ most by their "
        "energy distance, tested by permutations, then again within each side.",
        "Nights that resemble their neighbours make more false changes; permutations keep three "
        "neighbours together for that.",
        "energy distance with alpha 1; p = (b + 1) / (n + 1), 499 seeded permutations",
        "Matteson and James 2014", "trends[].marks", ("energy statistic", "e divisive"),
    ),
    Term(
        "level", "night", "the unit of the figure",
        "What a figure is between two changes, with the band in which 95 % of single nights lie.",
        "The band is of single nights, not of the level: one night in twenty lies outside.",
        "", "", "trends[].levels", ("levels",),
    ),
    Term(
        "A/A replay", "night", "nights",
        "Past nights judged again as if nothing had changed in them: steps that were accepted or "
        "dated are taken out first, so that every alarm is a false one.",
        "A step too small or too short to be dated stays in and counts as noise. Where no reruns "
        "are recorded they are drawn from other nights, which clear more than real ones.",
        "", "", "judged_nights", ("replay", "aa replay"),
    ),
    Term(
        "false alarms a month", "night", "nights a month",
        "Nights of a month that would be suspected, or would fail, although nothing changed.",
        "Read the interval: no alarm in 30 nights still allows three a month.",
        "share of judged nights times nights a month; interval of Clopper and Pearson 1934", "",
        "suspected.a_month, failed.a_month", ("false alarms",),
    ),
    Term(
        "smallest step", "night", "share of the baseline",
        "The smallest change of a figure that is found in eight of ten cases, by its first night "
        "or by the night after.",
        "Smaller changes are found too, only less often; a night has one chance, a month thirty.",
        "steps added to nights drawn from the history", "benchmarks/doctor_truth.py",
        "figures[].smallest_first_night, figures[].smallest_two_nights",
        ("power", "smallest_two_nights"),
    ),
    Term(
        "sampling share", "night", "share of the variance from night to night",
        "How much of what nights differ by is too few requests: the part that more of them lower.",
        "The rest stays whatever is sent: only A/B pairs or quieter hours lower it.",
        "mean squared standard error of a night / variance from night to night", "",
        "figures[].sampling_share", ("sampling_share", "sampling"),
    ),
)  # fmt: skip
