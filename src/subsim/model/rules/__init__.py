"""The rules of the model, one file per process: pure functions of parameters, identity and state.

``p`` is a run's parameter vector (see `subsim.model.slots`), ``key`` the pair (seed, run) of its random numbers,
``entity`` whose draw it is and ``n`` the how-manyeth of its purpose. Both engines call these functions; nothing here
keeps state. Times are integer minutes since the scenario's start, money is integer cents, rates are per year unless
named otherwise.
"""
