"""What can happen in a scenario; each module turns one family of events into lines and ground truth."""
