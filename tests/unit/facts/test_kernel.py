"""The kernel's settings, from its own way of printing them."""

from clup.facts.kernel import Sysctls


def test_words_have_one_space_between_and_an_unknown_setting_is_none() -> None:
    output = ["vm.swappiness=60", "net.ipv4.tcp_rmem=4096\t131072\t6291456", "no.such="]
    assert Sysctls().process(output) == {
        "vm.swappiness": "60",
        "net.ipv4.tcp_rmem": "4096 131072 6291456",
        "no.such": None,
    }
