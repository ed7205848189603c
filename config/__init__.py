"""What an installation says about itself: hosts, policy, critical units, and the settings around them."""
