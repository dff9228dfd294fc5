"""What a message costs the server: CPU time of its process, under load from others."""

from opencpm.lab.bench.run import SCENARIOS, Ready, Rig, measure

__all__ = ["SCENARIOS", "Ready", "Rig", "measure"]
