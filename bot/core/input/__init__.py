"""What people type: commands, options and names, parsed strictly."""
