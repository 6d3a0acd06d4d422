"""Why a network does not fit, and which small change mends it.

``drafts`` changes the text of a line, ``cases`` says where it fails, the ``*_repairs``
propose changes, ``search`` keeps those that work, ``complaints`` reads the errors of
frameworks, ``staging`` makes a network fail as the error says, ``remarks`` looks at networks
that fit, ``named_inputs`` at names with another input than their usual one, ``refusals`` answers
what is neither network nor error, and ``diagnosis`` puts it together. All sentences stand
in ``sentences`` and ``meanings``.
"""
