"""What people type: commands, options and names, read strictly."""
