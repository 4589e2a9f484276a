"""The proof file: what is on record about one address, for an authority or for the person.

``record`` is the content, ``canonical`` its one spelling as bytes and their hash, ``page`` the
same for people. The JSON file is the canonical bytes themselves, so that ``sha256sum`` of the
file is the hash that the page shows.
"""
