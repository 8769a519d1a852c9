"""What a model call may ask of its provider besides an answer.

`shapes` is the language in which each provider's file describes the bodies of its operations,
`judge` holds a call's body to its description, `wire` its headers and query, `outgoing` looks for
the test's own secrets in what it sends.
"""
