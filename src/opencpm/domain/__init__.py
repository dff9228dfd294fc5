"""The vocabulary: frozen values and pure state machines. Imports nothing of ours."""
