"""Paths find their endpoint, whatever the number of others."""

import pytest

from helpdesk_core.web.paths import PathTree


@pytest.fixture
def tree() -> PathTree:
    tree = PathTree()
    number = {"ticket": "[0-9]+"}
    tree.add("GET", "/tickets/", {}, "list")
    tree.add("POST", "/tickets/", {}, "create")
    tree.add("GET", "/tickets/stats/", {}, "stats")
    tree.add("GET", "/tickets/{ticket}/", number, "detail")
    tree.add("POST", "/tickets/{ticket}/assign/", number, "assign")
    tree.add("GET", "/tickets/by-number/{number}/", {"number": "[A-Z]+-[0-9]+"}, "by number")
    return tree


def test_methods_of_one_path_are_found_together(tree: PathTree) -> None:
    assert tree.find("/tickets/") == ({"GET": "list", "POST": "create"}, {})


def test_the_final_slash_does_not_matter(tree: PathTree) -> None:
    assert tree.find("/tickets") == tree.find("/tickets/")


def test_fixed_words_win_over_parameters(tree: PathTree) -> None:
    assert tree.find("/tickets/stats/")[0] == {"GET": "stats"}


def test_parameters_are_handed_out_raw(tree: PathTree) -> None:
    assert tree.find("/tickets/12/assign/") == ({"POST": "assign"}, {"ticket": "12"})
    assert tree.find("/tickets/by-number/TKT-001/") == ({"GET": "by number"}, {"number": "TKT-001"})


@pytest.mark.parametrize("path", ["/", "/tickets/abc/", "/tickets/12/assign/now/", "/tickets/12/nothing/"])
def test_anything_else_is_not_there(tree: PathTree, path: str) -> None:
    assert tree.find(path) == ({}, {})


def test_two_claims_to_one_operation_are_refused(tree: PathTree) -> None:
    with pytest.raises(ValueError, match="declared twice"):
        tree.add("GET", "/tickets/", {}, "again")
