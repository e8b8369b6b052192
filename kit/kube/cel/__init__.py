"""The Common Expression Language as the API server uses it: checked against types, its cost estimated, then run within a budget.

`parsing` and `macros` make a tree, `checker` types it, `literals` says what of it can't run, `estimating` what it costs at most,
`evaluating` runs it; `signatures` declares all functions, `library` has them. Written here, because no library carries what the API server
adds: cel-python knows neither optional values nor two variables in a macro nor cel-go's cost, and costs 0.4 s and 23 MB when imported; the
Rust and C++ ones can't be stopped in the middle. Nothing imports `engine` before there is an expression.
"""
