"""What holds for every test.

Property tests have no time limit for one example: many run beside each other on few cores,
and speed has measurements of its own.
"""

from hypothesis import settings

settings.register_profile("beside_others", deadline=None)
settings.load_profile("beside_others")
