SEGMENT: tuple[str, ...]
TEAM: tuple[str, ...]
TIER: tuple[str, ...]

def __getattr__(name: str) -> int: ...
