"""What Seatrial promises about agents that mean harm, tested with agents that do."""
