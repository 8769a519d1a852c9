"""Slots: one container with its door and its channel, made, driven, adopted and removed."""

from .channel import FrameBatch
from .door_choice import DoorChoice, FoundDoor
from .doorways import slot_of
from .folders import SlotFolders
from .removal import Removal
from .self_test import SelfTest
from .slot import Slot, SlotEnd
from .slots import WORKER_LABEL, Slots, SlotSpec

__all__ = [
    "WORKER_LABEL",
    "DoorChoice",
    "FoundDoor",
    "FrameBatch",
    "Removal",
    "SelfTest",
    "Slot",
    "SlotEnd",
    "SlotFolders",
    "SlotSpec",
    "Slots",
    "slot_of",
]
