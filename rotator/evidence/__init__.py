"""The package of one forced rotation: a document made of rows of the trail, a page for people, and its verification.

Nothing here asks anybody anything: the same rows always give the same document, so whoever has the file can make it
again and compare.
"""
