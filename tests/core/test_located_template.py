"""Templates as YAML: short forms of functions, and merge keys; and still with places."""

from __future__ import annotations

import pytest

from core.located_yaml import Place, Value, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a: !Ref X", {"a": {"Ref": "X"}}, id="ref"),
        pytest.param("a: !Sub '${X}-y'", {"a": {"Fn::Sub": "${X}-y"}}, id="scalar"),
        pytest.param("a: !GetAtt x.Arn", {"a": {"Fn::GetAtt": "x.Arn"}}, id="attribute"),
        pytest.param(
            "a: !Join ['-', [!Ref X, 1]]",
            {"a": {"Fn::Join": ["-", [{"Ref": "X"}, 1]]}},
            id="sequence in a sequence",
        ),
        pytest.param(
            "a: !Transform {Name: N}", {"a": {"Fn::Transform": {"Name": "N"}}}, id="mapping"
        ),
        pytest.param("a: !Condition C", {"a": {"Condition": "C"}}, id="condition"),
        pytest.param(
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}",
            {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}},
            id="merged",
        ),
        pytest.param(
            "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}",
            {"a": {"p": 1}, "b": {"p": 2, "q": 2}, "c": {"p": 1, "q": 2}},
            id="the first that is merged goes first",
        ),
        pytest.param("a: &x 1\nb: {<<: *x, q: 3}", {"a": 1, "b": {"q": 3}}, id="merged nothing"),
    ],
)
def test_tags_and_merge_keys_have_their_meaning(text: str, value: Value) -> None:
    document = read_document(text, is_template=True)

    assert (document.value, document.problems) == (value, [])


def test_places_are_those_of_what_is_tagged() -> None:
    document = read_document("a:\n  b: !Sub\n    - ${X}\n    - {X: 1}", is_template=True)

    assert document.place(("a", "b"), of_key=True) == Place(2, 3)
    assert document.place(("a", "b", "Fn::Sub", 1, "X")) == Place(4, 11)


@pytest.mark.parametrize("text", ["a: !Ref X", "a: &x {p: 1}\nb: {<<: *x}"])
def test_elsewhere_they_are_mistakes(text: str) -> None:
    assert len(read_document(text).problems) == 1


def test_tags_of_yaml_itself_are_not_known_in_templates_either() -> None:
    (problem,) = read_document("a: !!set {x}", is_template=True).problems

    assert "the tag tag:yaml.org,2002:set is not known here" in problem.message
