"""Slots: one container with its door and its channel, made, driven, adopted and removed."""

from .channel import FrameBatch
from .folders import SlotFolders
from .slot import Slot, SlotEnd
from .slots import Slots, SlotSpec

__all__ = ["FrameBatch", "Slot", "SlotEnd", "SlotFolders", "SlotSpec", "Slots"]
