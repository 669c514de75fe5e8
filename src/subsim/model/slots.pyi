SEGMENTS: int
TIERS: int
WORK: int
TEAMS: int
CAMPAIGNS: int
LENGTH: int

def __getattr__(name: str) -> int: ...
