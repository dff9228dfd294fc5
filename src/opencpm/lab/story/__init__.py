"""Stories that the running server plays on real wires, each step judged by its trail and the far side's own log."""

from opencpm.lab.story import concert, group, line, mms, msn, xmpp, yahoo
from opencpm.lab.story.driver import Step, StepResult, Story, run_steps

STORIES: dict[str, Story] = {
    "concert": concert.STORY,
    "mms": mms.STORY,
    "line": line.STORY,
    "msn": msn.STORY,
    "yahoo": yahoo.STORY,
    "xmpp": xmpp.STORY,
    "group": group.STORY,
}
"""By the name that `opencpm demo --story NAME` takes; the first is told where no name is given."""

__all__ = ["STORIES", "Step", "StepResult", "Story", "run_steps"]
