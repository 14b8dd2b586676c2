"""Functions of template files: which names they tell, and what is said where they do not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.located_yaml import read_document
from tuner.several.listed import Around, Listing, NotKnown
from tuner.several.serverless_variables import Variables
from tuner.several.stack_file import read_stack_file

AROUND = Around("eu-west-1", lambda: "123456789012")

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Number: {Type: Number, Default: 7}
  Free: {Type: String}
  Secret: {Type: "AWS::SSM::Parameter::Value<String>", Default: /a/b}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: %s
"""
SERVERLESS = """
service: shop
provider:
  name: aws
  stage: ${opt:stage, 'qa'}
custom:
  prefix: ${self:service}-x
  loop: ${self:custom.loop}
  names: {qa: quality, prod: live}
  wide0: x
WIDE
functions:
  pay:
    handler: a.b
    name: %s
"""
# Each has ten of the one before: a thousand million letters in the end.
_WIDE = "\n".join(
    f"  wide{number}: '{f'${{self:custom.wide{number - 1}}}' * 10}'" for number in range(1, 10)
)
SERVERLESS = SERVERLESS.replace("WIDE", _WIDE)


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Reads a text as the file t.yaml."""
    monkeypatch.chdir(tmp_path)

    def reading(text: str, around: Around = AROUND) -> Listing:
        Path("t.yaml").write_text(text, encoding="utf-8")
        return read_stack_file("t.yaml", around)

    return reading


@pytest.mark.parametrize(
    ("written", "name"),
    [
        pytest.param("orders", "orders", id="literal"),
        pytest.param("42", "42", id="a number"),
        pytest.param("!Ref Stage", "dev", id="parameter"),
        pytest.param("{Ref: Number}", "7", id="parameter in the long form"),
        pytest.param('!Sub "pay-${Stage}"', "pay-dev", id="sub"),
        pytest.param('!Sub "${AWS::Region}-${AWS::AccountId}"', "eu-west-1-123456789012", id="own"),
        pytest.param('!Sub "${AWS::Partition}"', "aws", id="partition"),
        pytest.param('!Sub ["${A}-${Stage}", {A: !Ref Number}]', "7-dev", id="sub with a map"),
        pytest.param('!Sub "${!Stage}"', "${Stage}", id="escaped"),
        pytest.param('!Join ["-", [pay, !Ref Stage]]', "pay-dev", id="join"),
    ],
)
def test_a_template_tells_names_that_are_made_of_what_is_in_it(read, written, name) -> None:
    (function,) = read(TEMPLATE % written).functions

    assert (function.key, function.name, function.place) == ("Fn", name, "t.yaml:8:3")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param("", "CloudFormation makes one up", id="none"),
        pytest.param('!Sub "${AWS::StackName}-pay"', "AWS::StackName in it", id="stack"),
        pytest.param(
            "!Ref Free", "the parameter Free in it, which has no default", id="no default"
        ),
        pytest.param("!Ref Secret", "Secret in it, which is a parameter in SSM", id="ssm"),
        pytest.param("!Ref Table", "Table in it, which only a deployment knows", id="resource"),
        pytest.param('!Sub "${Table.Arn}"', "Table.Arn in it", id="attribute"),
        pytest.param("!If [c, a, b]", "made by Fn::If", id="if"),
        pytest.param("!ImportValue x", "made by Fn::ImportValue", id="import"),
        pytest.param("!Join [x]", "Fn::Join of something that is no list", id="bad join"),
        pytest.param("!Sub [1]", "Fn::Sub of no text", id="bad sub"),
        pytest.param("[a]", "its name is no text", id="a list"),
        pytest.param("x" * 1001, "too long", id="long"),
        pytest.param(f'!Sub "{"${Stage}" * 200}"', "too long", id="parts"),
        pytest.param(f'!Sub "{"${" * 100_000}"', "too long", id="long and never closed"),
        pytest.param(f"!Join [{'a' * 600}, [a, b, c]]", "too long", id="long when joined"),
    ],
)
def test_what_only_a_deployment_knows_is_not_guessed(read, written, reason) -> None:
    (function,) = read(TEMPLATE % written).functions

    assert function.name is None
    assert reason in (function.unknown or "")


def test_the_account_is_only_asked_for_when_a_name_has_it(read) -> None:
    asked = []
    nobody = Around("us-east-1", lambda: asked.append(1))

    read(TEMPLATE % "orders", nobody)
    assert asked == []
    (function,) = read(TEMPLATE % '!Sub "${AWS::AccountId}"', nobody).functions
    assert (function.name, asked) == (None, [1])


def test_a_template_names_its_defaults_and_what_is_not_looked_into(read) -> None:
    text = TEMPLATE % "!Sub '${Stage}-pay'" + (
        "  Other: {Type: AWS::S3::Bucket}\n"
        "  Inner: {Type: AWS::CloudFormation::Stack}\n"
        "  Fn::ForEach::Many: [Id, [a], {}]\n"
    )
    listing = read(text)

    assert listing.notes == (
        "t.yaml: names are made with defaults of the template: Stage=dev",
        "t.yaml: nested stacks are not looked into: Inner",
    )
    assert [(one.key, one.name) for one in listing.functions] == [
        ("Fn", "dev-pay"),
        ("Fn::ForEach::Many", None),
    ]


def test_a_template_may_be_json_with_tabs(read) -> None:
    text = '{\n\t"Resources": {\n\t\t"Fn": {"Type": "AWS::Lambda::Function",\n'
    text += '\t\t"Properties": {"FunctionName": {"Fn::Sub": "x-${AWS::Region}"}}}}}'

    assert [one.name for one in read(text).functions] == ["x-eu-west-1"]


@pytest.mark.parametrize(
    ("written", "stage", "name"),
    [
        pytest.param("orders", None, "orders", id="literal"),
        pytest.param("", None, "shop-qa-pay", id="joined"),
        pytest.param("", "prod", "shop-prod-pay", id="joined with --stage"),
        pytest.param("${self:service}-${sls:stage}", None, "shop-qa", id="own values"),
        pytest.param("${self:provider.stage}-a", "x", "x-a", id="stage of the provider"),
        pytest.param("${self:custom.prefix}", None, "shop-x", id="through another value"),
        pytest.param("${self:custom.names.${sls:stage}}", None, "quality", id="nested"),
        pytest.param("${opt:stage, 'a,b'}", None, "a,b", id="fallback in quotes"),
        pytest.param("${opt:stage, ${self:custom.none, 'z'}}", None, "z", id="fallback nested"),
        pytest.param("${env:X, self:service}", None, "shop", id="fallback without braces"),
        pytest.param("${opt:stage, ${env:X}}", "prod", "prod", id="a fallback that is not needed"),
        pytest.param("${aws:region}-${opt:region}", None, "eu-west-1-eu-west-1", id="region"),
        pytest.param("${self:provider.region}", None, "eu-west-1", id="region that is not there"),
        pytest.param("f-${aws:accountId}", None, "f-123456789012", id="account"),
        pytest.param("${env:X, 3}", None, "3", id="fallback to a number"),
    ],
)
def test_a_serverless_file_tells_its_names(read, written, stage, name) -> None:
    around = Around("eu-west-1", lambda: "123456789012", stage)
    (function,) = read(SERVERLESS % written, around).functions

    assert (function.key, function.name) == ("pay", name)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param("${env:NAME}", "${env:NAME} in it, which is not known", id="environment"),
        pytest.param("${opt:stage}", "give --stage", id="stage"),
        pytest.param("${self:custom.none}", "${self:custom.none} in it", id="missing"),
        pytest.param("${self:custom.loop}", "lead in a circle", id="circle"),
        pytest.param("${self:custom.names}", "no text", id="no text"),
        pytest.param("${param:x, ssm:/y}", "${ssm:/y} in it", id="no alternative"),
        pytest.param("${self:service", "${ without a }", id="not closed"),
        pytest.param("${}", "${} in it", id="empty"),
        pytest.param("${" * 50_000, "too long", id="long"),
        pytest.param("${self:custom.wide9}", "too long, or made of too many", id="bomb"),
        pytest.param("[a]", "no text", id="a list"),
    ],
)
def test_variables_from_elsewhere_are_not_guessed(read, written, reason) -> None:
    (function,) = read(SERVERLESS % written).functions

    assert function.name is None
    assert reason in (function.unknown or "")


def test_functions_of_a_serverless_file_may_be_a_list_or_elsewhere(read) -> None:
    text = "service: {name: s}\nprovider: {name: aws}\nfunctions:\n  - a: {handler: x}\n"
    listing = read(text + "  - ${file(more.yml)}\n  - b: ${file(b.yml)}\n")

    assert [(one.key, one.name) for one in listing.functions] == [("a", "s-dev-a"), ("b", None)]
    assert listing.notes == ("t.yaml: stage dev; --stage names another one",)

    (function,) = read("service: s\nprovider: aws\nfunctions: ${file(f.yml)}\n").functions
    assert "they are ${file(f.yml)}, which is not followed" in (function.unknown or "")


def test_merge_keys_and_tags_elsewhere_do_not_matter(read) -> None:
    text = SERVERLESS % "orders" + "    <<: &d {timeout: 3}\n    tags: !!set {x}\n"

    assert [one.name for one in read(text).functions] == ["orders"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "expected a SAM or CloudFormation template", id="empty"),
        pytest.param("[1]", "expected a SAM or CloudFormation template", id="a list"),
        pytest.param("Resources: 3", "neither Resources", id="no resources"),
        pytest.param("service: s", "neither Resources", id="half a serverless file"),
        pytest.param("Resources: {}", "t.yaml has no Lambda function in it", id="no function"),
        pytest.param(
            "service: s\nprovider: {name: google}\nfunctions: {}",
            "t.yaml:2:11: provider: expected aws .got 'google'.",
            id="another cloud",
        ),
        pytest.param("a: [", "^t.yaml:1:5: is not YAML", id="no yaml"),
        pytest.param("a: 1\n---\nb: 2", "^t.yaml:2:1: is not YAML", id="two documents"),
        pytest.param(
            TEMPLATE % "a" + "  Fn: {Type: AWS::Lambda::Function}\n",
            r"^t.yaml:12:3: Resources.Fn: comes twice: it is in line 8",
            id="a function twice",
        ),
        pytest.param(
            TEMPLATE % "!!set {x}", r"^t.yaml:11:21: .*FunctionName: the tag", id="an odd name"
        ),
        pytest.param("a: \x00", "not YAML", id="a zero byte"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_place(read, text, message) -> None:
    with pytest.raises(InputError, match=message):
        read(text)


def test_a_stage_is_only_for_serverless_files(read) -> None:
    with pytest.raises(InputError, match=r"--stage: only .* serverless\.yml, and t\.yaml"):
        read(TEMPLATE % "a", Around("us-east-1", lambda: None, "prod"))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"could not read /nowhere/t\.yaml"):
        read_stack_file("/nowhere/t.yaml", AROUND)


PIECES = st.lists(
    st.sampled_from(["${", "}", ",", "'", '"', "self:", "service", "opt:stage", "a", " ", ":", "1"])
)


@given(PIECES)
def test_any_text_of_variables_is_told_or_not_known(pieces: list[str]) -> None:
    with suppress(NotKnown):
        Variables(read_document("service: s"), AROUND).text("".join(pieces))


@given(st.text(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(f"Resources:\n  {text}", encoding="utf-8", errors="replace")
    with suppress(InputError):
        read_stack_file(str(path), AROUND)
