"""One file per kind of model service, each of pure functions; `registry` lists them."""
