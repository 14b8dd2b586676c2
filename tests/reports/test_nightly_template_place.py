"""A saving is told on the line that it would change."""

from __future__ import annotations

import pytest

from core.located_yaml import read_document
from reports.nightly.template_place import function_name, memory_size_place

SAM = """\
Parameters:
  Memory: {Type: Number, Default: 512}
Globals:
  Function:
    Timeout: 3
    MemorySize: 256
Resources:
  Thumbnail:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: thumbnail
      MemorySize: !Ref Memory
  Checkout:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-checkout"
  Raw:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: raw
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {MemorySize: 1}
"""
MERGED = """\
Defaults: &defaults
  Timeout: 3
  MemorySize: 1024
Resources:
  One:
    Type: AWS::Lambda::Function
    Properties:
      <<: *defaults
      Handler: a.b
"""
SERVERLESS = """\
service: shop
provider:
  name: aws
  memorySize: 1024
functions:
  list:
    handler: a.b
  order-list:
    handler: a.b
    memorySize: 512
  named:
    name: other-name
    memorySize: ${param:memory}
"""
IN_A_LIST = """\
service: shop
provider: {name: aws}
functions:
  - first: {handler: a.b, memorySize: 128}
  - second:
      memorySize: 256
  - ${file(more.yml)}
"""
JSON = """\
{"Resources": {
  "Only": {
    "Type": "AWS::Lambda::Function",
    "Properties": {"MemorySize": 128}
}}}
"""


@pytest.mark.parametrize(
    ("text", "function", "line"),
    [
        pytest.param(SAM, "Thumbnail", 12, id="logical id"),
        pytest.param(SAM, "thumbnail", 12, id="name"),
        pytest.param(SAM, "thumbnail:live", 12, id="alias"),
        pytest.param(
            SAM, "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:7", 12, id="ARN"
        ),
        pytest.param(SAM, "Checkout", 6, id="for all functions of SAM"),
        pytest.param(SAM, "Raw", 17, id="globals are not for plain functions: its own line"),
        pytest.param(SAM, "Table", None, id="no function"),
        pytest.param(SAM, "shop-checkout-1AB", None, id="a name that only a deployment knows"),
        pytest.param(SAM, "", None, id="nothing"),
        pytest.param(MERGED, "One", 3, id="merge key"),
        pytest.param(MERGED, "one-1AB", 3, id="the only function, without a name"),
        pytest.param(SERVERLESS, "order-list", 10, id="serverless: key"),
        pytest.param(SERVERLESS, "shop-dev-order-list", 10, id="serverless: joined name"),
        pytest.param(SERVERLESS, "shop-dev-list", 4, id="serverless: of the provider"),
        pytest.param(SERVERLESS, "other-name", 13, id="serverless: name of its own"),
        pytest.param(SERVERLESS, "shop-dev-named", None, id="serverless: it is called otherwise"),
        pytest.param(IN_A_LIST, "shop-dev-second", 6, id="serverless: list"),
        pytest.param(IN_A_LIST, "first", 4, id="serverless: flow mapping"),
        pytest.param(JSON, "Only", 4, id="JSON"),
        pytest.param("just text", "x", None, id="no template"),
        pytest.param("", "x", None, id="empty"),
        pytest.param("Resources: [1, 2]", "x", None, id="no resources"),
        pytest.param("Resources: {A: 1}", "A", None, id="resource that is none"),
        pytest.param("provider: {name: aws}", "A", None, id="no functions"),
        pytest.param("provider: {name: aws}\nfunctions: ${file(a)}", "A", None, id="elsewhere"),
    ],
)
def test_the_line_of_the_memory_size(text: str, function: str, line: int | None) -> None:
    place = memory_size_place(read_document(text, is_template=True), function)

    assert (place.line if place else None) == line


def test_a_name_that_the_only_function_does_not_have_is_another_function() -> None:
    text = JSON.replace('"MemorySize"', '"FunctionName": "it", "MemorySize"')

    assert memory_size_place(read_document(text), "other") is None


@pytest.mark.parametrize(
    ("function", "name"),
    [("a", "a"), ("a:live", "a"), ("123456789012:function:a:1", "a"), ("function:1", "function")],
)
def test_the_name_in_what_names_a_function(function: str, name: str) -> None:
    assert function_name(function) == name
