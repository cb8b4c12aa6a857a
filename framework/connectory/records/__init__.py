"""From a page of a provider's list to announced events: read, identify, judge, announce."""
