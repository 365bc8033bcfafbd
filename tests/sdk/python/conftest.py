"""Builds houses for the tests, and says which versions of the SDKs are under test."""

from importlib.metadata import version

import pytest

from callers import CALLERS
from house import House

SDKS = ("openai", "anthropic", "google-genai")


def pytest_report_header():
    return "under test: " + ", ".join(f"{name} {version(name)}" for name in SDKS)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for house in getattr(item, "houses", []):
            report.sections.append(("programs", house.report()))


@pytest.fixture
def build(request):
    """Builds a house; at the end checks what every house must keep, and stops it."""
    houses = request.node.houses = []

    def build_house(provider, *arguments, **options):
        house = House(provider, *arguments, **options)
        houses.append(house)
        return house

    yield build_house
    for house in houses:
        try:
            house.check_credentials()
            house.check_output()
        finally:
            house.close()


@pytest.fixture(params=CALLERS, ids=lambda caller: caller.provider)
def caller(request):
    """The way to call through one SDK."""
    return request.param
