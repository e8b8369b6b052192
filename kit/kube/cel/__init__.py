"""The Common Expression Language as the API server uses it: checked against types first, then evaluated within a budget of steps.

Parser and evaluator are cel-python's: of three engines tried (cel-python, the Rust `common-expression-language`, Google's
`cel-expr-python`) it alone lets every step be counted, so that no rule runs longer than its budget, and shows its tree, which the
checker here needs. It costs 0.4 s and 23 MB when first imported, so nothing imports `engine` before there is a rule; an evaluation
of a short rule takes 0.4 ms (the Rust one: 0.06 ms).
"""
