"""The journal club: twelve questions answered from results, and comparisons under definitions of one's choice."""
