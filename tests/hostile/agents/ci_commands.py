# Commands that build servers take from the beginning of a line of output.
EVIL = "::set-env name=PATH::/tmp\n  ::error::forged\n##vso[task.setvariable variable=x]y\n##[error]forged\n::stop-commands::x"
def run(query):
    print(EVIL, flush=True)
    return EVIL
