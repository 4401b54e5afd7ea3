"""Addresses as keyed hashes."""

from webapp.core.rules.address_hashes import MARK, address_hash


def test_a_hash_depends_on_the_address_and_on_the_key():
    one = address_hash("aa", "ada@example.com")
    assert one == address_hash("aa", "ada@example.com")
    assert len({one, address_hash("ab", "ada@example.com"), address_hash("aa", "bob@example.com")}) == 3


def test_it_is_the_sha256_of_key_and_address_with_letters_of_all_scripts():
    # printf 'k:dörte@example.com' | sha256sum
    made = address_hash("k", "dörte@example.com")
    assert made.startswith(MARK) and len(made) == len(MARK) + 64 and "@" not in made
    assert made[len(MARK) :] == "23a0f62a8e8569694825b459d0b14e9610c44fd88f45106459ede759281a0930"
