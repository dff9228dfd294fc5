"""The story of Alice and Bob in 23 steps, each judged by what the server's trail and the far side's log say."""

from opencpm.lab.story.driver import STEPS, StepResult, tell

__all__ = ["STEPS", "StepResult", "tell"]
