"""What the door does with what arrives: keeps it, tells the line, answers."""
