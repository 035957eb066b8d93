"""How rhythms are said: the words and fragments of patterns that rhythms are found by."""

from __future__ import annotations

from geng_edge.number_words import RECORDS, SECONDS, STEPS, VULGAR, WORD, either

NTH = {"other": 2, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "tenth": 10}
TIMES = {"once": 1.0, "twice": 2.0, "thrice": 3.0}
OFTEN = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0,
          "yearly": 31536000.0}  # fmt: skip
#: Lengths of one cycle in a word or two.
LENGTHS = {
    "half-hourly": 1800.0, "half hourly": 1800.0, "quarter-hourly": 900.0, "quarter hourly": 900.0,
    "half-daily": 43200.0, "half-yearly": 15768000.0, "semi-diurnal": 43200.0,
    "semidiurnal": 43200.0, "fortnightly": 1209600.0, "every fortnight": 1209600.0,
    "each fortnight": 1209600.0, "a fortnight": 1209600.0, "biweekly": 1209600.0, "bi-weekly": 1209600.0,
    "minute-long": 60.0,
    "hour-long": 3600.0, "day-long": 86400.0, "week-long": 604800.0,
}  # fmt: skip
LARGEST_OF = 10  # "5/12 hours" may be two numbers
OF_A_DAY = r"(?:morning|night|evening|afternoon|noon|midday|midnight|dawn|sunrise|sunset)"
OF_A_YEAR = (
    r"(?:spring|summer|autumn|winter|january|february|april|june|july|august|september|october|november"
    r"|december)"
)
OF_A_WEEK = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend)"

UNIT = r"(?:second|minute|hour|day|week|month|year)"
TIME = rf"(?:{either(SECONDS)})(?![A-Za-z/²³^])"
STEP = rf"(?:{either(STEPS)})\b"
COUNT = rf"(?:\d+(?:\.\d+)?|{WORD})"
SHARES = "".join(VULGAR)
FULL = r"(?:single |whole |full |complete |working |calendar |passing )"
PER = r"(?:per|an?|each|every|/)"
#: "a d" is a day, the "and" of "20 and 50" is not.
PER_TIME = rf"{PER}(?:(?<=/) ?| )(?P<unit>{TIME})"
ABOUT = r"(?:about |around |roughly |exactly |nearly |some )"
LASTS = rf"(?:takes?|taking|lasts?|lasting|of|is|needs?|after|within|[:=]) {ABOUT}?"
CYCLES = (
    r"(?:(?:full|complete|whole|entire|regular|clear|distinct|equal|identical|big|small|broad|sharp|main"
    r"|morning|midday|noon|evening|night) )?"
    r"(?:cycle|oscillation|wave|period|repetition|repeat|hump|swing|round|rotation|pulse|peak|beat"
    r"|turn|stroke|crest|maximum|maxima|loop|lap|burst|undulation|vibration|ripple|tooth|teeth"
    r"|breath|heartbeat|revolution)s?"
)
#: What is counted by the day or the hour because it comes back; visits and deliveries may be the values.
HABITS = (
    r"(?:shower|meal|feeding|milking|dose|watering|irrigation|flush|tide|shift|start|restart|defrost"
    r"|defrosting|backup|rush hour|high water|low water)s?"
)
WINDOW = (
    r"(?:(?:the|this|a|one|our|each|it)(?= ) ?)?(?:(?:whole|entire|full|complete|given|time) )?"
    rf"(?:{either(RECORDS)}|total|all|it)\b"
)
#: "over the whole test" is of all that is shown, whatever it is called; "over the whole day" is not.
ALL_OF_IT = rf"(?:the|this|our|my) (?:whole|entire|full|complete) (?!{UNIT}s?\b)[a-z]+\b"
ALTOGETHER = (
    r"(?:(?:in|over|across|within|during|through|throughout|along|per|inside|on|into|to) "
    rf"(?:{WINDOW}|{ALL_OF_IT})|total\b|altogether\b|overall\b|all told\b|end to end\b"
    r"|from (?:start|beginning|end|one end|left|first) to (?:finish|end|right|the other|last))"
)
#: How long each of some cycles is, or how large: "5 cycles of 20 minutes", but not "5 cycles of a sine".
SIZED = (
    rf"(?:{ABOUT}|approximately |up to |an? |the |one )*"
    rf"(?:[-+]?\d|{WORD}\b|{FULL}?(?:{TIME}|{STEP})|(?:size|length|period|duration|height|amplitude)s?\b)"
)
